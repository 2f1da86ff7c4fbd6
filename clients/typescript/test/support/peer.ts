// A server's end of the wire that keeps its own books: what it grants and what is granted to it, and that nobody takes more.

import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { type Frame, FrameSchema } from "../../src/gen/rpc/v1/frame_pb.js";
import { bytesOf, type FrameInit } from "./server.js";

const STREAM = 256 << 10;
const CONNECTION = 1 << 20;
export const FRAME_COST = 32;

interface Stream {
  /** Parts of the message that is coming, and whole messages. */
  parts: Uint8Array[];
  readonly messages: Uint8Array[];
  isOpen: boolean;
  halfClosed: boolean;
  /** What the client may still send, and what the server may. */
  granted: number;
  left: number;
  /** What is still to be sent. */
  readonly out: Uint8Array[];
  at: number;
  /** What was taken and not granted anew. */
  taken: number;
  begun: boolean;
}

/** Echoes what bidirectional calls send. It grants in its own time, and sends parts of a size that changes. */
export class Peer {
  readonly streams = new Map<number, Stream>();
  connectionGranted = CONNECTION;
  connectionLeft = CONNECTION;
  connectionTaken = 0;
  lastId = 0;
  most = 0;

  constructor(
    readonly limits: { readonly maxStreams: number; readonly maxFrameBodyBytes: number },
    readonly say: (message: Uint8Array<ArrayBuffer>) => void,
  ) {}

  greet(): void {
    const { maxStreams, maxFrameBodyBytes } = this.limits;
    const limits = { maxStreams: BigInt(maxStreams), maxFrameBodyBytes: BigInt(maxFrameBodyBytes) };
    this.#say({ kind: { case: "greeting", value: { limits } } });
  }

  #say(frame: FrameInit): void {
    this.say(bytesOf(frame));
  }

  hear(message: Uint8Array): void {
    const frame = fromBinary(FrameSchema, message);
    const id = Number(frame.streamId);
    const { kind } = frame;
    if (kind.case === "request") this.#onRequest(id, kind.value);
    else if (kind.case === "data") this.#onData(this.#stream(id), kind.value);
    else if (kind.case === "end") this.#onEnd(this.#stream(id));
    else if (kind.case === "credit") this.#onCredit(id, Number(kind.value.bytes));
    else if (kind.case === "reset") this.streams.delete(id);
    else assert.fail(`a client sends no ${kind.case} here`);
  }

  #stream(id: number): Stream {
    const stream = this.streams.get(id);
    assert.ok(stream, `stream ${id} is open`);
    return stream;
  }

  #onRequest(id: number, request: Extract<Frame["kind"], { case: "request" }>["value"]): void {
    assert.equal(id, this.lastId + 1, "ids count up");
    assert.ok(request.body.length <= this.limits.maxFrameBodyBytes, "bodies come in parts");
    this.lastId = id;
    const stream: Stream = {
      parts: [request.body],
      messages: [],
      isOpen: request.open,
      halfClosed: !request.open,
      granted: STREAM,
      left: STREAM,
      out: [],
      at: 0,
      taken: 0,
      begun: false,
    };
    this.streams.set(id, stream);
    this.most = Math.max(this.most, this.streams.size);
    assert.ok(this.streams.size <= this.limits.maxStreams, "no more streams are open than are allowed");
    if (request.body.length > 0) this.#take(request.body.length);
    if (request.open) {
      assert.equal(request.body.length, 0);
      stream.parts = [];
    } else if (!request.more) {
      this.#whole(stream);
    }
  }

  #take(cost: number): void {
    assert.ok(this.connectionGranted > 0, "the connection's window was open");
    this.connectionGranted -= cost;
    this.connectionTaken += cost;
  }

  #onData(stream: Stream, data: Extract<Frame["kind"], { case: "data" }>["value"]): void {
    const cost = data.body.length + FRAME_COST;
    assert.ok(stream.granted > 0, "the stream's window was open");
    stream.granted -= cost;
    stream.taken += cost;
    this.#take(cost);
    stream.parts.push(data.body);
    if (!data.more) this.#whole(stream);
  }

  #whole(stream: Stream): void {
    const message = Buffer.concat(stream.parts);
    stream.parts = [];
    stream.messages.push(message);
    stream.out.push(message);
  }

  #onEnd(stream: Stream): void {
    assert.ok(stream.isOpen && !stream.halfClosed, "a stream is half-closed once");
    assert.equal(stream.parts.length, 0, "and not within a message");
    stream.halfClosed = true;
  }

  #onCredit(id: number, bytes: number): void {
    if (id === 0) this.connectionLeft += bytes;
    else if (this.streams.has(id)) this.#stream(id).left += bytes;
  }

  /** Grants what was taken, somewhere. Whether there was something to grant. */
  grant(pick: (count: number) => number): boolean {
    const [id, stream] = [...this.streams][pick(this.streams.size)] ?? [];
    if (id !== undefined && stream && stream.taken > 0) {
      this.#say({ streamId: BigInt(id), kind: { case: "credit", value: { bytes: BigInt(stream.taken) } } });
      stream.granted += stream.taken;
      stream.taken = 0;
      return true;
    }
    if (this.connectionTaken === 0) return false;
    this.#say({ kind: { case: "credit", value: { bytes: BigInt(this.connectionTaken) } } });
    this.connectionGranted += this.connectionTaken;
    this.connectionTaken = 0;
    return true;
  }

  /** Sends a frame of some stream. Whether there was one to send. */
  send(pick: (count: number) => number): boolean {
    const ready = [...this.streams].filter(
      ([, stream]) => (stream.out.length > 0 && this.#maySend(stream)) || this.#isDone(stream),
    );
    const [id, stream] = ready[pick(ready.length)] ?? [];
    if (id === undefined || !stream) return false;
    const streamId = BigInt(id);
    if (stream.isOpen && !stream.begun) {
      stream.begun = true;
      this.#say({ streamId, kind: { case: "response", value: { open: true } } });
      return true;
    }
    const message = stream.out[0];
    if (!message) {
      this.#say({ streamId, kind: { case: "end", value: {} } });
      this.streams.delete(id);
      return true;
    }
    const body = message.subarray(stream.at, stream.at + 1 + pick(100_000));
    stream.at += body.length;
    const more = stream.at < message.length;
    const isFirst = !stream.isOpen && !stream.begun;
    this.connectionLeft -= body.length + (isFirst ? 0 : FRAME_COST);
    if (!isFirst) stream.left -= body.length + FRAME_COST;
    this.#say({ streamId, kind: { case: isFirst ? "response" : "data", value: { more, body } } });
    stream.begun = true;
    if (more) return true;
    stream.out.shift();
    stream.at = 0;
    if (!stream.isOpen) this.streams.delete(id);
    return true;
  }

  #maySend(stream: Stream): boolean {
    return this.connectionLeft > 0 && (stream.left > 0 || !stream.begun);
  }

  #isDone(stream: Stream): boolean {
    return stream.isOpen && (!stream.begun || (stream.halfClosed && stream.out.length === 0));
  }
}
