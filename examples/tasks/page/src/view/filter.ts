// Which tasks are shown. The choice stands in the address, so that a reload and a bookmark keep it.

import type { Row } from "../model/board.js";
import { byId, setText } from "./dom.js";

const CHOICES = ["all", "open", "done"] as const;

/** Which tasks. */
export type Choice = (typeof CHOICES)[number];

export class FilterView {
  #choice: Choice = "all";

  constructor(changed: () => void) {
    for (const choice of CHOICES) {
      byId(`filter-${choice}`, HTMLInputElement).addEventListener("change", () => {
        this.#choice = choice;
        history.replaceState(null, "", choice === "all" ? location.pathname : `#${choice}`);
        changed();
      });
    }
    const read = () => {
      this.#choice = CHOICES.find((choice) => location.hash === `#${choice}`) ?? "all";
      byId(`filter-${this.#choice}`, HTMLInputElement).checked = true;
    };
    read();
    window.addEventListener("hashchange", () => {
      read();
      changed();
    });
  }

  get choice(): Choice {
    return this.#choice;
  }

  /** Whether a task is to be shown. */
  readonly isShown = (row: Row): boolean => this.#choice === "all" || row.checked === (this.#choice === "done");

  /** Shows how many there are of each. */
  update(rows: readonly Row[]): void {
    const done = rows.filter((row) => row.checked).length;
    const counts = { all: rows.length, open: rows.length - done, done };
    for (const choice of CHOICES) setText(byId(`count-${choice}`, HTMLElement), String(counts[choice]));
  }
}
