// A server that a case plays itself, frame by frame: for what no good server does. The other half is server/src/by_hand.rs.

import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { WebSocketConstructor } from "rpc-websocket";
import { type Frame, FrameSchema, type GreetingSchema } from "rpc-websocket/protos/v1/frame";
import { Queue } from "./queue.js";

/** The kinds of frames. */
type Kind = NonNullable<Frame["kind"]["case"]>;

/** What a frame of a kind holds. */
type ValueOf<Case extends Kind> = Extract<Frame["kind"], { case: Case }>["value"];

/** What a case says of a greeting. */
type Greeting = Exclude<MessageInitShape<typeof GreetingSchema>, { $typeName: string }>;

/** The greeting of a server with the limits that servers have, and something else in it. */
export function greeting(more: Greeting = {}): MessageInitShape<typeof FrameSchema> {
  const limits = {
    maxMessageBytes: 1n << 20n,
    maxStreams: 100n,
    streamWindowBytes: 256n << 10n,
    connectionWindowBytes: 1n << 20n,
    maxFrameBodyBytes: 128n << 10n,
    maxMetadataEntries: 128n,
    maxMetadataBytes: 16n << 10n,
    maxOpens: 20_000_000n,
    maxResets: 200n,
    maxBodyBytes: 4n << 20n,
    maxPendingBytes: 16n << 20n,
  };
  const clientId = "0123456789abcdef0123456789abcdef";
  return { kind: { case: "greeting", value: { limits, clientId, ...more } } };
}

/** A client's connection, as the case that plays the server sees it. */
export class HandConnection {
  /** The subprotocols that the client has offered. */
  protocols: readonly string[] = [];
  /** What the client has sent, and the case has not read. */
  readonly received = new Queue<Uint8Array>();
  /** The close frame of the client; 1006 where there was none. */
  readonly left: Promise<{ code: number; reason: string }>;
  /** How the connection has ended, told by the server's half. */
  leave: (how: { code: number; reason: string }) => void = () => {};

  constructor(
    private readonly server: HandServer,
    readonly number: number,
  ) {
    this.left = new Promise((resolve) => {
      this.leave = resolve;
    });
  }

  /** The next frame of the client, whatever it is. */
  async any(): Promise<Frame> {
    return fromBinary(FrameSchema, await this.received.next());
  }

  /** The next frame of the client of this kind; others are passed over. */
  async frameOf<Case extends Kind>(kind: Case): Promise<{ streamId: bigint; value: ValueOf<Case> }> {
    for (;;) {
      const frame = await this.any();
      // The type system does not follow that the value is the one of the case.
      if (frame.kind.case === kind) return { streamId: frame.streamId, value: frame.kind.value as never };
    }
  }

  /** Sends a frame. */
  send(frame: MessageInitShape<typeof FrameSchema>): void {
    this.sendBytes(toBinary(FrameSchema, create(FrameSchema, frame)));
  }

  /** Greets the client as a good server does. */
  greet(more: Greeting = {}): void {
    this.send(greeting(more));
  }

  /** Sends a binary message that need not be a frame. */
  sendBytes(bytes: Uint8Array): void {
    const message = new Uint8Array(4 + bytes.length);
    new DataView(message.buffer).setUint32(0, this.number);
    message.set(bytes, 4);
    this.server.tell(message);
  }

  /** Sends a text message. */
  sendText(text: string): void {
    this.server.tell(JSON.stringify({ do: "text", connection: this.number, text }));
  }

  /** Closes with a close frame. */
  close(code: number, reason = ""): void {
    this.server.tell(JSON.stringify({ do: "close", connection: this.number, code, reason }));
  }

  /** Drops the connection. */
  drop(): void {
    this.server.tell(JSON.stringify({ do: "drop", connection: this.number }));
  }
}

/** A server that the case plays. */
export class HandServer {
  /** Where clients connect. */
  url = "";
  private readonly connections = new Map<number, HandConnection>();
  private readonly came = new Queue<HandConnection>();
  private readonly socket: InstanceType<WebSocketConstructor> & {
    onmessage: unknown;
    onopen: unknown;
    send(data: unknown): void;
  };
  private count = 0;

  private constructor(Socket: WebSocketConstructor, at: string) {
    this.socket = new Socket(at, []) as typeof this.socket;
    this.socket.binaryType = "arraybuffer";
  }

  static async open(Socket: WebSocketConstructor, at: string): Promise<HandServer> {
    const server = new HandServer(Socket, at);
    await new Promise<void>((resolve, reject) => {
      server.socket.onerror = () => reject(new Error(`no server by hand at ${at}`));
      server.socket.onmessage = ((event: { data: string | ArrayBuffer }) => server.heard(event.data, resolve)) as never;
    });
    return server;
  }

  private heard(data: string | ArrayBuffer, ready: () => void): void {
    if (typeof data !== "string") {
      const number = new DataView(data).getUint32(0);
      this.connections.get(number)?.received.push(new Uint8Array(data, 4));
      return;
    }
    const said = JSON.parse(data) as Record<string, never>;
    if (said.url !== undefined) {
      this.url = said.url;
      ready();
    } else if (said.came !== undefined) {
      const connection = new HandConnection(this, said.came);
      connection.protocols = said.protocols ?? [];
      this.connections.set(connection.number, connection);
      this.count += 1;
      this.came.push(connection);
    } else if (said.left !== undefined) {
      this.connections.get(said.left)?.leave({ code: said.code ?? 1006, reason: said.reason ?? "" });
    }
  }

  /** How many clients have come. */
  get connectionCount(): number {
    return this.count;
  }

  /** The next client that comes. */
  connection(): Promise<HandConnection> {
    return this.came.next();
  }

  /** The next client that comes, greeted. */
  async greeted(more: Greeting = {}): Promise<HandConnection> {
    const connection = await this.connection();
    connection.greet(more);
    return connection;
  }

  /** Which subprotocol handshakes select from now on; `null`: none. */
  select(protocol: string | null): void {
    this.tell(JSON.stringify({ do: "select", protocol }));
  }

  /** With which HTTP status handshakes are answered from now on. */
  answer(status: number): void {
    this.tell(JSON.stringify({ do: "answer", status }));
  }

  /** Handshakes are not answered from now on. */
  hold(): void {
    this.tell(JSON.stringify({ do: "hold" }));
  }

  /** Says something to the server's half. */
  tell(message: string | Uint8Array): void {
    this.socket.send(message);
  }

  /** Goes, with all connections. */
  end(): void {
    this.socket.close();
  }
}
