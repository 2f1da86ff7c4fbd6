// What has come of the server's sequenced frames, and when it is told so.

import type { Frame } from "../gen/rpc/v1/frame_pb.js";

/** So many frames are acknowledged together ... */
const FRAMES_TOGETHER = 32;

/** ... or fewer, so long after the first of them, in milliseconds. */
const LONGEST_SILENCE = 1_000;

const OF_CALLS = ["request", "response", "data", "end", "reset", "credit"];

/** Counts the server's sequenced frames since the session began, over all its connections. */
export class Receipts {
  #told: number;
  #bytes = 0;
  /** When the server is to be told, by this side's clock; `undefined`: it knows all. */
  deadline: number | undefined;

  /** `replayBytes`: what the server keeps of frames of calls, 0: only events without a channel are counted. */
  constructor(
    readonly replayBytes: number,
    public received: number,
  ) {
    this.#told = received;
  }

  /** A frame has come, in a message of so many bytes. Whether the server is to be told now. */
  onFrame(kind: Frame["kind"], length: number, now: number): boolean {
    const counts = kind.case === "event" ? !kind.value.channel : this.replayBytes > 0 && OF_CALLS.includes(kind.case ?? "");
    if (!counts) return false;
    this.received += 1;
    this.#bytes += length;
    this.deadline ??= now + LONGEST_SILENCE;
    return this.received - this.#told >= FRAMES_TOGETHER || (this.replayBytes > 0 && this.#bytes >= this.replayBytes / 4);
  }

  /** The server is told. Gives the number to tell. */
  tell(): bigint {
    this.#told = this.received;
    this.#bytes = 0;
    this.deadline = undefined;
    return BigInt(this.received);
  }
}
