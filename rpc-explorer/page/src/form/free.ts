// Well-known types whose shape nobody knows before: JSON as it is; and paths of fields.

import { protoCamelCase, protoSnakeCase } from "@bufbuild/protobuf/reflect";
import { element } from "../dom.js";
import type { Making, Place } from "./control.js";
import { type Json, JsonError, kindInWords, object, parse, place as placeIn, print, text } from "./json.js";
import { Leaf } from "./leaf.js";
import type { Content } from "./scalars.js";

/** Which JSON each type takes, and what is meant where nothing is written. */
const KINDS: Readonly<Record<string, { readonly kind?: Json["kind"]; readonly words: string; readonly empty?: Json }>> =
  {
    "google.protobuf.Struct": { kind: "object", words: 'an object, such as {"a": 1}', empty: object([]) },
    "google.protobuf.ListValue": {
      kind: "array",
      words: 'a list, such as [1, "a"]',
      empty: { kind: "array", items: [], at: 0 },
    },
    "google.protobuf.Value": { words: 'any JSON, such as null, 1.5 or {"a": [true]}' },
  };

/** Whether a type is JSON as it is. */
export function isFree(typeName: string): boolean {
  return Object.hasOwn(KINDS, typeName);
}

/** A name that JavaScript keeps for itself: values under it would be lost on the way. */
export const LOST_NAME = "__proto__";
export const LOST_NAME_PROBLEM = `The name ${LOST_NAME} cannot be sent from a browser: choose another, or send it with the command line.`;

/** Struct, ListValue and Value. */
export class FreeControl extends Leaf<HTMLTextAreaElement> {
  readonly #kind: { readonly kind?: Json["kind"]; readonly words: string; readonly empty?: Json };

  constructor(making: Making, place: Place, typeName: string) {
    const kind = KINDS[typeName] ?? { words: "any JSON" };
    super(
      making,
      place,
      element("textarea", {
        rows: "3",
        class: "mf-code mf-wide",
        spellcheck: "false",
        placeholder: kind.words.replace(/^.*such as /, ""),
      }),
    );
    this.#kind = kind;
  }

  protected content(): Content {
    const typed = this.input.value;
    const { kind, words, empty } = this.#kind;
    if (typed.trim() === "" && empty) return { json: empty, isZero: false };
    const wrong = (problem: string): Content => ({ json: text(typed), isZero: false, problem });
    if (typed.trim() === "") return wrong(`Write ${words}.`);
    let json: Json;
    try {
      json = parse(typed);
    } catch (error) {
      if (error instanceof JsonError) return wrong(`${placeIn(typed, error.at)}: ${error.message}`);
      throw error;
    }
    if (kind !== undefined && json.kind !== kind) return wrong(`Write ${words}, not ${kindInWords(json)}.`);
    const problem = unsendable(json);
    return problem === undefined ? { json, isZero: false } : { json, isZero: false, problem };
  }

  protected put(json: Json): string | undefined {
    // What could not be read as JSON comes back as a text.
    const isUnread = json.kind === "string" && this.#kind.kind !== undefined;
    this.input.value = isUnread ? json.text : print(json);
    return undefined;
  }

  clear(): void {
    this.input.value = "";
    this.forget();
  }
}

/** What of a value a Struct cannot have. */
function unsendable(json: Json): string | undefined {
  switch (json.kind) {
    case "object":
      if (json.members.some(({ name }) => name === LOST_NAME)) return LOST_NAME_PROBLEM;
      if (json.members.some(({ name }) => !name.isWellFormed())) return "A half of a surrogate pair is no character.";
      return json.members.map(({ value }) => unsendable(value)).find((problem) => problem !== undefined);
    case "array":
      return json.items.map(unsendable).find((problem) => problem !== undefined);
    case "string":
      return json.text.isWellFormed() ? undefined : "A half of a surrogate pair is no character.";
    case "number":
      return Number.isFinite(Number(json.text)) ? undefined : `${json.text} is too large: numbers are doubles here.`;
    default:
      return undefined;
  }
}

/** google.protobuf.FieldMask: a path on each line, or between commas, with names as the schema has them. */
export class MaskControl extends Leaf<HTMLTextAreaElement> {
  constructor(making: Making, place: Place) {
    super(
      making,
      place,
      element("textarea", {
        rows: "2",
        class: "mf-code mf-wide",
        spellcheck: "false",
        placeholder: "item.label\nitem.checked",
      }),
    );
  }

  protected content(): Content {
    const paths = this.input.value.split(/[\s,]+/).filter((path) => path !== "");
    const odd = paths.find((path) => !/^[A-Za-z_][\w.]*$/.test(path));
    const json = text(paths.map(protoCamelCase).join(","));
    if (odd !== undefined)
      return { json, isZero: false, problem: `“${odd}” is no path: write names of fields with points between them.` };
    const lost = paths.find((path) => protoSnakeCase(protoCamelCase(path)) !== path);
    if (lost !== undefined) {
      return {
        json,
        isZero: false,
        problem: `“${lost}” has no form in JSON, through which it is sent: write names like item_label.`,
      };
    }
    return { json, isZero: false };
  }

  protected put(json: Json): string | undefined {
    if (json.kind !== "string")
      return `Write the paths as one text with commas between them here, not ${kindInWords(json)}.`;
    this.input.value = json.text.split(",").map(protoSnakeCase).join("\n");
    return undefined;
  }

  clear(): void {
    this.input.value = "";
    this.forget();
  }
}

/** What stands where messages lie too deep in each other for a form. */
export class BottomControl extends Leaf<HTMLElement> {
  constructor(making: Making, place: Place) {
    super(making, place, element("p", { class: "mf-empty" }, "A form goes no deeper: this message is sent empty."));
  }

  protected content(): Content {
    return { json: object([]), isZero: true };
  }

  protected put(json: Json): string | undefined {
    const isEmpty = json.kind === "object" && json.members.length === 0;
    return isEmpty ? undefined : "A form goes no deeper: send this with the command line.";
  }

  clear(): void {
    this.forget();
  }
}
