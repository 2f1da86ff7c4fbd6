// Messages as JSON, coloured by what stands there. All of it is text.

import { type DescMessage, type Message, type Registry, toJson } from "@bufbuild/protobuf";
import { element } from "../dom.js";
import { plain } from "../form/json.js";
import { introduced } from "./strangers.js";

/** Strings (a key is one that a colon follows), numbers, words. */
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*)|(true|false|null)/g;

/** What is longer is not coloured: so many elements would hold the page up. */
const MOST_COLOURED = 100_000;

/** A message in JSON, with all of its fields. */
export function jsonOf(desc: DescMessage, message: Message, registry?: Registry, space = 2): string {
  try {
    const known = introduced(desc, message, registry);
    const json = toJson(desc, known.message, { alwaysEmitImplicit: true, registry: known.registry });
    return plain(JSON.stringify(json, null, space));
  } catch (error) {
    // Such as an `Any` that does not decode as what it says it is.
    return `// This has no JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** JSON to be looked at. */
export function jsonView(json: string): HTMLElement {
  // What scrolls is reached by the keyboard.
  return element("pre", { class: "json", tabindex: 0, translate: "no" }, element("code", {}, ...coloured(json)));
}

function coloured(json: string): (Node | string)[] {
  if (json.length > MOST_COLOURED) return [json];
  const parts: (Node | string)[] = [];
  let from = 0;
  for (const match of json.matchAll(TOKEN)) {
    const [all, text, colon, number] = match;
    if (match.index > from) parts.push(json.slice(from, match.index));
    const kind =
      text !== undefined ? (colon !== undefined ? "key" : "text-value") : number !== undefined ? "number" : "word";
    const shown = text ?? all;
    parts.push(element("span", { class: `json-${kind}` }, shown));
    if (colon !== undefined) parts.push(colon);
    from = match.index + all.length;
  }
  parts.push(json.slice(from));
  return parts;
}
