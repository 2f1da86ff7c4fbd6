// What crosses the wire of one endpoint: each frame that is sent and comes, the latest ones.

import { fromBinary } from "@bufbuild/protobuf";
import type { WebSocketConstructor } from "rpc-websocket";
import { type Frame, FrameSchema } from "rpc-websocket/protos/v1/frame";
import { Latest } from "../latest.js";

/** So many are kept. */
export const MOST_FRAMES = 500;

/** Those that are kept have no more bytes than this. */
const MOST_BYTES = 4 << 20;

/** Frames that have tokens in them, and in which field. */
export const SECRETS: ReadonlyMap<string, string> = new Map([
  ["authenticate", "credential"],
  ["greeting", "resumeToken"],
  ["identity", "resumeToken"],
]);

/** A frame that crossed the wire, or what became of the connection. */
export interface Crossing {
  readonly number: number;
  /** `out` was sent, `in` has come, `none` is said of the connection. */
  readonly direction: "out" | "in" | "none";
  /** Such as `request`; of the connection, what became of it. */
  readonly kind: string;
  /** The call that it belongs to; 0 for the connection's own. */
  readonly stream: bigint;
  /** Of which connection: streams of another one have other meanings. */
  readonly connection: number;
  readonly at: Date;
  /** In bytes; 0 of the connection. */
  readonly size: number;
  /** `undefined`: it does not decode, or it is none. */
  readonly frame: Frame | undefined;
  /** As it crossed; `undefined` where it is none, or something in it is secret. */
  readonly bytes: Uint8Array | undefined;
}

/** A call on the wire. */
export interface Stream {
  readonly connection: number;
  readonly stream: bigint;
}

/** Who makes a call, and is told of it as it crosses. */
export interface Caller {
  /** It has left as this stream. It does so again where it is sent again over another connection. */
  left(stream: Stream): void;
  /** A message has come for it, of so many bytes. */
  came(size: number): void;
}

/** A call that goes on. */
interface Awaited {
  readonly method: bigint;
  readonly caller: Caller;
  /** How it was sent last, if it was. */
  stream: Stream | undefined;
  /** Of a message that has come in part, in bytes. */
  size: number;
}

type Listener = () => void;

/** A record of one endpoint's frames. */
export class Wire {
  readonly #crossings = new Latest<Crossing>(MOST_FRAMES, MOST_BYTES);
  /** How many there were, with those that are not kept any more. */
  total = 0;
  readonly #listeners = new Set<Listener>();
  #connections = 0;
  /** Those ahead were begun first. */
  readonly #awaited = new Set<Awaited>();

  /** Makes WebSockets whose frames are recorded here. */
  readonly webSocket: WebSocketConstructor;

  constructor() {
    const wire = this;
    this.webSocket = class extends WebSocket {
      readonly #connection: number;

      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        wire.#connections += 1;
        this.#connection = wire.#connections;
        this.addEventListener("open", () => wire.#say(this.#connection, "opened"));
        this.addEventListener("close", ({ code, reason }) => {
          wire.#say(this.#connection, `closed ${code}${reason === "" ? "" : ` ${reason}`}`);
        });
        this.addEventListener("message", ({ data }) => {
          if (data instanceof ArrayBuffer) wire.#record(this.#connection, "in", new Uint8Array(data));
        });
      }

      override send(data: Uint8Array<ArrayBuffer>): void {
        super.send(data);
        wire.#record(this.#connection, "out", data);
      }
    } as unknown as WebSocketConstructor;
  }

  /** Those that are kept, from the oldest. */
  get crossings(): readonly Crossing[] {
    return this.#crossings.items;
  }

  /** Calls back after each change; returns what ends that. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Tells of the next call of a method: which stream it has, and what comes for it. Calls of one method leave in the order in which they
   * are made. Returns what ends that.
   */
  await(method: bigint, caller: Caller): () => void {
    const call: Awaited = { method, caller, stream: undefined, size: 0 };
    this.#awaited.add(call);
    return () => this.#awaited.delete(call);
  }

  clear(): void {
    this.#crossings.clear();
    this.#tell();
  }

  #say(connection: number, kind: string): void {
    this.#add({ connection, direction: "none", kind, stream: 0n, size: 0, frame: undefined, bytes: undefined });
  }

  #record(connection: number, direction: "out" | "in", bytes: Uint8Array): void {
    let frame: Frame | undefined;
    try {
      frame = fromBinary(FrameSchema, bytes);
    } catch {
      // What does not decode is shown as that.
    }
    const { kind, streamId } = frame ?? { kind: undefined, streamId: 0n };
    if (frame && direction === "out") this.#leaves(connection, frame);
    if (frame && direction === "in") this.#comes(connection, frame);
    const name = frame ? (kind?.case ?? "unknown") : "not a frame";
    const kept = SECRETS.has(name) ? undefined : bytes.slice();
    this.#add({ connection, direction, kind: name, stream: streamId, size: bytes.length, frame, bytes: kept });
  }

  #leaves(connection: number, { kind, streamId: stream }: Frame): void {
    if (kind.case !== "request") return;
    const { method } = kind.value;
    for (const call of this.#awaited) {
      if (call.method !== method || call.stream?.connection === connection) continue;
      call.stream = { connection, stream };
      call.size = 0;
      call.caller.left(call.stream);
      return;
    }
  }

  #comes(connection: number, { kind, streamId }: Frame): void {
    // The response that opens a stream has no message.
    if (kind.case !== "data" && !(kind.case === "response" && !kind.value.open)) return;
    for (const call of this.#awaited) {
      if (call.stream?.connection !== connection || call.stream.stream !== streamId) continue;
      call.size += kind.value.body.length;
      if (kind.value.more) return;
      call.caller.came(call.size);
      call.size = 0;
    }
  }

  #add(crossing: Omit<Crossing, "number" | "at">): void {
    this.total += 1;
    this.#crossings.add({ ...crossing, number: this.total, at: new Date() });
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
