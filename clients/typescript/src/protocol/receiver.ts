// What comes of calls: responses and messages of streams, put together of their parts as far as windows and limits go; and how calls are
// given up. It knows nothing of the connection's own frames.

import type { Data, End, Response } from "../gen/rpc/v1/frame_pb.js";
import type { Call } from "./call.js";
import { creditTo, type Flow, violated } from "./flow.js";
import { ended, type Incoming, RESOURCE_EXHAUSTED, unexpected } from "./frame.js";
import { allowsMetadata, DATA_FRAME_COST, DEFAULTS, toNumber } from "./limits.js";
import type { Sender } from "./sender.js";

const CANCELLED = 1;
const INTERNAL = 13;

/** The receiving half of a connection. */
export class Receiver {
  readonly #flow: Flow;
  readonly #sender: Sender;

  constructor(
    readonly maxBodyBytes: number,
    flow: Flow,
    sender: Sender,
  ) {
    this.#flow = flow;
    this.#sender = sender;
  }

  /** Gives a call up: it is told nothing more. It may have run. */
  cancel(call: Call, code = CANCELLED): void {
    if (call.phase === "pending") {
      this.#sender.pending = this.#sender.pending.filter((other) => other !== call);
      this.close(call);
    } else if (call.phase !== "over") {
      this.close(call);
      this.#sender.write(call.id, { case: "reset", value: { code } });
      this.#flow.widen();
      this.#sender.flush();
    }
  }

  /** The program has taken messages of a call that cost so much together. */
  consumed(call: Call, cost: number): void {
    const taken = Math.min(cost, call.unconsumed);
    call.unconsumed -= taken;
    this.#flow.release(taken);
    this.#widen(call);
    this.#flow.widen();
  }

  #widen(call: Call): void {
    const size = DEFAULTS.streamWindowBytes;
    const credit = creditTo(size - call.unconsumed, call.receiveWindow, size);
    if (credit > 0 && call.phase !== "over") {
      call.receiveWindow += credit;
      this.#sender.credit(call.id, credit);
    }
  }

  /** Forgets a call, with what it has waiting and what was not taken. */
  close(call: Call): void {
    call.phase = "over";
    this.#sender.open.delete(call.id);
    this.#sender.abandon(call);
    this.#flow.release(call.unconsumed, call.partBytes);
    call.unconsumed = 0;
    call.partBytes = 0;
    call.parts = undefined;
  }

  /** A frame of a stream has come; `call`: the one that the stream is of, unless that is over. */
  onFrame(frame: Incoming, call: Call | undefined): void {
    const { kind } = frame;
    switch (kind.case) {
      case "response":
        this.#onResponse(frame, kind.value, call);
        return;
      case "data":
        this.#onData(frame, kind.value, call);
        return;
      case "end":
        if (call) this.#onEnd(frame, kind.value, call);
        return;
      case "reset":
        if (call) {
          const tell = call.sending === "open";
          this.#sender.abandon(call);
          if (tell) call.events.onStopSending();
        }
        return;
      case "credit":
        if (call) {
          call.sendWindow = Math.min(call.sendWindow + toNumber(kind.value.bytes), Number.MAX_SAFE_INTEGER);
          this.#sender.turn(call);
        }
        return;
      case undefined:
        return;
      default:
        unexpected(frame);
    }
  }

  #onResponse(frame: Incoming, response: Response, call: Call | undefined): void {
    const { body, open, more } = response;
    if (body.length > 0) this.#flow.take(body.length);
    if (open && (more || body.length > 0)) unexpected(frame);
    if (call && call.phase !== "waiting") unexpected(frame);
    if (!call || !allowsMetadata(response.metadata) || !allowsMetadata(response.trailers)) {
      if (call) this.giveUp(call, RESOURCE_EXHAUSTED, "the metadata are longer than this client takes");
    } else if (open) {
      call.phase = "opened";
      call.events.onOpened(response);
    } else if (more) {
      call.phase = "assembling";
      call.response = response;
      this.#addPart(call, body, response.compression);
    } else if (this.#accepts(call, body.length, response.compression)) {
      this.close(call);
      call.events.onResponse(response);
    }
    this.#flow.widen();
  }

  #onData(frame: Incoming, data: Data, call: Call | undefined): void {
    const cost = data.body.length + DATA_FRAME_COST;
    if (call?.phase === "waiting") unexpected(frame);
    if (call) {
      if (call.receiveWindow <= 0) violated();
      call.receiveWindow -= cost;
    }
    this.#flow.take(cost);
    if (!call) {
      this.#flow.widen();
      return;
    }
    let body = data.body;
    if (data.more || call.parts) {
      if (!this.#addPart(call, body, data.compression)) return;
      if (data.more) {
        this.#widen(call);
        this.#flow.widen();
        return;
      }
      body = join(call.parts as Uint8Array[], call.partBytes);
      call.parts = undefined;
      call.partBytes = 0;
      this.#flow.complete(body.length);
    } else if (this.#accepts(call, body.length, data.compression)) {
      this.#flow.hold(cost);
    } else {
      return;
    }
    call.unconsumed += body.length + DATA_FRAME_COST;
    if (call.response) {
      // What the program is given with the outcome counts as taken.
      this.close(call);
      call.events.onResponse({ ...call.response, body });
    } else {
      call.events.onMessage(body, body.length + DATA_FRAME_COST);
    }
    this.#widen(call);
    this.#flow.widen();
  }

  /** Holds a part of a message. Whether it is wanted; else the call is over. */
  #addPart(call: Call, part: Uint8Array, compression: number): boolean {
    if (!this.#accepts(call, call.partBytes + part.length, compression)) return false;
    if (!this.#flow.holdPart(part.length)) {
      this.giveUp(call, RESOURCE_EXHAUSTED, "too many long messages come at a time for this client");
      return false;
    }
    call.parts ??= [];
    call.parts.push(part);
    call.partBytes += part.length;
    return true;
  }

  /** Whether a message of so many bytes is wanted; else the call is over. */
  #accepts(call: Call, length: number, compression: number): boolean {
    if (length > this.maxBodyBytes) {
      this.giveUp(call, RESOURCE_EXHAUSTED, `a message is longer than this client takes: ${this.maxBodyBytes} bytes`);
    } else if (compression !== 0) {
      this.giveUp(call, INTERNAL, "a message is compressed, which this client does not read");
    }
    return call.phase !== "over";
  }

  /** Gives a call up, and says why. */
  giveUp(call: Call, code: number, message: string): void {
    this.cancel(call, code);
    call.events.onEnd(ended(code, message), true);
  }

  #onEnd(frame: Incoming, end: End, call: Call): void {
    const { phase } = call;
    // A call may fail in the middle of a message, but not go well.
    if (call.parts && !end.status?.code) unexpected(frame);
    this.close(call);
    this.#flow.widen();
    if (!allowsMetadata(end.trailers)) {
      call.events.onEnd(ended(RESOURCE_EXHAUSTED, "the metadata are longer than this client takes"), true);
    } else if (phase !== "opened" && !end.status?.code) {
      call.events.onEnd(ended(INTERNAL, "the call ended without a response"), true);
    } else {
      call.events.onEnd(end);
    }
  }
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
