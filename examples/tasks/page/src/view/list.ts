// The list: a line for each task that the filter lets through. Lines stay the same elements while their tasks are there, and the focus
// stays near where it was when its line goes.

import type { Row } from "../model/board.js";
import { type Control, type RowActions, RowView } from "./row.js";

/** What the list asks for, beside what its lines do. */
export interface ListActions extends RowActions {
  /** A task has gone while somebody was typing another name for it. */
  lostEdit(label: string, typed: string): void;
  /** The focus has nowhere to go in the list. */
  focusElsewhere(): void;
}

export class ListView {
  readonly #root: HTMLUListElement;
  readonly #actions: ListActions;
  #rows = new Map<string, RowView>();

  constructor(root: HTMLUListElement, actions: ListActions) {
    this.#root = root;
    this.#actions = actions;
  }

  /** Shows these tasks, of which `isShown` are wanted; one whose name is being typed stays in any case. */
  update(rows: readonly Row[], isShown: (row: Row) => boolean): void {
    const focus = this.#focus();
    const all = new Set(rows.map((row) => row.key));
    const shown = new Map<string, RowView>();
    for (const row of rows) {
      const known = this.#rows.get(row.key);
      if (!isShown(row) && known?.typed === undefined) continue;
      const view = known ?? new RowView(row, this.#actions);
      known?.update(row);
      shown.set(row.key, view);
    }
    for (const [key, view] of this.#rows) {
      if (shown.has(key)) continue;
      if (!all.has(key) && view.typed !== undefined && view.typed.trim() !== view.label) {
        this.#actions.lostEdit(view.label, view.typed.trim());
      }
      view.element.remove();
    }
    this.#rows = shown;
    this.#arrange();
    if (focus && !shown.has(focus.key)) this.#refocus(focus);
  }

  /** The line of a task, where it is shown. */
  row(key: string): RowView | undefined {
    return this.#rows.get(key);
  }

  /** Closes the fields that are open. */
  closeFields(): void {
    for (const view of this.#rows.values()) view.close();
  }

  /** Puts the lines into their order, and moves none that is in its place: moving takes the focus away. */
  #arrange(): void {
    let place: ChildNode | null = this.#root.firstChild;
    for (const { element } of this.#rows.values()) {
      if (element === place) place = place.nextSibling;
      else this.#root.insertBefore(element, place);
    }
  }

  /** What has the focus, and which lines stand behind and before it, nearest first. */
  #focus(): { key: string; control: Control; near: string[] } | undefined {
    const keys = [...this.#rows.keys()];
    for (const [at, view] of [...this.#rows.values()].entries()) {
      const control = view.focused();
      if (control) return { key: view.key, control, near: [...keys.slice(at + 1), ...keys.slice(0, at).reverse()] };
    }
    return undefined;
  }

  #refocus({ control, near }: { control: Control; near: string[] }): void {
    const next = near.find((key) => this.#rows.has(key));
    const view = next === undefined ? undefined : this.#rows.get(next);
    if (view) view.focus(control);
    else this.#actions.focusElsewhere();
  }
}
