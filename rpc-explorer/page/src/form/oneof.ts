// A oneof: one of its fields is chosen, or none. What was filled in at the others stays, to be chosen again.

import type { DescField, DescOneof } from "@bufbuild/protobuf";
import { element } from "../dom.js";
import { newId } from "../parts.js";
import type { Filling, Making, Part, Reading } from "./control.js";
import { type FieldPlace, SingleField } from "./field.js";
import { groupFrame } from "./frame.js";
import { isNull, type Json, type Member } from "./json.js";
import { takesNull } from "./known.js";
import { isChoiceRequired, NO_RULES } from "./rules.js";

/** What is chosen where no field is. No field is called so: names have no spaces. */
const NONE = "not set";

export class OneofPart implements Part {
  readonly element: HTMLElement;
  readonly fields: readonly DescField[];
  readonly #radios = new Map<DescField | undefined, HTMLInputElement>();
  readonly #parts = new Map<DescField, SingleField>();
  readonly #body: HTMLElement;
  readonly #note = element("p", { class: "mf-note", hidden: true });
  readonly #isRequired: boolean;

  constructor(
    private readonly making: Making,
    private readonly place: FieldPlace,
    oneof: DescOneof,
  ) {
    this.fields = oneof.fields;
    this.#isRequired = isChoiceRequired(oneof, making.registry);
    const frame = groupFrame({ desc: oneof, rules: { ...NO_RULES, required: this.#isRequired } });
    this.element = frame.element;
    this.element.classList.add("mf-oneof");
    this.#body = frame.body;
    const choices = element("div", { class: "mf-choices" });
    const group = newId();
    for (const field of [undefined, ...oneof.fields]) {
      const radio = element("input", { type: "radio", name: group, class: "mf-radio" });
      radio.checked = field === undefined;
      radio.addEventListener("change", () => this.#show());
      this.#radios.set(field, radio);
      choices.append(element("label", { class: "mf-choice" }, radio, element("span", {}, field?.name ?? NONE)));
    }
    frame.body.append(choices, this.#note);
    frame.element.addEventListener("mf-fold", (event) => {
      event.stopPropagation();
      frame.summary.textContent = this.#chosen?.name ?? NONE;
    });
  }

  get #chosen(): DescField | undefined {
    return this.fields.find((field) => this.#radios.get(field)?.checked);
  }

  #show(): void {
    const chosen = this.#chosen;
    if (chosen && !this.#parts.has(chosen)) {
      const part = new SingleField(this.making, this.place, chosen, "always");
      this.#parts.set(chosen, part);
      this.#body.append(part.element);
    }
    for (const [field, part] of this.#parts) part.element.hidden = field !== chosen;
    this.#note.hidden = true;
  }

  #choose(field: DescField | undefined): void {
    const radio = this.#radios.get(field);
    if (radio) radio.checked = true;
    this.#show();
  }

  read(path: string, reading: Reading): readonly Member[] {
    const chosen = this.#chosen;
    if (!chosen && reading.show && this.#isRequired) {
      this.#note.textContent = "The server wants one of these to be chosen.";
      this.#note.hidden = false;
    }
    return chosen ? (this.#parts.get(chosen)?.read(path, reading) ?? []) : [];
  }

  fill(field: DescField, json: Json, path: string, filling: Filling): void {
    if (isNull(json) && !takesNull(field)) return;
    this.#choose(field);
    this.#parts.get(field)?.fill(field, json, path, filling);
  }

  clear(): void {
    for (const part of this.#parts.values()) part.clear();
    this.#choose(undefined);
  }
}
