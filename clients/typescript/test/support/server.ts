// A server that does what a test says, frame by frame, at the other end of WebSockets that are none.

import assert from "node:assert/strict";
import { after } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Connection } from "../../src/connection/connection.js";
import { type Frame, FrameSchema, type GreetingSchema } from "../../src/gen/rpc/v1/frame_pb.js";
import type { WebSocketLike, WebSocketTransportOptions } from "../../src/options.js";
import { settled, World } from "./world.js";

export type FrameInit = MessageInitShape<typeof FrameSchema>;
export type Kind = NonNullable<Frame["kind"]["case"]>;

export function bytesOf(frame: FrameInit): Uint8Array<ArrayBuffer> {
  return toBinary(FrameSchema, create(FrameSchema, frame));
}

/** One connection, seen from the server. */
export class Socket implements WebSocketLike {
  binaryType = "blob";
  bufferedAmount = 0;
  protocol = "";
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  /** With what the client has closed it. */
  closed: { code: number | undefined; reason: string | undefined } | undefined;
  /** What the client has sent and the test has not looked at. */
  received: Frame[] = [];

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {}

  send(data: Uint8Array<ArrayBuffer>): void {
    this.received.push(fromBinary(FrameSchema, data));
  }

  close(code?: number, reason?: string): void {
    this.closed ??= { code, reason };
  }

  /** Accepts the connection and greets. */
  async greet(greeting: MessageInitShape<typeof GreetingSchema> = {}): Promise<void> {
    this.open();
    await this.say({ kind: { case: "greeting", value: { clientId: "me", ...greeting } } });
  }

  open(): void {
    this.protocol = "rpc.v1";
    this.onopen?.({} as never);
  }

  async say(...frames: FrameInit[]): Promise<void> {
    for (const frame of frames) this.onmessage?.({ data: bytesOf(frame).buffer } as never);
    await settled();
  }

  async drop(code = 1006, reason = ""): Promise<void> {
    this.onclose?.({ code, reason } as never);
    await settled();
  }

  /** The next frame of a kind; those before it are forgotten. */
  next<Case extends Kind>(kind: Case): { id: number; value: Extract<Frame["kind"], { case: Case }>["value"] } {
    const at = this.received.findIndex((frame) => frame.kind.case === kind);
    assert.notEqual(
      at,
      -1,
      `the client has sent no ${kind}, but ${this.received.map((frame) => frame.kind.case).join(", ")}`,
    );
    const [frame] = this.received.splice(0, at + 1).slice(-1) as [Frame];
    return { id: Number(frame.streamId), value: frame.kind.value as never };
  }

  /** The kinds of what the client has sent and the test has not looked at. */
  kinds(): (Kind | undefined)[] {
    return this.received.map((frame) => frame.kind.case);
  }
}

const scenes = new Set<Scene>();

// A call that is never answered would keep the process for as long as its timeout is.
after(() => {
  for (const { connection } of scenes) connection.close(1000, "");
});

/** A connection, the world that it is in, and the sockets that it has made. */
export class Scene {
  readonly world = new World();
  readonly sockets: Socket[] = [];
  readonly connection: Connection;
  /** The states that it was in. */
  readonly states: string[] = [];

  constructor(options: Partial<WebSocketTransportOptions> = {}) {
    const { sockets } = this;
    class Made extends Socket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    }
    this.connection = new Connection("ws://test/rpc", { url: "ws://test/rpc", ...options }, Made, this.world);
    this.connection.events.on("state", ({ status }) => this.states.push(status));
    scenes.add(this);
  }

  /** The connection that was made last. */
  get socket(): Socket {
    return this.sockets.at(-1) as Socket;
  }

  /** A scene whose first connection is open. */
  static async open(
    options: Partial<WebSocketTransportOptions> = {},
    greeting: MessageInitShape<typeof GreetingSchema> = {},
  ): Promise<Scene> {
    const scene = new Scene(options);
    await settled();
    await scene.socket.greet(greeting);
    return scene;
  }

  /** The connection is lost, and made again. */
  async comeBack(code = 1006, greeting: MessageInitShape<typeof GreetingSchema> = {}): Promise<void> {
    const before = this.sockets.length;
    await this.socket.drop(code);
    for (let wait = 0; wait < 40_000 && this.sockets.length === before; wait += 50) await this.world.pass(50);
    assert.equal(this.sockets.length, before + 1, "the client has come back");
    await this.socket.greet(greeting);
  }
}
