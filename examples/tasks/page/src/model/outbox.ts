// Sends what is done to a list, one change after the other, and decides what becomes of one that fails.
//
// It knows neither the connection nor the page: it is told when the list is live, and given the calls and a clock.

import type { Board, Change, Pending, Task } from "./board.js";

/**
 * The calls of the task service, as far as a list needs them. They reject with the errors that `judge` reads, also when the signal is
 * aborted.
 */
export interface Calls {
  /** Gives the id of the new task. */
  add(label: string, checked: boolean, signal: AbortSignal): Promise<string>;
  update(task: Task, signal: AbortSignal): Promise<void>;
  remove(id: string, signal: AbortSignal): Promise<void>;
}

/** What an error means for a change. */
export type Verdict =
  /** The connection was lost, or the server is not there for it now. `unsure`: it may have been done. */
  | { readonly kind: "again"; readonly unsure: boolean }
  /** The server asks to wait. */
  | { readonly kind: "later"; readonly afterMs: number }
  /** The login has ended. */
  | { readonly kind: "login" }
  /** There is one with this label; there is no such task. */
  | { readonly kind: "exists" | "missing" }
  | { readonly kind: "refused" };

/** What a list needs of the world. */
export interface OutboxHost {
  readonly calls: Calls;
  judge(error: unknown): Verdict;
  /** The list is to be shown anew. */
  changed(): void;
  /** A change was not made to the task of this label, and the list is as it was before. `error` is `undefined` where the task is gone. */
  refused(change: Change, label: string, error: unknown): void;
  /** The server asks to wait before the next change. */
  asksToWait(afterMs: number): void;
  /** Nothing is sent until there is a login again. */
  needsLogin(): void;
  /** Calls `then` later; gives what stops that. */
  after(ms: number, then: () => void): () => void;
}

/** How long to wait before a server that is there but does not serve is asked again, the first time and at most. */
const PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 20_000;

export class Outbox {
  readonly #board: Board;
  readonly #host: OutboxHost;
  /**
   * There is one while the list is live. It is aborted when that ends, so that no call outlives the connection and the identity that
   * it was made for: what has come of it is seen in the list when that is live again.
   */
  #live: AbortController | undefined;
  #sending = false;
  #pauses = 0;
  #stopPause: (() => void) | undefined;

  constructor(board: Board, host: OutboxHost) {
    this.#board = board;
    this.#host = host;
  }

  /** Does something to the list: it is shown at once, and sent when it can be. */
  make(change: Change): void {
    if (change.kind !== "remove" || !this.#board.withdraw(change.key)) this.#board.make(change);
    this.#host.changed();
    this.#go();
  }

  /** The list is live: everything that was missed has been heard, and calls are answered. */
  resume(): void {
    this.#live ??= new AbortController();
    this.#pauses = 0;
    this.#endPause();
    this.#go();
  }

  /** The list is not live: nothing is sent, and nobody waits for what is on its way. */
  pause(): void {
    this.#live?.abort();
    this.#live = undefined;
    this.#endPause();
  }

  #go(): void {
    if (!this.#live || this.#sending || this.#stopPause) return;
    const pending = this.#board.next();
    if (!pending) return;
    this.#sending = true;
    void this.#send(pending, this.#live.signal).finally(() => {
      this.#sending = false;
      this.#host.changed();
      this.#go();
    });
  }

  async #send(pending: Pending, signal: AbortSignal): Promise<void> {
    const wasUnsure = pending.stage === "unsure";
    try {
      const call = this.#call(pending, signal);
      if (!call) {
        this.#refuse(pending, undefined);
        return;
      }
      pending.stage = "sent";
      const id = await call();
      this.#pauses = 0;
      this.#board.answered(pending, id);
    } catch (error) {
      this.#failed(pending, wasUnsure, error);
    }
  }

  /** The call for a change; `undefined` where its task is gone. */
  #call(pending: Pending, signal: AbortSignal): (() => Promise<string | undefined>) | undefined {
    const { calls } = this.#host;
    const { change } = pending;
    if (change.kind === "add") return () => calls.add(change.label, change.checked, signal);
    if (change.kind === "remove") {
      const id = this.#board.idOf(change.key);
      return id === undefined ? undefined : async () => void (await calls.remove(id, signal));
    }
    const task = this.#board.wanted(pending);
    return task && (async () => void (await calls.update(task, signal)));
  }

  #failed(pending: Pending, wasUnsure: boolean, error: unknown): void {
    const { change } = pending;
    const verdict = this.#host.judge(error);
    switch (verdict.kind) {
      case "again":
        pending.stage = wasUnsure || verdict.unsure ? "unsure" : "waiting";
        this.#pause(Math.min(PAUSE_MS * 2 ** this.#pauses, LONGEST_PAUSE_MS));
        this.#pauses += 1;
        return;
      case "later":
        pending.stage = wasUnsure ? "unsure" : "waiting";
        this.#pause(verdict.afterMs);
        this.#host.asksToWait(verdict.afterMs);
        return;
      case "login":
        pending.stage = wasUnsure ? "unsure" : "waiting";
        this.pause();
        this.#host.needsLogin();
        return;
      case "exists":
        // It was done the first time, before the connection was lost: labels are unique.
        if (wasUnsure && change.kind === "add") this.#board.refused(pending);
        else this.#refuse(pending, error);
        return;
      case "missing":
        // Gone is what it should be.
        if (change.kind === "remove") this.#board.answered(pending);
        else this.#refuse(pending, undefined);
        return;
      case "refused":
        this.#refuse(pending, error);
    }
  }

  #refuse(pending: Pending, error: unknown): void {
    this.#board.refused(pending);
    this.#host.refused(pending.change, pending.label, error);
  }

  #pause(ms: number): void {
    this.#endPause();
    // A list that is not live begins by itself when it is.
    if (!this.#live) return;
    this.#stopPause = this.#host.after(ms, () => {
      this.#stopPause = undefined;
      this.#go();
    });
  }

  #endPause(): void {
    this.#stopPause?.();
    this.#stopPause = undefined;
  }
}
