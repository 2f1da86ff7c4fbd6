// What a person sends on a stream, as the transport takes it.

/** So many messages wait for the transport to take them, which does so as the server reads. */
export const MOST_WAITING = 100;

export class Outbox<T> implements AsyncIterable<T> {
  readonly #waiting: T[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  /** `taken` is called each time that something was taken. */
  constructor(readonly taken: () => void) {}

  /** Nothing more may be put in for now. */
  get isFull(): boolean {
    return this.#waiting.length >= MOST_WAITING;
  }

  push(item: T): void {
    this.#waiting.push(item);
    this.#wake?.();
  }

  /** Nothing more comes behind what waits. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        this.taken();
        yield next;
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
