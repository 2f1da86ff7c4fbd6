// Server streams that end when a program has had enough of them.

import type { CallOptions } from "@connectrpc/connect";
import { onAsyncDispose } from "./dispose.js";

/** A stream that is being read; see {@link subscribe}. Read it once. */
export interface StreamSubscription<O> extends AsyncIterable<O>, AsyncDisposable {
  /**
   * Gives the call up: the server is told, and a loop that reads the stream ends without an error. Resolves at once where it has
   * ended already.
   */
  unsubscribe(): Promise<void>;
}

/**
 * Reads a server stream, or a bidirectional one, and really gives it up afterwards: by `unsubscribe`, by `await using`, or by
 * leaving the loop. Connect 2 does not tell a transport when a program leaves a `for await`, and so the call would run on without this.
 *
 * ```ts
 * await using prices = subscribe((options) => ticker.watch({ symbol: "ACME" }, options));
 * for await (const price of prices) {
 *   if (price.cents > 100n) break; // The call ends here, too.
 * }
 * ```
 *
 * `call` is called at once with the options to pass on; `options`, where given, are among them. Works with any Connect transport.
 * Reading throws the call's `ConnectError` when it fails.
 */
export function subscribe<O>(
  call: (options: CallOptions) => AsyncIterable<O>,
  options?: CallOptions,
): StreamSubscription<O> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  const outer = options?.signal;
  if (outer?.aborted) {
    controller.abort(outer.reason);
  } else {
    outer?.addEventListener("abort", () => controller.abort(outer.reason), { once: true, signal: controller.signal });
  }
  let given = false;
  /** What was asked of the call: its first answer, where it was given up before anybody read it. */
  let early: Promise<IteratorResult<O>> | undefined;
  let isRead = false;
  const iterator = call({ ...options, signal: controller.signal })[Symbol.asyncIterator]();
  // A call that fails and is not read is nobody's unhandled rejection.
  const hold = () => {
    if (isRead) return;
    isRead = true;
    early = iterator.next();
    early.catch(() => {});
  };
  if (controller.signal.aborted) hold();
  else controller.signal.addEventListener("abort", hold, { once: true });
  const end = async () => {
    given = true;
    stop();
  };
  const reader: AsyncIterator<O> = {
    async next() {
      if (given) return { done: true, value: undefined };
      const next = early ?? iterator.next();
      early = undefined;
      isRead = true;
      try {
        const result = await next;
        // The call is over: a signal that outlives it keeps nothing of it.
        if (result.done) stop();
        return result;
      } catch (error) {
        stop();
        if (given) return { done: true, value: undefined };
        throw error;
      }
    },
    async return() {
      await end();
      return { done: true, value: undefined };
    },
  };
  const subscription = { unsubscribe: end, [Symbol.asyncIterator]: () => reader };
  onAsyncDispose(subscription, end);
  return subscription as StreamSubscription<O>;
}
