// Keeps a client known on a live connection: shows a fresh token when the server warns that the identity ends.

import type { Credentials } from "./credentials.js";
import type { Environment } from "./environment.js";

/** The wait after a refresh that failed, and between two of them in any case, in milliseconds ... */
const FIRST = 1_000;

/** ... which doubles up to this, as long as the connection lives. */
const LONGEST = 30_000;

/** Shows fresh tokens on one connection. */
export class Refresher {
  #isRunning = false;
  /** The server has warned, and nothing was accepted since. */
  #isWarned = false;
  #wake = () => {};

  constructor(
    readonly credentials: Credentials,
    readonly world: Environment,
    /** Whether the connection is still the one that counts. */
    readonly lives: () => boolean,
    readonly show: (token: string) => Promise<unknown>,
    readonly onError: (error: unknown) => void,
  ) {}

  /** The server has warned: shows a fresh token, as often as it takes. */
  async run(): Promise<void> {
    this.#isWarned = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (let wait = FIRST; this.#isWarned && this.lives() && this.credentials.isAsked; ) {
      try {
        const token = await this.credentials.fresh();
        if (token && this.lives()) await this.show(token);
        this.#isWarned = false;
        wait = FIRST;
      } catch (error) {
        if (this.lives()) this.onError(error);
      }
      // A server that warns without end is not answered without end.
      await this.#pause(wait);
      wait = Math.min(2 * wait, LONGEST);
    }
    this.#isRunning = false;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.world.later(resolve, ms);
      this.#wake = () => {
        stop();
        resolve();
      };
    });
  }

  /** The connection is gone: nothing is waited for any more. */
  stop(): void {
    this.#wake();
  }
}
