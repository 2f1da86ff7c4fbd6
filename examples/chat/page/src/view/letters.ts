// What two have written to each other alone, as one of them sees it.

import type { Letter, Letters } from "../chat/letters.js";
import { h, icon } from "../dom.js";
import { why } from "../words.js";
import { composer } from "./composer.js";
import { LinesView, type Shown } from "./lines.js";

/** The view of the letters with one user. */
export class LettersView {
  readonly element: HTMLElement;
  readonly #lines: LinesView;

  constructor(
    private readonly letters: Letters,
    private readonly me: string,
    readonly other: string,
    banner: HTMLElement,
    places: () => void,
  ) {
    this.#lines = new LinesView(`What ${other} and you have written`, () => {});
    this.element = h(
      "main",
      { class: "place alone" },
      h(
        "header",
        {},
        h(
          "button",
          { type: "button", class: "quiet to-places", "aria-label": "Rooms", on: { click: places } },
          icon("rooms"),
        ),
        h("h1", { tabindex: "-1" }, other),
        h("p", { class: "note" }, "Only the two of you read this."),
      ),
      banner,
      this.#lines.element,
      composer(`with/${other}`, `Message to ${other} alone`, (text) => {
        void letters.write(other, text);
        this.#lines.toEnd();
      }),
    );
    this.draw();
    requestAnimationFrame(() => this.#lines.toEnd());
  }

  draw(news = 0): void {
    const lines = this.letters.with(this.other).map(
      (letter): Shown => ({
        ...letter,
        user: letter.isMine ? this.me : letter.with,
        aside: letter.waits && letter.state === "heard" ? "waits until they come" : undefined,
        failed: letter.state === "failed" ? this.#failed(letter) : undefined,
      }),
    );
    this.#lines.draw(
      lines,
      {
        isReading: false,
        hasMore: false,
        reads: 0,
        empty: "Nothing yet. What you write waits for an hour, if they are away.",
      },
      news,
    );
  }

  #failed(letter: Letter): Shown["failed"] {
    return {
      why: why("This was not sent", letter.error),
      again: () => void this.letters.writeAgain(letter),
      giveUp: () => this.letters.giveUp(letter),
    };
  }
}
