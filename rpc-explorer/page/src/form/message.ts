// A message: its fields, one below the other.

import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { element } from "../dom.js";
import { type Control, type Filling, inside, type Making, type Part, type Place, type Reading } from "./control.js";
import { type Presence, SingleField } from "./field.js";
import { isNull, type Json, kindInWords, object } from "./json.js";
import { takesNull } from "./known.js";
import { ListField } from "./list.js";
import { MapField } from "./map.js";
import { OneofPart } from "./oneof.js";
import type { Content } from "./scalars.js";

/** How many names are told of fields that there are. */
const NAMES = 8;

export class MessageControl implements Control {
  readonly element = element("div", { class: "mf-message" });
  readonly input = undefined;
  readonly #parts: readonly Part[];

  constructor(
    making: Making,
    place: Pick<Place, "depth" | "within">,
    private readonly desc: DescMessage,
  ) {
    const inner = { depth: place.depth + 1, within: [...place.within, desc] };
    this.#parts = desc.members.map((member) => {
      if (member.kind === "oneof") return new OneofPart(making, inner, member);
      switch (member.fieldKind) {
        case "list":
          return new ListField(making, inner, member);
        case "map":
          return new MapField(making, inner, member);
        default:
          return new SingleField(making, inner, member, presenceOf(member, inner.within));
      }
    });
    this.element.append(...this.#parts.map((part) => part.element));
    if (this.#parts.length === 0)
      this.element.append(element("p", { class: "mf-empty" }, "This message has no fields."));
  }

  read(path: string, reading: Reading): Content {
    const members = this.#parts.flatMap((part) => part.read(path, reading));
    return { json: object(members), isZero: members.length === 0 };
  }

  fill(json: Json, path: string, filling: Filling): void {
    this.clear();
    if (json.kind !== "object") {
      filling.say(json, path, `Write an object with the fields of ${this.desc.name} here, not ${kindInWords(json)}.`);
      return;
    }
    const seen = new Set<DescField>();
    for (const { name, at, value } of json.members) {
      const field = this.desc.fields.find((field) => field.jsonName === name || field.name === name);
      if (!field) {
        filling.sayAt(at, path, `${this.desc.name} has no field “${name}”. ${this.#names()}`);
        continue;
      }
      const where = inside(path, field);
      const other = [...seen].find(
        (other) => other === field || (field.oneof !== undefined && other.oneof === field.oneof),
      );
      if (isNull(value) && field.oneof && !takesNull(field)) continue;
      if (other) {
        const twice = other === field ? `“${name}” is the field ${field.name}, which stands here already` : "";
        const both = `${field.name} and ${other.name} are of the same oneof ${field.oneof?.name}`;
        filling.sayAt(at, where, `${twice || both}: keep one of them.`);
        continue;
      }
      seen.add(field);
      this.#parts.find((part) => part.fields.includes(field))?.fill(field, value, path, filling);
    }
  }

  /** Which fields there are. */
  #names(): string {
    const names = this.desc.fields.map(({ jsonName }) => jsonName);
    if (names.length === 0) return "It has none.";
    const more = names.length > NAMES ? ", …" : "";
    return `It has ${names.slice(0, NAMES).join(", ")}${more}.`;
  }

  clear(): void {
    for (const part of this.#parts) part.clear();
  }
}

/** How a field that is alone is there. */
function presenceOf(field: DescField, within: readonly DescMessage[]): Presence {
  switch (field.presence) {
    case IMPLICIT:
      return "implicit";
    case LEGACY_REQUIRED:
      // One that requires itself has no end.
      return field.message && within.includes(field.message) ? "toggle" : "always";
    default:
      return "toggle";
  }
}

/** Of google.protobuf.FeatureSet.FieldPresence. */
const IMPLICIT = 2;
const LEGACY_REQUIRED = 3;
