// A map: keys and their values, in the order in which they were added. A key stands once.

import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { element } from "../dom.js";
import { newId } from "../parts.js";
import { type Control, type Filling, MAX_ITEMS, type Making, type Reading } from "./control.js";
import { unseen } from "./dom.js";
import type { FieldPlace } from "./field.js";
import { reveal } from "./frame.js";
import { LOST_NAME, LOST_NAME_PROBLEM } from "./free.js";
import { type Json, kindInWords, member, object, text } from "./json.js";
import { OPEN_ROWS } from "./list.js";
import { type Row, RowsField } from "./rows.js";
import { NO_RULES } from "./rules.js";
import { RowValue } from "./value.js";

interface EntryRow extends Row {
  readonly key: Control;
  readonly value: RowValue;
  /** What is wrong with the key beside the others. */
  readonly problem: HTMLParagraphElement;
}

export class MapField extends RowsField<EntryRow> {
  readonly #keyType: ScalarType;

  constructor(making: Making, place: FieldPlace, field: DescField & { fieldKind: "map" }) {
    super(making, place, field, "entry", false);
    this.#keyType = field.mapKey;
  }

  protected make(): EntryRow {
    const problem = element("p", { class: "mf-problem", id: newId(), hidden: true });
    const number = unseen("");
    const label = element("label", { id: newId(), class: "mf-part" }, unseen(`${this.field.name} `), "key", number);
    const place = { ...this.place, labelId: label.id, describedBy: problem.id, rules: this.rules.keys ?? NO_RULES };
    const key = this.making.control({ kind: "scalar", scalar: this.#keyType }, place);
    label.htmlFor = key.input?.id ?? "";
    const value = new RowValue(this.making, this.place, this.field, this.rules.values ?? NO_RULES);
    const content = element(
      "div",
      { class: "mf-entry" },
      element("div", { class: "mf-key" }, label, key.element, problem),
      element("div", { class: "mf-value" }, value.element),
    );
    const count = (at: number) => {
      number.textContent = ` ${at}`;
      value.count(`${this.field.name} value`, at);
    };
    return { key, value, problem, content, count };
  }

  protected readRows(path: string, reading: Reading): Json {
    const seen = new Set<string>();
    const members = this.rows.map(({ key, value, problem }) => {
      const { json, problem: wrong } = key.read(`${path} key`, reading);
      const name = "text" in json ? json.text : "";
      const where = `${path}[${this.#keyType === ScalarType.STRING ? JSON.stringify(name) : name}]`;
      let said = "";
      if (name === LOST_NAME) said = LOST_NAME_PROBLEM;
      else if (wrong === undefined && seen.has(name))
        said = `The key ${quoted(name)} stands here already: write another.`;
      seen.add(name);
      if (said !== "") reading.problems.push({ path: where, text: said });
      if (reading.show) {
        problem.textContent = said;
        problem.hidden = said === "";
        if (said !== "" && key.input) {
          key.input.setAttribute("aria-invalid", "true");
          reveal(key.input);
        }
      }
      return member(name, value.read(where, reading).json);
    });
    return object(members);
  }

  protected fillRows(json: Json, path: string, filling: Filling): void {
    if (json.kind !== "object") {
      filling.say(json, path, `Write an object with the keys and their values here, not ${kindInWords(json)}.`);
      return;
    }
    json.members.forEach(({ name, at, value }, index) => {
      const where = `${path}[${JSON.stringify(name)}]`;
      const row = this.append();
      row?.key.fill({ ...text(name), at }, where, filling);
      row?.value.fill(value, where, filling);
      if (json.members.length > OPEN_ROWS) row?.value.fold();
      if (index === MAX_ITEMS)
        filling.sayAt(at, path, `A form holds at most ${MAX_ITEMS} entries of a map: leave out the rest.`);
    });
  }
}

function quoted(name: string): string {
  return name === "" ? "that is empty" : `“${name}”`;
}
