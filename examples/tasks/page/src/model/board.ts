// One list: what the server has said of it, what was done to it here and is not known to be there yet, and what a person sees of both.
//
// Only what the hub tells changes the list itself. What is done here lies on top of it until the hub has told it or the server has
// refused it; then it is taken off again. An answer alone changes nothing: it may arrive behind a later change of somebody else's.

/** A task, as the server has it. */
export interface Task {
  readonly id: string;
  readonly label: string;
  readonly checked: boolean;
}

/** Something that is done to the list here. `key` names a row, also one that the server does not know yet. */
export type Change =
  | { readonly kind: "add"; readonly key: string; readonly label: string; readonly checked: boolean }
  | { readonly kind: "rename"; readonly key: string; readonly label: string }
  | { readonly kind: "check"; readonly key: string; readonly checked: boolean }
  | { readonly kind: "remove"; readonly key: string };

/**
 * How far a change is: `waiting` to be sent, `sent`, `unsure` because the connection was lost while it was on its way, `answered` but
 * not heard of yet.
 */
export type Stage = "waiting" | "sent" | "unsure" | "answered";

/** A change, and how far it is. */
export interface Pending {
  readonly change: Change;
  /** What its task was called before. */
  readonly label: string;
  stage: Stage;
  /** The list was heard to be as the change wants it, since it was sent. */
  told: boolean;
}

/** What a person sees of a task. */
export interface Row {
  readonly key: string;
  readonly label: string;
  readonly checked: boolean;
  /** The server has not said yet that it has it so. */
  readonly unsaved: boolean;
}

/** What was heard: `added`, `updated` and `deleted` as the contract's `TaskChanged`. */
export type Heard =
  | { readonly case: "added" | "updated"; readonly value: Task }
  | { readonly case: "deleted"; readonly value: { readonly id: string } };

/** A change that somebody else has made, as something to tell a person. */
export interface Elsewhere {
  readonly what: "added" | "renamed" | "checked" | "unchecked" | "removed";
  readonly key: string;
  readonly label: string;
}

export class Board {
  /** In the order in which they were added; a `Map` keeps it. */
  #tasks = new Map<string, Task>();
  #pending: Pending[] = [];
  /** Which row shows which task, where the row was there first. */
  readonly #keys = new Map<string, string>();
  readonly #ids = new Map<string, string>();
  #known = false;
  #count = 0;

  /** Whether the server has said once what is in the list. */
  get known(): boolean {
    return this.#known;
  }

  /** The changes that the server may not have yet: answered ones it has. */
  get unsaved(): number {
    return this.#pending.filter((pending) => pending.stage !== "answered").length;
  }

  /** A key for a row that is new. */
  newKey(): string {
    this.#count += 1;
    return `new-${this.#count}`;
  }

  /** The task of a row; `undefined` while the server has not named it. */
  idOf(key: string): string | undefined {
    return this.#ids.get(key) ?? (this.#tasks.has(key) ? key : undefined);
  }

  /** What a person sees, in order. */
  rows(): Row[] {
    return [...this.#fold().values()];
  }

  /** One row as a person sees it. */
  row(key: string): Row | undefined {
    return this.#fold().get(key);
  }

  /** The server has said what is in the list. */
  snapshot(tasks: readonly Task[]): void {
    this.#tasks = new Map(tasks.map((task) => [task.id, task]));
    this.#known = true;
    for (const pending of this.#pending) {
      if (pending.stage !== "waiting" && this.#isSo(pending.change)) pending.told = true;
    }
    this.#settle((pending) => pending.stage === "answered" || (pending.stage === "unsure" && pending.told));
  }

  /** A change was heard. Gives what somebody else has done to the list; what was done here is no news. */
  heard(heard: Heard): Elsewhere | undefined {
    const id = heard.value.id;
    const own = this.#pending.filter((pending) => pending.stage !== "waiting" && this.#isAbout(pending.change, heard));
    for (const pending of own) {
      pending.told = true;
      if (pending.change.kind === "add") this.#name(pending.change.key, id);
    }
    const key = this.#keys.get(id) ?? id;
    const before = this.#tasks.get(id);
    if (heard.case === "deleted") this.#tasks.delete(id);
    else this.#tasks.set(id, heard.value);
    // What comes behind the answer about the same task takes its place.
    this.#settle(
      (pending) =>
        (pending.stage === "unsure" && pending.told) ||
        (pending.stage === "answered" && this.idOf(pending.change.key) === id),
    );
    return own.length > 0 ? undefined : elsewhere(key, before, heard);
  }

  /** Something is done to the list here. */
  make(change: Change): Pending {
    const label = this.row(change.key)?.label ?? (change.kind === "add" ? change.label : "");
    const pending: Pending = { change, label, stage: "waiting", told: false };
    this.#pending.push(pending);
    return pending;
  }

  /** Forgets a task that was added here and never sent, and what was done to it. Gives whether it was one. */
  withdraw(key: string): boolean {
    const isUnsent = this.#pending.some(
      ({ change, stage }) => change.kind === "add" && change.key === key && stage === "waiting",
    );
    if (isUnsent) this.#settle((pending) => pending.change.key === key);
    return isUnsent;
  }

  /** What is to be sent next: one at a time, in the order in which it was done. */
  next(): Pending | undefined {
    return this.#pending.find((pending) => pending.stage !== "answered");
  }

  /**
   * The whole task that renaming or checking it comes to, with what others have made of it meanwhile; `undefined` where there is no
   * such task any more.
   */
  wanted(pending: Pending): Task | undefined {
    const row = this.#fold(pending).get(pending.change.key);
    const id = this.idOf(pending.change.key);
    return row && id !== undefined ? { id, label: row.label, checked: row.checked } : undefined;
  }

  /** The server has done it. `id` is that of a task that was added. */
  answered(pending: Pending, id?: string): void {
    pending.stage = "answered";
    if (pending.change.kind === "add" && id !== undefined) this.#name(pending.change.key, id);
    const isGone = pending.change.kind === "remove" && this.#isSo(pending.change);
    this.#settle((other) => other === pending && (other.told || isGone));
  }

  /** The server has not done it: the list is again as it was before, also where more was done to a task that was not added. */
  refused(pending: Pending): void {
    const { change } = pending;
    const orphans = change.kind === "add" && this.idOf(change.key) === undefined;
    this.#settle((other) => other === pending || (orphans && other.change.key === change.key));
  }

  /** Takes changes off the list. */
  #settle(done: (pending: Pending) => boolean): void {
    this.#pending = this.#pending.filter((pending) => !done(pending));
  }

  #name(key: string, id: string): void {
    if (this.#keys.has(id)) return;
    this.#keys.set(id, key);
    this.#ids.set(key, id);
  }

  /** Whether what was heard is what a change wants. Labels are unique in a list: who adds the same, adds this. */
  #isAbout(change: Change, heard: Heard): boolean {
    if (change.kind === "add") return heard.case === "added" && heard.value.label === change.label;
    if (this.idOf(change.key) !== heard.value.id) return false;
    if (heard.case === "deleted") return change.kind === "remove";
    if (change.kind === "rename") return heard.value.label === change.label;
    return change.kind === "check" && heard.value.checked === change.checked;
  }

  /** Whether the list is as a change wants it. */
  #isSo(change: Change): boolean {
    if (change.kind === "add") {
      const task = this.#labelled(change.label);
      if (task) this.#name(change.key, task.id);
      return task !== undefined;
    }
    const id = this.idOf(change.key);
    const task = id === undefined ? undefined : this.#tasks.get(id);
    if (change.kind === "remove") return task === undefined;
    if (change.kind === "rename") return task?.label === change.label;
    return task?.checked === change.checked;
  }

  #labelled(label: string): Task | undefined {
    for (const task of this.#tasks.values()) if (task.label === label) return task;
    return undefined;
  }

  /** The rows with what is done here, all of it or up to one change. */
  #fold(until?: Pending): Map<string, Row> {
    const rows = new Map<string, Row>();
    for (const task of this.#tasks.values()) {
      const key = this.#keys.get(task.id) ?? task.id;
      rows.set(key, { key, label: task.label, checked: task.checked, unsaved: false });
    }
    for (const pending of this.#pending) {
      apply(rows, pending, this.#labelled.bind(this));
      if (pending === until) break;
    }
    return rows;
  }
}

/** Does to the rows what is done here. */
function apply(
  rows: Map<string, Row>,
  { change, stage }: Pending,
  labelled: (label: string) => Task | undefined,
): void {
  const unsaved = stage !== "answered";
  const row = rows.get(change.key);
  switch (change.kind) {
    case "add":
      // Another with this label is there already: this is that one, or will be refused.
      if (!row && !labelled(change.label)) {
        rows.set(change.key, { key: change.key, label: change.label, checked: change.checked, unsaved });
      }
      break;
    case "rename":
      if (row) rows.set(change.key, { ...row, label: change.label, unsaved });
      break;
    case "check":
      if (row) rows.set(change.key, { ...row, checked: change.checked, unsaved });
      break;
    case "remove":
      rows.delete(change.key);
      break;
  }
}

function elsewhere(key: string, before: Task | undefined, heard: Heard): Elsewhere | undefined {
  if (heard.case === "deleted") return before && { what: "removed", key, label: before.label };
  const { label, checked } = heard.value;
  if (!before) return { what: "added", key, label };
  if (before.label !== label) return { what: "renamed", key, label };
  if (before.checked !== checked) return { what: checked ? "checked" : "unchecked", key, label };
  return undefined;
}
