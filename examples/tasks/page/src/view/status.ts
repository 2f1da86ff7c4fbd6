// How the connection stands: a word in the head, and a bar with a sentence where there is something to know or to do.

import type { Standing } from "../words/connection.js";
import { waitInWords } from "../words/errors.js";
import { announce } from "./announce.js";
import { byId, setText } from "./dom.js";

export class StatusView {
  readonly #pill = byId("status", HTMLElement);
  readonly #word = byId("status-word", HTMLElement);
  readonly #bar = byId("connection", HTMLElement);
  readonly #sentence = byId("connection-sentence", HTMLElement);
  readonly #countdown = byId("connection-countdown", HTMLElement);
  readonly #button = byId("connection-try", HTMLButtonElement);
  #standing: Standing | undefined;
  #wasAway = false;

  constructor(tryNow: () => void) {
    this.#button.addEventListener("click", tryNow);
    setInterval(() => this.#count(), 250);
  }

  update(standing: Standing): void {
    const before = this.#standing;
    this.#standing = standing;
    this.#pill.dataset.tone = standing.tone;
    setText(this.#word, standing.short);
    this.#bar.hidden = standing.sentence === undefined;
    this.#bar.dataset.tone = standing.tone;
    setText(this.#sentence, standing.sentence ?? "");
    const canTry = standing.sentence !== undefined && (standing.tone === "over" || standing.retryAt !== undefined);
    if (!canTry && document.activeElement === this.#button) this.#bar.focus();
    this.#button.hidden = !canTry;
    setText(this.#button, standing.tone === "over" ? "Connect again" : "Try now");
    this.#count();
    if (standing.tone === before?.tone) return;
    // What is said of it: that it is gone, and that it is back, and not each try between.
    if (standing.sentence !== undefined) {
      announce([standing.sentence]);
      this.#wasAway = true;
    } else if (standing.tone === "live" && this.#wasAway) {
      announce(["Connected again. The list is up to date."]);
      this.#wasAway = false;
    }
  }

  #count(): void {
    const retryAt = this.#standing?.retryAt;
    const text = retryAt ? `Next try in ${waitInWords(retryAt.getTime() - Date.now())}.` : "";
    setText(this.#countdown, text);
  }
}
