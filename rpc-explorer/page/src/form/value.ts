// A value within a row: a line with a label, or a group that can be folded up.

import type { DescField } from "@bufbuild/protobuf";
import { element } from "../dom.js";
import { newId } from "../parts.js";
import { type Control, type Filling, type Making, type Reading, valueType } from "./control.js";
import { unseen } from "./dom.js";
import type { FieldPlace } from "./field.js";
import { foldable, summaryOf } from "./frame.js";
import type { Json } from "./json.js";
import { isLine } from "./known.js";
import type { Rules } from "./rules.js";
import type { Content } from "./scalars.js";

export class RowValue {
  readonly element: HTMLElement;
  readonly #control: Control;
  readonly #name: (name: string, number: number) => void;
  readonly #fold: ((isFolded: boolean) => void) | undefined;

  constructor(making: Making, place: FieldPlace, field: DescField, rules: Rules) {
    const type = valueType(field);
    if (type.kind === "message" && !isLine(type.message)) {
      const body = element("div", { class: "mf-inner" });
      const { legend, summary, fold, label, labelId } = foldable("", body);
      this.#control = making.control(type, { ...place, labelId, describedBy: "", rules });
      body.append(this.#control.element);
      this.element = element("fieldset", { class: "mf-group mf-item" }, legend, summary, body);
      this.element.addEventListener("mf-fold", (event) => {
        event.stopPropagation();
        summary.textContent = summaryOf(this.#control);
      });
      this.#name = (name, number) => {
        label.textContent = `${name} ${number}`;
      };
      this.#fold = fold;
      return;
    }
    const words = unseen("");
    const number = element("span", { class: "mf-index" });
    const label = element("label", { id: newId() }, words, number);
    this.#control = making.control(type, { ...place, labelId: label.id, describedBy: "", rules });
    label.htmlFor = this.#control.input?.id ?? "";
    this.element = element("div", { class: "mf-item" }, label, this.#control.element);
    this.#name = (name, at) => {
      words.textContent = `${name} `;
      number.textContent = String(at);
    };
  }

  count(name: string, number: number): void {
    this.#name(name, number);
  }

  /** Folds a group up. */
  fold(): void {
    this.#fold?.(true);
  }

  read(path: string, reading: Reading): Content {
    return this.#control.read(path, reading);
  }

  fill(json: Json, path: string, filling: Filling): void {
    this.#control.fill(json, path, filling);
  }
}
