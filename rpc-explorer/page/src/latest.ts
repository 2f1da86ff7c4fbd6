// The latest of many, as far as there is room for them.

export class Latest<Item extends { readonly size: number }> {
  /** From the oldest that is kept. */
  readonly items: Item[] = [];
  #bytes = 0;

  /** So many are kept, as long as they are no more than so many bytes together. */
  constructor(
    readonly most: number,
    readonly mostBytes: number,
  ) {}

  /** Adds one, which is kept however large it is. Gives those for which there is no room any more. */
  add(item: Item): Item[] {
    this.items.push(item);
    this.#bytes += item.size;
    const left: Item[] = [];
    while (this.items.length > this.most || (this.#bytes > this.mostBytes && this.items.length > 1)) {
      const oldest = this.items.shift() as Item;
      this.#bytes -= oldest.size;
      left.push(oldest);
    }
    return left;
  }

  clear(): void {
    this.items.length = 0;
    this.#bytes = 0;
  }
}
