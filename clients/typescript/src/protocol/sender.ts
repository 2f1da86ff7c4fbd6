// What the client's end sends: calls in their order, messages of streams in turn, as far as the server and the socket let it.

import { Call } from "./call.js";
import type { Flow } from "./flow.js";
import { encode, ended, type FrameKind, RESOURCE_EXHAUSTED, UNAUTHENTICATED } from "./frame.js";
import {
  DATA_FRAME_COST,
  DEFAULTS,
  type PeerLimits,
  partBeside,
  UNAUTHENTICATED_MESSAGE_BYTES,
  whyTooLong,
} from "./limits.js";

/** Where frames go. */
export interface Output {
  /** Sends one WebSocket message. */
  write(message: Uint8Array<ArrayBuffer>): void;
  /** How many bytes may be written before those that were written have left. */
  room(): number;
  /** There is no room: `flush` is to be called when there is. */
  onBlocked(): void;
}

/** The sending half of a connection. */
export class Sender {
  /** Calls that were sent and are not over, by stream id. */
  readonly open = new Map<number, Call>();
  /** Calls that were not sent. */
  pending: Call[] = [];
  /** Whether calls may be sent: the server has greeted, and has not said that it goes away. */
  isOpen = false;
  /** The highest id that a stream was opened with. */
  lastId = 0;
  peer: PeerLimits = DEFAULTS;
  /** The server requires that somebody is known, and nobody is, or is about to be: it closes for good for what is long. */
  isUnknown = false;
  /** A pong that waits for room: one at most, whatever the server asks. */
  pong: bigint | undefined;

  /** Calls with something to send whose windows are open, in turn. */
  readonly #ready = new Set<Call>();

  constructor(
    readonly output: Output,
    readonly flow: Flow,
  ) {}

  write(streamId: number, kind: FrameKind): void {
    this.output.write(encode(streamId, kind));
  }

  /** Lets the server send so many bytes more, of a stream or (0) of all together. */
  credit(streamId: number, bytes: number): void {
    this.write(streamId, { case: "credit", value: { bytes: BigInt(bytes) } });
  }

  /** Makes a call, as soon as that is possible. */
  start(call: Call): void {
    this.pending.push(call);
    this.flush();
  }

  /** Sends a message of a call that is open: one at a time, `onWritable` says when there may be another. Why it is not, where it is too long. */
  send(call: Call, body: Uint8Array): string | undefined {
    if (call.sending !== "open") return undefined;
    const why = whyTooLong(body.length, 0, this.peer);
    if (why === undefined) {
      call.rest = body;
      call.queue(body.length);
      this.turn(call);
      this.flush();
    }
    return why;
  }

  /** Half-closes: the call sends no more, behind what waits. */
  finish(call: Call): void {
    if (call.sending !== "open") return;
    call.sending = "finishing";
    if (call.id > 0 && !call.rest) this.#halfClose(call);
  }

  #halfClose(call: Call): void {
    call.sending = "shut";
    this.write(call.id, { case: "end", value: {} });
  }

  /** Nothing more is sent for a call. */
  abandon(call: Call): void {
    this.#ready.delete(call);
    call.shut();
  }

  /** Puts a call into the line of those that send, if it belongs there. */
  turn(call: Call): void {
    if (call.id > 0 && call.rest && call.sendWindow > 0) this.#ready.add(call);
  }

  /** Writes what waits, as far as windows and room allow: calls in their order, and a frame of each stream in turn. */
  flush(): void {
    // For most frames that come there is nothing to say.
    if (this.pending.length === 0 && this.#ready.size === 0 && this.pong === undefined) return;
    for (let isNext = this.#flushOne(true); isNext; isNext = this.#flushOne(isNext !== "call")) {}
  }

  /** Writes one frame, of a new call or of a stream as asked, if there is one. What it was. */
  #flushOne(callFirst: boolean): "call" | "other" | undefined {
    const call = this.#mayOpen();
    const ready = this.flow.send > 0 ? this.#ready.values().next().value : undefined;
    if (!call && !ready && this.pong === undefined) return undefined;
    if (this.output.room() <= 0) {
      this.output.onBlocked();
      return undefined;
    }
    if (this.pong !== undefined) {
      this.write(0, { case: "pong", value: { payload: this.pong } });
      this.pong = undefined;
    } else if (call && (callFirst || !ready)) {
      this.pending.shift();
      this.#open(call);
      return "call";
    } else if (ready) {
      this.#writePart(ready);
    }
    return "other";
  }

  #mayOpen(): Call | undefined {
    const call = this.pending[0];
    if (!call || !this.isOpen || this.open.size >= this.peer.maxStreams) return undefined;
    return call.request.body.length === 0 || this.flow.send > 0 ? call : undefined;
  }

  #open(call: Call): void {
    const { method, metadata, body, open } = call.request;
    const id = this.lastId + 1;
    const timeoutUs = call.request.timeoutUs();
    const request = (part: Uint8Array) =>
      encode(id, {
        case: "request",
        value: { method, metadata, timeoutUs, open, more: part.length < body.length, body: part },
      });
    let part = body.subarray(0, this.peer.maxFrameBodyBytes);
    let frame = request(part);
    // A stream's first message may have waited for the connection, too.
    const first = call.rest && whyTooLong(call.rest.length, 0, this.peer);
    if (first) {
      this.#refuse(call, RESOURCE_EXHAUSTED, first);
      return;
    }
    const { maxBodyBytes, maxMessageBytes } = this.peer;
    if (part.length < body.length || body.length > maxBodyBytes || frame.length > maxMessageBytes) {
      const fields = frame.length - part.length;
      const why = whyTooLong(body.length, fields, this.peer);
      if (why) {
        this.#refuse(call, RESOURCE_EXHAUSTED, why);
        return;
      }
      part = body.subarray(0, partBeside(fields, this.peer));
      frame = request(part);
    }
    if (this.isUnknown && frame.length > UNAUTHENTICATED_MESSAGE_BYTES) {
      const why = "the server requires a token before calls, and such a long one would end the connection";
      this.#refuse(call, UNAUTHENTICATED, why);
      return;
    }
    this.lastId = id;
    call.id = id;
    call.phase = "waiting";
    call.sendWindow = this.peer.streamWindowBytes;
    this.open.set(id, call);
    this.flow.send -= part.length;
    call.queue(-Call.cost({ body: part }));
    this.output.write(frame);
    if (part.length < body.length) call.rest = body.subarray(part.length);
    if (call.rest) this.turn(call);
    else if (call.sending === "finishing") this.#halfClose(call);
  }

  /** Ends a call that was not sent. */
  #refuse(call: Call, code: number, why: string): void {
    call.phase = "over";
    call.shut();
    call.events.onEnd(ended(code, why));
  }

  #writePart(call: Call): void {
    this.#ready.delete(call);
    const rest = call.rest as Uint8Array;
    const part = rest.subarray(0, this.isUnknown ? UNAUTHENTICATED_MESSAGE_BYTES / 2 : partBeside(0, this.peer));
    const more = part.length < rest.length;
    const cost = part.length + DATA_FRAME_COST;
    call.sendWindow -= cost;
    this.flow.send -= cost;
    call.queue(-part.length);
    call.rest = more ? rest.subarray(part.length) : undefined;
    this.write(call.id, { case: "data", value: { more, body: part } });
    if (more) {
      this.turn(call);
    } else if (call.sending === "finishing") {
      this.#halfClose(call);
    } else if (call.sending === "open") {
      call.events.onWritable();
    }
  }
}
