// A world whose clock stands still until a test moves it, and whose chance is what the test says.

import type { Environment } from "../../src/connection/environment.js";

/** Lets everything run that promises have waiting: all of that comes before the next turn of the event loop. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class World implements Environment {
  time = 0;
  chance = 0.5;
  idle = false;
  onWake = () => {};
  onDoubt = () => {};
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  now = () => this.time;
  date = () => 1_000_000 + this.time;
  random = () => this.chance;
  isIdle = () => this.idle;

  later = (callback: () => void, ms: number) => {
    const timer = { at: this.time + Math.max(ms, 0), callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  watch = (onWake: () => void, onDoubt: () => void) => {
    Object.assign(this, { onWake, onDoubt });
    return () => Object.assign(this, { onWake: () => {}, onDoubt: () => {} });
  };

  /** Moves the clock, and calls what is due on the way, in its order. */
  async pass(ms: number): Promise<void> {
    const until = this.time + ms;
    for (;;) {
      await settled();
      const next = [...this.#timers].sort((one, other) => one.at - other.at)[0];
      if (!next || next.at > until) break;
      this.#timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.callback();
    }
    this.time = until;
    await settled();
  }

  get timers(): number {
    return this.#timers.size;
  }
}
