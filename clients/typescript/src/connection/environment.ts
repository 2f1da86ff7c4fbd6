// What a connection needs of the world around it: clocks, chance, and the page that it is in. Tests give it another one.

/** The world of a connection. */
export interface Environment {
  /** Milliseconds of a clock that nobody sets. */
  now(): number;
  /** The time of day, in milliseconds since the Unix epoch. */
  date(): number;
  /** From 0 to 1. */
  random(): number;
  /** Calls back later; gives what takes that back. */
  later(callback: () => void, ms: number): () => void;
  /** The page is hidden, or the network is known to be away: attempts to connect may be rare. */
  isIdle(): boolean;
  /**
   * Tells when the page becomes visible or the network comes back, and when the network seems to have gone. Gives what ends that.
   */
  watch(onWake: () => void, onDoubt: () => void): () => void;
}

/** No timer waits longer: browsers count milliseconds in 31 bits. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A browser's page or worker, or Node. */
export const WORLD: Environment = {
  now: () => performance.now(),
  date: () => Date.now(),
  random: () => Math.random(),
  later(callback, ms) {
    const timer = setTimeout(callback, Math.min(Math.max(ms, 0), LONGEST_TIMER));
    return () => clearTimeout(timer);
  },
  isIdle: () => globalThis.document?.visibilityState === "hidden" || globalThis.navigator?.onLine === false,
  watch(onWake, onDoubt) {
    if (typeof globalThis.addEventListener !== "function") return () => {};
    const controller = new AbortController();
    const { signal } = controller;
    globalThis.addEventListener("online", onWake, { signal });
    globalThis.addEventListener("offline", onDoubt, { signal });
    // A page that was frozen, or came out of the back-forward cache, is shown again too.
    globalThis.addEventListener("pageshow", onWake, { signal });
    const onVisible = () => globalThis.document.visibilityState === "visible" && onWake();
    globalThis.document?.addEventListener("visibilitychange", onVisible, { signal });
    return () => controller.abort();
  },
};
