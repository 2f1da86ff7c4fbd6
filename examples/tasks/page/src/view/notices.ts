// What is to be known and may be answered: at the foot of the page, until it is dismissed or the next thing is done. None goes by
// itself, because nobody knows how fast somebody reads.

import type { Words } from "../words/text.js";
import { announce } from "./announce.js";
import { element, icon, iconButton, sentence } from "./dom.js";

/** A notice. */
export interface Notice {
  readonly tone: "problem" | "done";
  readonly words: Words;
  /** What can be done about it. */
  readonly action?: { readonly name: string; readonly run: () => void };
}

/** How many are shown: older ones go. */
const SHOWN = 3;

export class Notices {
  readonly #root: HTMLElement;
  readonly #focusElsewhere: () => void;
  #shown: { readonly notice: Notice; readonly element: HTMLElement }[] = [];

  constructor(root: HTMLElement, focusElsewhere: () => void) {
    this.#root = root;
    this.#focusElsewhere = focusElsewhere;
  }

  /** Shows a notice, and says it. */
  add(notice: Notice): void {
    const { tone, words, action } = notice;
    const shown = element(
      "div",
      { class: tone === "problem" ? "notice bad" : "notice" },
      icon(tone === "problem" ? "alert" : "tick"),
    );
    shown.append(element("p", {}, sentence(words)));
    if (action) {
      const button = element("button", { type: "button", class: "button" }, action.name);
      button.addEventListener("click", () => {
        this.#remove(shown);
        action.run();
      });
      shown.append(button);
    }
    const dismiss = iconButton("cross", "dismiss");
    dismiss.setAttribute("aria-label", "Dismiss");
    dismiss.addEventListener("click", () => this.#remove(shown));
    shown.append(dismiss);
    this.#root.append(shown);
    this.#shown.push({ notice, element: shown });
    while (this.#shown.length > SHOWN && this.#shown[0]) this.#remove(this.#shown[0].element);
    announce(action ? [...words, ` (${action.name})`] : words, tone === "problem");
  }

  /** Takes away what was said of things that are done: something else has been done since. */
  clearDone(): void {
    for (const { notice, element: shown } of this.#shown) if (notice.tone === "done") this.#remove(shown);
  }

  /** Takes away all. */
  clear(): void {
    for (const { element: shown } of this.#shown) this.#remove(shown);
  }

  #remove(shown: HTMLElement): void {
    const hadFocus = shown.contains(document.activeElement);
    this.#shown = this.#shown.filter((other) => other.element !== shown);
    shown.remove();
    if (hadFocus) this.#focusElsewhere();
  }
}
