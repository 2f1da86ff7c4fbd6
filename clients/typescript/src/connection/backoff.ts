// How long a client waits before it comes back.

import type { ReconnectOptions } from "../options.js";
import type { Environment } from "./environment.js";

const FIRST = 200;
const LONGEST = 20_000;

/** The waits of one client, in milliseconds: full jitter above a floor. */
export class Backoff {
  /** Attempts in a row without success. */
  failed = 0;
  /** The server asks not to come back before. */
  #notBefore = 0;
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
    const wait = this.#between(Math.max(this.#first, least), most);
    this.#notBefore = this.world.now() + Math.min(atLeast, wait);
    return wait;
  }

  /** A wait that is cut short, because there is new hope. A server that drains has asked everybody to wait, also those who look. */
  soon(): number {
    return Math.max(this.#between(0, this.#first), this.#notBefore - this.world.now());
  }

  #between(least: number, most: number): number {
    return least + this.world.random() * Math.max(most - least, 0);
  }
}
