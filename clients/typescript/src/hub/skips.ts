// Events that are not for this client, because it has published them so: nobody waits for them.

import type { Position } from "./event.js";

/** So many are remembered of a channel. */
const MOST = 1_024;

/** Offsets of one history: in another they are those of other events. */
export class Skips {
  #epoch = 0n;
  readonly #offsets = new Set<bigint>();

  /** Remembers one. Of those that are forgotten for it the server is asked, as of any that are missing. */
  add({ epoch, offset }: Position): void {
    if (this.#epoch !== epoch || this.#offsets.size >= MOST) this.#offsets.clear();
    this.#epoch = epoch;
    this.#offsets.add(offset);
  }

  /** Whether all events between two are among them. */
  have({ epoch, offset: after }: Position, before: bigint): boolean {
    if (before - after > 1n && (epoch !== this.#epoch || before - after > BigInt(MOST))) return false;
    for (let offset = after + 1n; offset < before; offset += 1n) {
      if (!this.#offsets.has(offset)) return false;
    }
    return true;
  }
}
