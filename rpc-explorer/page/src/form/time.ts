// Moments and lengths of time.

import { element } from "../dom.js";
import { newId } from "../parts.js";
import type { Making, Place } from "./control.js";
import { button, idList } from "./dom.js";
import { type Json, kindInWords, text } from "./json.js";
import { Leaf } from "./leaf.js";
import type { Content } from "./scalars.js";
import { readDuration, readTimestamp, type Time } from "./times.js";

const PLAIN = { type: "text", class: "mf-time", autocomplete: "off", spellcheck: "false" };

/** A text that is a time. */
abstract class TimeControl extends Leaf<HTMLInputElement> {
  constructor(
    making: Making,
    place: Place,
    readonly means: (typed: string) => Time,
    placeholder: string,
    ...rest: readonly Node[]
  ) {
    super(making, place, element("input", { placeholder, ...PLAIN }), ...rest);
  }

  protected content(): Content {
    const time = this.means(this.input.value);
    if ("text" in time) return { json: text(time.text), isZero: false };
    return { json: text(this.input.value), isZero: false, problem: time.problem };
  }

  protected put(json: Json): string | undefined {
    if (json.kind !== "string") return `Write a time as a text in double quotes here, not ${kindInWords(json)}.`;
    this.input.value = json.text;
    return undefined;
  }

  clear(): void {
    this.input.value = "";
    this.forget();
  }
}

/** google.protobuf.Timestamp: a text down to nanoseconds, and the browser's own field to pick a day and a time from. */
export class TimestampControl extends TimeControl {
  readonly #picker: HTMLInputElement;

  constructor(making: Making, place: Place) {
    const name = element("span", { class: "unseen", id: newId() }, "picked, in UTC");
    const picker = element("input", {
      type: "datetime-local",
      step: "1",
      class: "mf-picker",
      title: "Pick a day and a time, in UTC",
      "aria-labelledby": idList(place.labelId, name.id),
    });
    const now = button(
      "mf-now",
      () => {
        this.input.value = new Date().toISOString();
        this.#follow();
        this.show();
        making.changed();
      },
      "Now",
    );
    super(making, place, readTimestamp, "2026-01-31T13:45:00Z", picker, name, now);
    this.#picker = picker;
    picker.addEventListener("input", () => {
      if (picker.value === "") return;
      this.input.value = `${picker.value.length === 16 ? `${picker.value}:00` : picker.value}Z`;
    });
    this.input.addEventListener("input", () => this.#follow());
  }

  /** Lets the field to pick from show what is typed. */
  #follow(): void {
    const time = readTimestamp(this.input.value);
    this.#picker.value = "text" in time ? time.text.slice(0, 19) : "";
  }

  protected override put(json: Json): string | undefined {
    const problem = super.put(json);
    this.#follow();
    return problem;
  }

  override clear(): void {
    super.clear();
    this.#follow();
  }
}

/** google.protobuf.Duration. */
export class DurationControl extends TimeControl {
  constructor(making: Making, place: Place) {
    super(making, place, readDuration, "1.5s, 250ms, 1h 30m");
  }
}
