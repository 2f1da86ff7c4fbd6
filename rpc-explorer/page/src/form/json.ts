// JSON with places: what is wrong is told by line and column, numbers stay as they are written (a 64-bit one has more digits than a
// JavaScript number), and a name that stands twice is seen. It knows nothing of protobuf.

import type { JsonValue } from "@bufbuild/protobuf";

/** A value, and where in the text it begins. What a form has made begins at 0. */
export type Json = { readonly at: number } & (
  | { readonly kind: "object"; readonly members: readonly Member[] }
  | { readonly kind: "array"; readonly items: readonly Json[] }
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "number"; readonly text: string }
  | { readonly kind: "literal"; readonly text: "true" | "false" | "null" }
);

/** A name in an object, and its value. */
export interface Member {
  readonly name: string;
  readonly at: number;
  readonly value: Json;
}

/** What is wrong with a text, and where. */
export class JsonError extends Error {
  override readonly name = "JsonError";

  constructor(
    readonly at: number,
    message: string,
  ) {
    super(message);
  }
}

/** How deep values may lie in each other: as deep as protobuf reads JSON. */
const MAX_DEPTH = 100;

/** How many values a text may have. Each becomes something that can be filled in. */
const MAX_VALUES = 20_000;

export const text = (text: string): Json => ({ kind: "string", text, at: 0 });
export const number = (text: string): Json => ({ kind: "number", text, at: 0 });
export const literal = (value: boolean | null): Json => ({
  kind: "literal",
  text: value === null ? "null" : value ? "true" : "false",
  at: 0,
});
export const array = (items: readonly Json[]): Json => ({ kind: "array", items, at: 0 });
export const object = (members: readonly Member[]): Json => ({ kind: "object", members, at: 0 });
export const member = (name: string, value: Json): Member => ({ name, value, at: 0 });

export function isNull(json: Json): boolean {
  return json.kind === "literal" && json.text === "null";
}

/** What a value is, in words. */
export function kindInWords(json: Json): string {
  const words = { object: "an object", array: "a list", string: "a text", number: "a number" };
  return json.kind === "literal" ? json.text : words[json.kind];
}

/** Where in a text something stands. */
export function place(source: string, at: number): string {
  const before = source.slice(0, at).split("\n");
  const line = before[before.length - 1] ?? "";
  return `Line ${before.length}, column ${[...line].length + 1}`;
}

/**
 * Reads a text.
 *
 * @throws JsonError where it is not JSON, has a name twice in one object, or is larger or deeper than a form holds.
 */
export function parse(source: string): Json {
  return new Parser(source).whole();
}

/** Writes a value, with a line for each part of it. */
export function print(json: Json): string {
  return plain(lines(json, ""));
}

/**
 * What is not seen, or is taken for something else: what `rpc_runtime::text::is_hidden` says. The controls in front of a space are not
 * here: in a text JSON has numbers for them already, and elsewhere they are its lines.
 */
const UNSEEN =
  /[\u180b-\u180f]|[\u034f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;

/** JSON in which nothing looks like what it is not: what is not seen, or turns the direction of what follows, is a number. */
export function plain(json: string): string {
  // What lies beyond 16 bits is two numbers in JSON.
  return json.replace(UNSEEN, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

function lines(json: Json, indent: string): string {
  const inner = `${indent}  `;
  const block = (open: string, parts: readonly string[], close: string) =>
    parts.length === 0 ? open + close : `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
  switch (json.kind) {
    case "object": {
      const members = json.members.map(({ name, value }) => `${JSON.stringify(name)}: ${lines(value, inner)}`);
      return block("{", members, "}");
    }
    case "array":
      return block(
        "[",
        json.items.map((item) => lines(item, inner)),
        "]",
      );
    case "string":
      return JSON.stringify(json.text);
    default:
      return json.text;
  }
}

/** The same as JavaScript has it. */
export function toValue(json: Json): JsonValue {
  switch (json.kind) {
    case "object":
      return Object.fromEntries(json.members.map(({ name, value }) => [name, toValue(value)]));
    case "array":
      return json.items.map(toValue);
    case "string":
      return json.text;
    case "number":
      return Number(json.text);
    case "literal":
      return JSON.parse(json.text) as JsonValue;
  }
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[\p{L}\p{N}_$.+-]+/uy;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class Parser {
  #at = 0;
  #depth = 0;
  #values = 0;

  constructor(readonly source: string) {}

  whole(): Json {
    const json = this.#value();
    this.#space();
    if (this.#at < this.source.length) this.#fail(`Nothing may follow the value: take away ${this.#next()}.`);
    return json;
  }

  #fail(message: string, at = this.#at): never {
    throw new JsonError(at, message);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.source)?.[0];
    if (found) this.#at += found.length;
    return found;
  }

  #space(): void {
    this.#match(SPACE);
  }

  /** What stands here, for a sentence. */
  #next(): string {
    if (this.#at >= this.source.length) return "the end of the text";
    WORD.lastIndex = this.#at;
    const word = WORD.exec(this.source)?.[0] ?? String.fromCodePoint(this.source.codePointAt(this.#at) ?? 0);
    return `“${word.slice(0, 30)}”`;
  }

  #value(): Json {
    this.#space();
    const at = this.#at;
    this.#values += 1;
    if (this.#values > MAX_VALUES) this.#fail(`A form holds at most ${MAX_VALUES} values: leave some out.`);
    switch (this.source[at]) {
      case "{":
        return { kind: "object", at, members: this.#nested(() => this.#members()) };
      case "[":
        return { kind: "array", at, items: this.#nested(() => this.#items()) };
      case '"':
        return { kind: "string", at, text: this.#string() };
      case "'":
        return this.#fail("Texts stand in double quotes: write \" for '.");
      case undefined:
        return this.#fail("The text ends where a value is missing.");
    }
    const word = this.#match(WORD);
    if (word === "true" || word === "false" || word === "null") return { kind: "literal", at, text: word };
    this.#at = at;
    const digits = this.#match(NUMBER);
    if (digits !== undefined && digits === (word ?? digits)) return { kind: "number", at, text: digits };
    this.#at = at;
    if (digits !== undefined) this.#fail(`${this.#next()} is not a number as JSON writes it, such as -1.5e3.`);
    this.#fail(
      `A value is missing before ${this.#next()}: write a text in double quotes, a number, true, false or null.`,
    );
  }

  #nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.#fail(`Values lie in each other at most ${MAX_DEPTH} deep.`);
    this.#at += 1;
    const inside = read();
    this.#depth -= 1;
    return inside;
  }

  #members(): Member[] {
    const members: Member[] = [];
    const seen = new Set<string>();
    this.#each("}", () => {
      const at = this.#at;
      if (this.source[at] !== '"') this.#fail(`A name in double quotes is missing before ${this.#next()}.`);
      const name = this.#string();
      if (seen.has(name)) this.#fail(`“${name}” stands twice in this object: keep one of them.`, at);
      seen.add(name);
      this.#space();
      if (this.source[this.#at] !== ":") this.#fail(`A colon is missing before ${this.#next()}.`);
      this.#at += 1;
      members.push({ name, at, value: this.#value() });
    });
    return members;
  }

  #items(): Json[] {
    const items: Json[] = [];
    this.#each("]", () => items.push(this.#value()));
    return items;
  }

  /** Reads what stands between commas, up to the end and with it. */
  #each(end: string, read: () => void): void {
    this.#space();
    if (this.source[this.#at] === end) {
      this.#at += 1;
      return;
    }
    for (;;) {
      this.#space();
      read();
      this.#space();
      const next = this.source[this.#at];
      const at = this.#at;
      if (next !== end && next !== ",") this.#fail(`A comma or “${end}” is missing before ${this.#next()}.`);
      this.#at += 1;
      if (next === end) return;
      this.#space();
      if (this.source[this.#at] === end) this.#fail(`Take away the comma: nothing follows it before “${end}”.`, at);
    }
  }

  #string(): string {
    const begin = this.#at;
    let read = "";
    for (let at = begin + 1; ; at += 1) {
      const character = this.source[at];
      if (character === '"') {
        this.#at = at + 1;
        return read;
      }
      if (character === undefined) this.#fail("This text has no closing quote.", begin);
      if (character < " ")
        this.#fail("A new line or a control character in a text is written as \\n, \\t or \\u0000.", at);
      if (character !== "\\") {
        read += character;
        continue;
      }
      at += 1;
      const code = /^[\da-fA-F]{4}/.exec(this.source.slice(at + 1, at + 5))?.[0];
      const meant = ESCAPES[this.source[at] ?? ""];
      if (meant !== undefined) {
        read += meant;
      } else if (this.source[at] === "u" && code !== undefined) {
        read += String.fromCharCode(Number.parseInt(code, 16));
        at += 4;
      } else {
        this.#fail("A backslash is written twice in a text: \\\\.", at - 1);
      }
    }
  }
}
