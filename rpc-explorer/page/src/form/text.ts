// Controls of a line: numbers, texts, and what is true or false.

import { ScalarType } from "@bufbuild/protobuf";
import { element } from "../dom.js";
import type { Making, Place } from "./control.js";
import { button, icon } from "./dom.js";
import { type Json, kindInWords, literal } from "./json.js";
import { Leaf } from "./leaf.js";
import { type Content, isInteger, readNumber, readText } from "./scalars.js";

/** A text that may have more characters than these has a box of several lines. */
const LONG = 200;

const PLAIN = { autocomplete: "off", spellcheck: "false", autocapitalize: "none" };

/** A number, typed as a text: a browser's own field for numbers knows no 64 bits and no NaN. */
export class NumberControl extends Leaf<HTMLInputElement> {
  constructor(
    making: Making,
    place: Place,
    readonly type: ScalarType,
  ) {
    const inputmode = isInteger(type) ? "numeric" : "decimal";
    super(making, place, element("input", { type: "text", class: "mf-number", inputmode, placeholder: "0", ...PLAIN }));
  }

  protected content(): Content {
    return readNumber(this.type, this.input.value);
  }

  protected put(json: Json): string | undefined {
    if (json.kind !== "number" && json.kind !== "string") return `Write a number here, not ${kindInWords(json)}.`;
    if (json.text.trim() === "") return "Write a number here, not an empty text.";
    this.input.value = json.text;
    return undefined;
  }

  clear(): void {
    this.input.value = "";
    this.forget();
  }
}

/** A text: a line that becomes a box of several where it needs them. */
export class TextControl extends Leaf<HTMLTextAreaElement> {
  readonly #more: HTMLButtonElement;
  /** A value with characters that a box changes, such as carriage returns: as it is, and as it is shown. */
  #exact = { value: "", shown: "" };

  constructor(making: Making, place: Place) {
    const input = element("textarea", { rows: "1", dir: "auto", ...PLAIN, ...place.rules.attributes });
    const more = button("mf-more", () => this.#widen(!this.#isWide, true), icon("lines"));
    super(making, place, input, more);
    this.#more = more;
    this.#widen((place.rules.mostCharacters ?? 0) > LONG);
    // In a line, Enter is the page's: it may send.
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || this.#isWide || event.isComposing) return;
      event.preventDefault();
      if (!event.shiftKey) input.closest("form")?.requestSubmit();
      else this.#widen(true);
    });
    input.addEventListener("input", () => this.#fit());
  }

  get #isWide(): boolean {
    return this.input.classList.contains("mf-wide");
  }

  #widen(isWide: boolean, isAsked = false): void {
    this.input.classList.toggle("mf-wide", isWide);
    const name = isWide ? "One line" : "Several lines";
    this.#more.setAttribute("aria-label", name);
    this.#more.title = name;
    this.#more.setAttribute("aria-pressed", String(isWide));
    if (isAsked) this.input.focus();
  }

  /** A text of several lines, such as one that was pasted, gets the room for them. */
  #fit(): void {
    if (!this.#isWide && (this.input.value.includes("\n") || this.input.value.length > LONG)) this.#widen(true);
  }

  protected content(): Content {
    const shown = this.input.value;
    return readText(shown === this.#exact.shown ? this.#exact.value : shown);
  }

  protected put(json: Json): string | undefined {
    if (json.kind !== "string") return `Write a text in double quotes here, not ${kindInWords(json)}.`;
    this.input.value = json.text;
    this.#exact = { value: json.text, shown: this.input.value };
    this.#fit();
    return undefined;
  }

  clear(): void {
    this.input.value = "";
    this.#exact = { value: "", shown: "" };
    this.forget();
  }
}

/** True or false. */
export class BoolControl extends Leaf<HTMLInputElement> {
  readonly #word: HTMLSpanElement;

  constructor(making: Making, place: Place) {
    const word = element("span", { class: "mf-word", "aria-hidden": "true" }, "false");
    super(making, place, element("input", { type: "checkbox", class: "mf-check" }), word);
    this.#word = word;
    this.input.addEventListener("change", () => this.#tell());
  }

  #tell(): void {
    this.#word.textContent = String(this.input.checked);
  }

  protected content(): Content {
    return { json: literal(this.input.checked), isZero: !this.input.checked };
  }

  protected put(json: Json): string | undefined {
    // The keys of a map are texts.
    const word = json.kind === "literal" || json.kind === "string" ? json.text : "";
    if (word !== "true" && word !== "false") return `Write true or false here, not ${kindInWords(json)}.`;
    this.input.checked = word === "true";
    this.#tell();
    return undefined;
  }

  clear(): void {
    this.input.checked = false;
    this.#tell();
    this.forget();
  }
}

/** The control of a scalar that is neither bytes nor anything else of its own. */
export function lineOf(making: Making, place: Place, type: ScalarType): NumberControl | TextControl | BoolControl {
  if (type === ScalarType.BOOL) return new BoolControl(making, place);
  if (type === ScalarType.STRING) return new TextControl(making, place);
  return new NumberControl(making, place, type);
}
