// A field of one value: always there, or set and not set.

import type { DescField } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { element } from "../dom.js";
import { newId } from "../parts.js";
import {
  type Control,
  type Filling,
  inside,
  type Making,
  OPEN_DEPTH,
  type Part,
  type Place,
  type Reading,
  valueType,
} from "./control.js";
import { unseen } from "./dom.js";
import { type Frame, type GroupFrame, groupFrame, type LineFrame, lineFrame, summaryOf } from "./frame.js";
import { isNull, type Json, literal, type Member, member, text } from "./json.js";
import { ANY, isLine, takesNull } from "./known.js";
import { type Rules, rulesOf } from "./rules.js";
import { isOptional } from "./words.js";

/** Where fields are made. */
export type FieldPlace = Pick<Place, "depth" | "within">;

/**
 * - `implicit`: a scalar that is zero where it is not set, which the wire does not tell apart.
 * - `toggle`: it is set or not, and its zero is a value.
 * - `always`: it is set as long as it is shown, as the chosen one of a oneof, or one that has to be there.
 */
export type Presence = "implicit" | "toggle" | "always";

export class SingleField implements Part {
  readonly element: HTMLElement;
  readonly fields: readonly DescField[];
  readonly #line: LineFrame | undefined;
  readonly #group: GroupFrame | undefined;
  readonly #switch: HTMLInputElement | undefined;
  readonly #note = element("p", { class: "mf-note", hidden: true });
  readonly #rules: Rules;
  #control: Control | undefined;

  constructor(
    private readonly making: Making,
    private readonly place: FieldPlace,
    private readonly field: DescField,
    private readonly presence: Presence,
  ) {
    this.fields = [field];
    this.#rules = rulesOf(field, making.registry);
    const heading = { desc: field, rules: this.#rules };
    const isGroup = field.message !== undefined && !isLine(field.message);
    this.#group = isGroup ? groupFrame(heading) : undefined;
    this.#line = isGroup ? undefined : lineFrame(heading);
    this.element = this.#frame.element;
    if (presence === "toggle") {
      this.#switch = element("input", { type: "checkbox", class: "mf-switch", id: newId() });
      const label = element("label", { class: "mf-set" }, this.#switch, unseen(`${field.name} is `), "set");
      this.#frame.side.append(label);
      this.#frame.body.append(this.#note);
      this.#switch.addEventListener("change", () => this.#show());
    } else {
      this.#frame.side.remove();
    }
    this.#group?.element.addEventListener("mf-fold", (event) => {
      event.stopPropagation();
      if (this.#group && this.#control) this.#group.summary.textContent = summaryOf(this.#control);
    });
    if (this.#switch && this.#begins()) this.#switch.checked = true;
    this.#show();
  }

  get #frame(): Frame {
    return (this.#line ?? this.#group) as Frame;
  }

  /** What is not `optional` is there from the start, as the contract language always sends it; where it has no end, it is not. */
  #begins(): boolean {
    const { message } = this.field;
    if (!message || isOptional(this.field) || isLine(message) || message.typeName === ANY) return false;
    return this.place.depth < OPEN_DEPTH && !this.place.within.includes(message);
  }

  get #isSet(): boolean {
    return this.#switch?.checked ?? true;
  }

  /** Shows the control where the field is set. It is made when it is needed first. */
  #show(): void {
    const isSet = this.#isSet;
    this.element.classList.toggle("mf-is-unset", !isSet);
    if (isSet && !this.#control) {
      const { labelId, describedBy } = this.#frame;
      // Where it can be told apart from zero, to be set is enough.
      const rules = { ...this.#rules, required: this.#rules.required && this.presence === "implicit" };
      this.#control = this.making.control(valueType(this.field), { ...this.place, labelId, describedBy, rules });
      this.#frame.body.append(this.#control.element);
      const value = defaultOf(this.field);
      if (value) this.#control.fill(value, "", { say: () => {}, sayAt: () => {} });
    }
    if (this.#control) this.#control.element.hidden = !isSet;
    if (this.#group) this.#group.toggle.disabled = !isSet;
    if (this.#line) this.#line.label.htmlFor = (isSet ? this.#control?.input : this.#switch)?.id ?? "";
    if (isSet) this.#note.hidden = true;
  }

  read(path: string, reading: Reading): readonly Member[] {
    if (!this.#isSet) {
      if (reading.show && this.#rules.required) {
        this.#note.textContent = "The server wants this to be set.";
        this.#note.hidden = false;
      }
      return [];
    }
    const content = this.#control?.read(inside(path, this.field), reading);
    if (!content || (this.presence === "implicit" && content.isZero && content.problem === undefined)) return [];
    return [member(this.field.jsonName, content.json)];
  }

  fill(field: DescField, json: Json, path: string, filling: Filling): void {
    if (isNull(json) && !takesNull(field)) {
      this.clear();
      return;
    }
    if (this.#switch) this.#switch.checked = true;
    this.#show();
    this.#control?.fill(json, inside(path, field), filling);
    this.#group?.fold(this.place.depth > OPEN_DEPTH);
  }

  clear(): void {
    if (this.#switch) this.#switch.checked = false;
    this.#control?.clear();
    this.#note.hidden = true;
    this.#show();
  }
}

/** What the schema says that a field is where it is not set: the first that is offered where it is. */
function defaultOf(field: DescField): Json | undefined {
  if (field.fieldKind === "enum") {
    const value = field.enum.values.find(({ number }) => number === field.getDefaultValue());
    return value && text(value.name);
  }
  if (field.fieldKind !== "scalar") return undefined;
  const value = field.getDefaultValue();
  if (value instanceof Uint8Array) return text(base64Encode(value));
  if (typeof value === "boolean") return literal(value);
  return value === undefined ? undefined : text(String(value));
}
