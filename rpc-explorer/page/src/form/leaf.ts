// A control that is one line or one box: what is typed into it, and what is wrong with that.

import { element } from "../dom.js";
import { newId } from "../parts.js";
import type { Control, Filling, Making, Place, Reading } from "./control.js";
import { idList } from "./dom.js";
import { reveal } from "./frame.js";
import type { Json } from "./json.js";
import { whenReleased } from "./pressed.js";
import type { Content } from "./scalars.js";

export abstract class Leaf<Input extends HTMLElement = HTMLElement> implements Control {
  readonly element = element("div", { class: "mf-leaf" });
  readonly #problem = element("p", { class: "mf-problem", id: newId(), hidden: true });
  readonly #note = element("p", { class: "mf-note", id: newId(), hidden: true });

  /** `input` is what the label names; `rest` stands beside it. */
  constructor(
    protected readonly making: Making,
    protected readonly place: Place,
    readonly input: Input,
    ...rest: readonly Node[]
  ) {
    input.id = newId();
    input.setAttribute("aria-describedby", idList(place.describedBy, this.#problem.id, this.#note.id));
    if (place.rules.required) input.setAttribute("aria-required", "true");
    this.element.append(element("div", { class: "mf-line" }, input, ...rest), this.#problem, this.#note);
    // What is wrong is said when somebody has done with it, and taken back as soon as it is mended.
    this.element.addEventListener("change", () => whenReleased(() => this.show()));
    this.element.addEventListener("input", () => {
      if (!this.#problem.hidden || !this.#note.hidden) this.show();
    });
  }

  /** What stands in it. */
  protected abstract content(): Content;

  /** Takes a value; says in a sentence why it cannot. */
  protected abstract put(json: Json): string | undefined;

  abstract clear(): void;

  read(path: string, reading: Reading): Content {
    const content = this.content();
    if (content.problem !== undefined) reading.problems.push({ path, text: content.problem });
    if (reading.show) {
      this.#say(content);
      if (content.problem !== undefined) reveal(this.input);
    }
    return content;
  }

  fill(json: Json, path: string, filling: Filling): void {
    this.clear();
    const problem = this.put(json) ?? this.content().problem;
    if (problem !== undefined) filling.say(json, path, problem);
    this.show();
  }

  /** Says at the field what is wrong with it. */
  protected show(): void {
    this.#say(this.content());
  }

  /** Takes back what was said. */
  protected forget(): void {
    set(this.#problem, "");
    set(this.#note, "");
    this.input.removeAttribute("aria-invalid");
  }

  #say(content: Content): void {
    const { problem, json, isZero } = content;
    const { rules } = this.place;
    set(this.#problem, problem ?? "");
    const isMissing = rules.required && isZero;
    const notes = isMissing ? ["The server wants this to be filled in."] : rules.broken(json);
    set(this.#note, problem === undefined ? notes.join(" ") : "");
    if (problem === undefined) this.input.removeAttribute("aria-invalid");
    else this.input.setAttribute("aria-invalid", "true");
  }
}

function set(paragraph: HTMLParagraphElement, text: string): void {
  if (paragraph.textContent !== text) paragraph.textContent = text;
  paragraph.hidden = text === "";
}
