// The field for a new task.

import { plain, type Words } from "../words/text.js";
import { announce } from "./announce.js";
import { byId, sentence } from "./dom.js";

export class AddForm {
  readonly #field = byId("new-task", HTMLInputElement);
  readonly #problem = byId("new-task-problem", HTMLElement);

  constructor(add: (label: string) => void) {
    byId("add", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      const label = this.#field.value.trim();
      this.#clear();
      if (label === "") {
        this.#say(["Write what is to be done first."]);
      } else {
        this.#field.value = "";
        add(label);
      }
      this.#field.focus();
    });
    this.#field.addEventListener("input", () => this.#clear());
  }

  focus(): void {
    this.#field.focus();
  }

  /** Gives a text back that was not taken, and says why. Not where something else is being typed already. */
  giveBack(label: string, words: Words): boolean {
    if (this.#field.value !== "") return false;
    this.#field.value = label;
    this.#say(words);
    announce(words, true);
    return true;
  }

  /** Puts a text into the field, to be looked at once more. */
  put(label: string): void {
    this.#clear();
    this.#field.value = label;
    this.#field.focus();
  }

  #say(words: Words): void {
    this.#problem.replaceChildren(sentence(words));
    this.#problem.hidden = plain(words) === "";
    this.#field.setAttribute("aria-invalid", "true");
  }

  #clear(): void {
    this.#problem.replaceChildren();
    this.#problem.hidden = true;
    this.#field.removeAttribute("aria-invalid");
  }
}
