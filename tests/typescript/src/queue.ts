// What comes before it is asked for, and the other way round.

/** Gives what is pushed, in order, to whoever asks. */
export class Queue<T> {
  private readonly values: T[] = [];
  private readonly waiting: ((value: T) => void)[] = [];

  push(value: T): void {
    const waiting = this.waiting.shift();
    if (waiting) waiting(value);
    else this.values.push(value);
  }

  next(): Promise<T> {
    if (this.values.length > 0) return Promise.resolve(this.values.shift() as T);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** How many wait to be asked for. */
  get length(): number {
    return this.values.length;
  }
}
