// What lists and maps have in common: rows that are added, taken away and moved, up to a bound.

import type { DescField } from "@bufbuild/protobuf";
import { element } from "../dom.js";
import { disable, newId } from "../parts.js";
import { type Filling, inside, MAX_ITEMS, type Making, type Part, type Reading } from "./control.js";
import { button, focusFirst, icon, idList, unseen } from "./dom.js";
import type { FieldPlace } from "./field.js";
import { groupFrame } from "./frame.js";
import { isNull, type Json, type Member, member } from "./json.js";
import { type Rules, rulesOf } from "./rules.js";

/** One row. */
export interface Row {
  /** What is filled in in it. */
  readonly content: HTMLElement;
  /** Says which one it is, counted from 1. */
  count(number: number): void;
}

/** A row with its place in the page. */
interface Held<R extends Row> {
  readonly row: R;
  readonly element: HTMLLIElement;
  readonly up: HTMLButtonElement;
  readonly down: HTMLButtonElement;
  readonly remove: HTMLButtonElement;
}

/** How many rows there are, in words. */
function count(number: number, one: string): string {
  if (number === 0) return "none";
  return number === 1 ? `1 ${one}` : `${number} ${one === "entry" ? "entries" : `${one}s`}`;
}

export abstract class RowsField<R extends Row> implements Part {
  readonly element: HTMLElement;
  readonly fields: readonly DescField[];
  protected readonly rules: Rules;
  readonly #list = element("ol", { class: "mf-rows" });
  readonly #add: HTMLButtonElement;
  readonly #count = element("span", { class: "mf-count" });
  readonly #note = element("p", { class: "mf-note", id: newId(), hidden: true });
  readonly #full = element("p", { class: "mf-empty", hidden: true }, `A form holds at most ${MAX_ITEMS} of them.`);
  #held: Held<R>[] = [];

  constructor(
    protected readonly making: Making,
    protected readonly place: FieldPlace,
    protected readonly field: DescField,
    /** What a row is called. */
    private readonly one: string,
    private readonly canMove: boolean,
  ) {
    this.fields = [field];
    this.rules = rulesOf(field, making.registry);
    const frame = groupFrame({ desc: field, rules: this.rules });
    this.element = frame.element;
    this.element.classList.add("mf-repeated");
    this.element.setAttribute("aria-describedby", idList(frame.describedBy, this.#note.id));
    frame.side.replaceWith(this.#count);
    this.#add = button("mf-add", () => this.#addOne(), icon("add"), `Add ${one}`, unseen(` to ${field.name}`));
    frame.body.append(this.#list, this.#full, this.#add, this.#note);
    this.#recount();
  }

  /** Makes a row with nothing filled in. */
  protected abstract make(): R;

  /** What a row has of the field's value. */
  protected abstract readRows(path: string, reading: Reading): Json;

  /** Fills rows; the value is not null. */
  protected abstract fillRows(json: Json, path: string, filling: Filling): void;

  protected get rows(): readonly R[] {
    return this.#held.map(({ row }) => row);
  }

  /** Adds a row; none when there are too many. */
  protected append(): R | undefined {
    if (this.#held.length >= MAX_ITEMS) return undefined;
    const row = this.make();
    const up = button("mf-tool", () => this.#move(held, -1), icon("up"));
    const down = button("mf-tool", () => this.#move(held, 1), icon("down"));
    const remove = button("mf-tool mf-remove", () => this.#remove(held), icon("remove"));
    const tools = element("div", { class: "mf-tools" }, ...(this.canMove ? [up, down] : []), remove);
    const item = element("li", { class: "mf-row" }, row.content, tools);
    const held = { row, element: item, up, down, remove };
    if (this.canMove) {
      item.addEventListener("keydown", (event) => {
        if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
        event.preventDefault();
        event.stopPropagation();
        this.#move(held, event.key === "ArrowUp" ? -1 : 1);
      });
    }
    this.#held.push(held);
    this.#list.append(item);
    return row;
  }

  #addOne(): void {
    const row = this.append();
    this.#recount();
    if (!row) return;
    focusFirst(row.content);
    this.making.changed();
  }

  #remove(held: Held<R>): void {
    const at = this.#held.indexOf(held);
    this.#held.splice(at, 1);
    held.element.remove();
    this.#recount();
    this.making.announce(`${this.one} ${at + 1} of ${this.field.name} is removed.`);
    (this.#held[at] ?? this.#held[at - 1])?.remove.focus();
    if (this.#held.length === 0) this.#add.focus();
    this.making.changed();
  }

  #move(held: Held<R>, by: 1 | -1): void {
    const from = this.#held.indexOf(held);
    const to = from + by;
    const other = this.#held[to];
    if (!other) return;
    const focused = document.activeElement;
    this.#held[from] = other;
    this.#held[to] = held;
    if (by < 0) other.element.before(held.element);
    else other.element.after(held.element);
    // An element that is moved loses the focus.
    if (focused instanceof HTMLElement && held.element.contains(focused)) focused.focus();
    this.#recount();
    this.making.announce(`It is ${this.one} ${to + 1} of ${this.#held.length} now.`);
    this.making.changed();
  }

  /** Says anew which row is which, and how many there are. */
  #recount(): void {
    const { length } = this.#held;
    this.#held.forEach(({ row, up, down, remove }, at) => {
      row.count(at + 1);
      const name = `${this.one} ${at + 1} of ${this.field.name}`;
      for (const [tool, word] of [
        [up, "Move up"],
        [down, "Move down"],
        [remove, "Remove"],
      ] as const) {
        tool.setAttribute("aria-label", `${word}: ${name}`);
        tool.title = word;
      }
      disable(up, at === 0);
      disable(down, at === length - 1);
    });
    this.#count.textContent = count(length, this.one);
    this.#list.hidden = length === 0;
    this.#full.hidden = length < MAX_ITEMS;
    disable(this.#add, length >= MAX_ITEMS);
  }

  read(path: string, reading: Reading): readonly Member[] {
    const json = this.readRows(inside(path, this.field), reading);
    const isEmpty = this.#held.length === 0;
    if (reading.show) {
      const notes = this.rules.required && isEmpty ? ["The server wants one at least."] : this.rules.broken(json);
      this.#note.textContent = notes.join(" ");
      this.#note.hidden = notes.length === 0;
    }
    return isEmpty ? [] : [member(this.field.jsonName, json)];
  }

  fill(_field: DescField, json: Json, path: string, filling: Filling): void {
    this.clear();
    if (!isNull(json)) this.fillRows(json, inside(path, this.field), filling);
    this.#recount();
  }

  clear(): void {
    this.#held = [];
    this.#list.replaceChildren();
    this.#note.hidden = true;
    this.#recount();
  }
}
