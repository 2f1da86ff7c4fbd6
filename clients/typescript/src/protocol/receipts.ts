// What has come of the server's sequenced frames, and when it is told so.

import type { Frame } from "../gen/rpc/v1/frame_pb.js";

/** So many frames are acknowledged together ... */
const FRAMES_TOGETHER = 32;

/** ... or fewer, so long after the first of them, in milliseconds. */
const LONGEST_SILENCE = 1_000;

/**
 * Counts the server's sequenced frames since the session began, over all its connections. Those are events without a channel: frames of
 * calls would be where both sides kept them to be sent again, which this client does not offer.
 */
export class Receipts {
  #told: number;
  /** When the server is to be told, by this side's clock; `undefined`: it knows all. */
  deadline: number | undefined;

  constructor(public received: number) {
    this.#told = received;
  }

  /** A frame has come. Whether the server is to be told now. */
  onFrame(kind: Frame["kind"], now: number): boolean {
    if (kind.case !== "event" || kind.value.channel !== 0n) return false;
    this.received += 1;
    this.deadline ??= now + LONGEST_SILENCE;
    return this.received - this.#told >= FRAMES_TOGETHER;
  }

  /** The server is told. Gives the number to tell. */
  tell(): bigint {
    this.#told = this.received;
    this.deadline = undefined;
    return BigInt(this.received);
  }
}
