// The connection's own windows.

import { CloseCode, ConnectionFault } from "./close.js";
import { DATA_FRAME_COST, DEFAULTS } from "./limits.js";

/** The server sent although a window was shut. */
export function violated(): never {
  throw new ConnectionFault(CloseCode.protocolViolated, "the server has sent more than it was granted");
}

/** What a window is to be widened by to reach `target`, once that is worth a frame: half of its size. */
export function creditTo(target: number, left: number, size: number): number {
  return target - left >= size / 2 ? target - left : 0;
}

/**
 * The connection's windows. What came is *held* until the program has taken it: near `maxHeld` the window closes, and so what is held
 * never exceeds that by more than one frame.
 */
export class Flow {
  /** What may be sent. */
  send = DEFAULTS.connectionWindowBytes;
  #receive = DEFAULTS.connectionWindowBytes;
  #held = 0;
  /** Of that, what is of messages that are not whole. */
  #partial = 0;

  constructor(
    readonly maxHeld: number,
    readonly credit: (bytes: number) => void,
  ) {}

  /** A frame with a body has come. */
  take(cost: number): void {
    if (this.#receive <= 0) violated();
    this.#receive -= cost;
  }

  hold(bytes: number): void {
    this.#held += bytes;
  }

  /** Whether there is room for a part of a message, which is then held. Whole messages have the other half for themselves. */
  holdPart(bytes: number): boolean {
    if (this.#partial + bytes > this.maxHeld / 2) return false;
    this.#partial += bytes;
    this.#held += bytes;
    return true;
  }

  /** A message in parts is whole: it is held as others are. */
  complete(bytes: number): void {
    this.#partial -= bytes;
    this.#held += DATA_FRAME_COST;
  }

  /** What was held was taken, or is not wanted any more. */
  release(whole: number, partial = 0): void {
    this.#held -= whole + partial;
    this.#partial -= partial;
  }

  /** Gives credit where it is worth a frame. */
  widen(): void {
    const size = DEFAULTS.connectionWindowBytes;
    const credit = creditTo(Math.min(size, this.maxHeld - this.#held), this.#receive, size);
    if (credit > 0) {
      this.#receive += credit;
      this.credit(credit);
    }
  }
}
