// How long a client waits before it comes back.

import type { ReconnectOptions } from "../options.js";
import type { Environment } from "./environment.js";

const FIRST = 200;
const LONGEST = 20_000;

/** The waits of one client, in milliseconds: full jitter above a floor. */
export class Backoff {
  /** Attempts in a row without success. */
  failed = 0;
  readonly #first: number;
  readonly #longest: number;
  readonly #attempts: number;

  constructor(
    options: ReconnectOptions | undefined,
    readonly world: Environment,
  ) {
    this.#first = Math.max(options?.firstMs ?? FIRST, 1);
    this.#longest = Math.max(options?.longestMs ?? LONGEST, this.#first);
    this.#attempts = options?.attempts ?? Number.POSITIVE_INFINITY;
  }

  /** Whether a lost connection is made again at all. */
  get comesBack(): boolean {
    return this.#attempts > 0;
  }

  /**
   * The wait before the next attempt; `undefined` when there are to be no more. `atLeast` is what the server asks for: it bounds the wait
   * below, and spreads it up to twice as long.
   */
  next(atLeast: number): number | undefined {
    if (this.failed >= this.#attempts) return undefined;
    this.failed += 1;
    const scale = this.world.isIdle() ? this.#longest : this.#first * 2 ** Math.min(this.failed, 30);
    const least = Math.min(atLeast, this.#longest);
    const most = Math.max(Math.min(scale, this.#longest), 2 * least);
    return this.#between(Math.max(this.#first, least), most);
  }

  /** A wait that is cut short, because there is new hope. */
  soon(): number {
    return this.#between(0, this.#first);
  }

  #between(least: number, most: number): number {
    return least + this.world.random() * Math.max(most - least, 0);
  }
}
