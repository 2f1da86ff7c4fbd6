// Callbacks by name.

/** Reports what a callback has thrown, as an uncaught error is reported; the others are called all the same. */
export function guarded(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    if (typeof reportError === "function") reportError(error);
    else
      queueMicrotask(() => {
        throw error;
      });
  }
}

/** Callbacks by name, each of which may be there once. */
export class Emitter<Events> {
  readonly #callbacks = new Map<unknown, Set<(...values: never[]) => void>>();

  /** Adds a callback; gives what takes it off again. */
  on<Name extends keyof Events>(name: Name, callback: (value: Events[Name]) => void): () => void {
    return this.add(name, callback);
  }

  /** The same for any key. */
  add(key: unknown, callback: (...values: never[]) => void): () => void {
    const callbacks = this.#callbacks.get(key) ?? new Set();
    this.#callbacks.set(key, callbacks.add(callback));
    return () => this.off(key, callback);
  }

  off(key: unknown, callback: (...values: never[]) => void): void {
    const callbacks = this.#callbacks.get(key);
    callbacks?.delete(callback);
    if (callbacks?.size === 0) this.#callbacks.delete(key);
  }

  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    this.call(name, value);
  }

  /** Calls everything that is there under a key now, with some values. */
  call(key: unknown, ...values: unknown[]): void {
    for (const callback of [...(this.#callbacks.get(key) ?? [])]) guarded(() => callback(...(values as never[])));
  }

  /** Whether there is a callback under a key. */
  has(key: unknown): boolean {
    return this.#callbacks.has(key);
  }

  get isEmpty(): boolean {
    return this.#callbacks.size === 0;
  }
}
