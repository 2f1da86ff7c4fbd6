// A repeated field: its items in their order.

import type { DescField } from "@bufbuild/protobuf";
import { type Filling, MAX_ITEMS, type Making, type Reading } from "./control.js";
import type { FieldPlace } from "./field.js";
import { array, type Json, kindInWords } from "./json.js";
import { type Row, RowsField } from "./rows.js";
import { NO_RULES } from "./rules.js";
import { RowValue } from "./value.js";

/** So many messages stay open when a list is filled. */
export const OPEN_ROWS = 3;

interface ItemRow extends Row {
  readonly value: RowValue;
}

export class ListField extends RowsField<ItemRow> {
  constructor(making: Making, place: FieldPlace, field: DescField) {
    super(making, place, field, "item", true);
  }

  protected make(): ItemRow {
    const value = new RowValue(this.making, this.place, this.field, this.rules.items ?? NO_RULES);
    return { value, content: value.element, count: (number) => value.count(this.field.name, number) };
  }

  protected readRows(path: string, reading: Reading): Json {
    return array(this.rows.map(({ value }, at) => value.read(`${path}[${at}]`, reading).json));
  }

  protected fillRows(json: Json, path: string, filling: Filling): void {
    if (json.kind !== "array") {
      filling.say(json, path, `Write a list in brackets here, not ${kindInWords(json)}.`);
      return;
    }
    json.items.forEach((item, at) => {
      const row = this.append();
      row?.value.fill(item, `${path}[${at}]`, filling);
      if (json.items.length > OPEN_ROWS) row?.value.fold();
      if (at === MAX_ITEMS)
        filling.say(item, path, `A form holds at most ${MAX_ITEMS} items of a list: leave out the rest.`);
    });
  }
}
