// What is to be done with a connection, and waits for one: whoever asks whether it is open, and tokens that a program shows.

import { ConnectError } from "@connectrpc/connect";
import type { Link } from "./link.js";

/** One who waits. */
interface Waiter {
  readonly open: (link: Link) => void;
  readonly fail: (reason: ConnectError) => void;
}

/** Those who wait. They go ahead of calls that wait. */
export class Awaiting {
  readonly #waiters = new Set<Waiter>();

  /**
   * Does something with the connection, `now`: at once where there is one, else when there is. Rejects when it is closed for good, which
   * it may be now, or as soon as one of the signals aborts: what has not begun does not begin then.
   */
  add<T>(
    work: (link: Link) => Promise<T>,
    signals: readonly (AbortSignal | undefined)[],
    now: Link | ConnectError | undefined,
  ): Promise<T> {
    const settled = new AbortController();
    return new Promise<T>((resolve, reject) => {
      const waiter: Waiter = { open: (link) => void work(link).then(resolve, reject), fail: reject };
      for (const signal of signals) {
        const abort = () => {
          this.#waiters.delete(waiter);
          reject(signal?.reason);
        };
        if (signal?.aborted) return abort();
        signal?.addEventListener("abort", abort, { signal: settled.signal });
      }
      if (now instanceof ConnectError) reject(now);
      else if (now) waiter.open(now);
      else this.#waiters.add(waiter);
    }).finally(() => settled.abort());
  }

  /** There is a connection. */
  open(link: Link): void {
    for (const waiter of [...this.#waiters]) this.#waiters.delete(waiter) && waiter.open(link);
  }

  /** There will be none. */
  fail(reason: ConnectError): void {
    for (const waiter of [...this.#waiters]) this.#waiters.delete(waiter) && waiter.fail(reason);
  }
}
