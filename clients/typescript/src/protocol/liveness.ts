// Whether the server is still there.

import { CloseCode, ConnectionFault } from "./close.js";

/** How long the answer to a ping may take, in milliseconds. */
export const PONG_WITHIN = 10_000;

/** A timer that comes so much too late was held up by a page that slept: what the server has sent may not be read yet. */
const SLEPT = 5_000;

/** More pings in ten seconds are a flood. */
const MOST_PINGS = 10;

/**
 * Sends a ping after a time of silence, and gives the server up when that is not answered.
 *
 * ```text
 *   listening ── silent for the interval: ping ──▶ waiting ── `PONG_WITHIN` ──▶ gone
 *       ▲                                            │
 *       └─────────────── any message ────────────────┘
 * ```
 */
export class Liveness {
  #heard: number;
  #pinged: number | undefined;
  /** The last ping was held up, and the one before it got no answer in its time. */
  #isExcused = false;
  #pings: number[] = [];

  constructor(
    readonly interval: number,
    now: number,
  ) {
    this.#heard = now;
  }

  onMessage(now: number): void {
    this.#heard = now;
    this.#pinged = undefined;
    this.#isExcused = false;
  }

  /** The server has sent a ping; throws where it floods. */
  onPing(now: number): void {
    this.#pings = this.#pings.filter((at) => at > now - 10_000);
    if (this.#pings.push(now) > MOST_PINGS) throw new ConnectionFault(CloseCode.tooMuch, "too many pings");
  }

  /** When {@link onTimeout} has something to do. */
  get deadline(): number {
    return this.#pinged === undefined ? this.#heard + this.interval : this.#pinged + PONG_WITHIN;
  }

  /** Asks now, unless it was asked already: something suggests that the network is gone. Whether a ping is to be sent. */
  probe(now: number): boolean {
    if (this.#pinged !== undefined) return false;
    this.#pinged = now;
    return true;
  }

  /** Whether a ping is to be sent; throws when the server is gone. */
  onTimeout(now: number): boolean {
    const late = now - this.deadline;
    if (late < 0) return false;
    if (this.#pinged !== undefined) {
      // Timers of a tab that is hidden for long always come late: it is asked again once.
      if (late < SLEPT || this.#isExcused) throw new ConnectionFault(CloseCode.abnormal, "the server does not answer");
      this.#isExcused = true;
    }
    this.#pinged = now;
    return true;
  }
}
