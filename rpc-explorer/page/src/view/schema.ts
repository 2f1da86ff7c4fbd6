// Messages and enums as their `.proto` has them, with docs and rules, and links from each type to its page.

import type { DescEnum, DescField, DescMessage, DescOneof, Registry } from "@bufbuild/protobuf";
import { type Child, element } from "../dom.js";
import { docsOf } from "../form/docs.js";
import { rulesOf, wordsOf } from "../form/rules.js";
import { scalarName } from "../form/words.js";
import { paragraphs } from "../parts.js";

/** Makes a link to the page of a type. */
export type LinkTo = (typeName: string, ...children: readonly Child[]) => HTMLElement;

/** So many types are shown below one: what those name beyond has a page of its own. */
const MOST_TYPES = 12;

/** What names of types are: headings of the page, or below one. */
type Level = "h2" | "h3";

/** A message and the types that it is made of, or an enum. */
export function schemaOf(desc: DescMessage | DescEnum, registry: Registry, link: LinkTo, level: Level): HTMLElement {
  const types = new Map<string, DescMessage | DescEnum>();
  const queue: (DescMessage | DescEnum)[] = [desc];
  for (let next = queue.shift(); next; next = queue.shift()) {
    if (types.has(next.typeName) || types.size >= MOST_TYPES) continue;
    types.set(next.typeName, next);
    if (next.kind === "message") queue.push(...next.fields.flatMap(named));
  }
  const shown = [...types.values()];
  return element(
    "div",
    { class: "schema" },
    ...shown.map((type) =>
      type.kind === "message" ? messageView(type, registry, link, level) : enumView(type, link, level),
    ),
  );
}

/** The types of a program's own that a field names. */
function named(field: DescField): (DescMessage | DescEnum)[] {
  const found = field.message ?? field.enum;
  return found && !found.typeName.startsWith("google.protobuf.") ? [found] : [];
}

/** A type by its name and its docs, and what is in it. */
function typeView(desc: DescMessage | DescEnum, link: LinkTo, level: Level, table: HTMLElement): HTMLElement {
  return element(
    "section",
    { class: "type" },
    element(
      level,
      { class: "type-name" },
      element("span", { class: "word" }, `${desc.kind} `),
      link(desc.typeName, desc.typeName),
    ),
    ...paragraphs(docsOf(desc)),
    table,
  );
}

function messageView(desc: DescMessage, registry: Registry, link: LinkTo, level: Level): HTMLElement {
  const rows = desc.members.flatMap((member) =>
    member.kind === "oneof" ? choiceRows(member, registry, link) : [row(member, registry, link)],
  );
  return typeView(
    desc,
    link,
    level,
    rows.length === 0
      ? element("p", { class: "soft" }, "It has no fields.")
      : element(
          "table",
          { class: "fields" },
          element("thead", { class: "unseen" }, headRow("Number", "Field", "Type", "What it is")),
          element("tbody", {}, ...rows),
        ),
  );
}

function headRow(...names: readonly string[]): HTMLElement {
  return element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name)));
}

function choiceRows(oneof: DescOneof, registry: Registry, link: LinkTo): HTMLElement[] {
  const head = element(
    "tr",
    { class: "oneof" },
    element("td", {}),
    element(
      "td",
      { colspan: 3 },
      element("span", { class: "word" }, "one of "),
      element("code", {}, oneof.name),
      ...paragraphs(docsOf(oneof)),
    ),
  );
  return [head, ...oneof.fields.map((field) => row(field, registry, link, "in-oneof"))];
}

function row(field: DescField, registry: Registry, link: LinkTo, className = ""): HTMLElement {
  const rules = rulesOf(field, registry);
  const words = [
    ...(field.proto.options?.deprecated === true ? ["deprecated"] : []),
    ...(rules.required ? ["required"] : []),
    ...wordsOf(rules),
  ];
  return element(
    "tr",
    { class: className },
    element("td", { class: "number" }, String(field.number)),
    element("td", { class: "field" }, element("code", {}, field.name)),
    element("td", { class: "of-type" }, ...typeOf(field, link)),
    element(
      "td",
      {},
      ...paragraphs(docsOf(field)),
      words.length > 0 && element("p", { class: "rules" }, words.join(" · ")),
    ),
  );
}

function typeOf(field: DescField, link: LinkTo): Child[] {
  const one = (): Child => {
    const type = field.message ?? field.enum;
    if (type) return link(type.typeName, element("code", {}, type.name));
    return element("code", {}, field.scalar === undefined ? "" : scalarName(field.scalar));
  };
  switch (field.fieldKind) {
    case "map":
      return [element("code", {}, `map<${scalarName(field.mapKey)}, `), one(), element("code", {}, ">")];
    case "list":
      return [element("span", { class: "word" }, "repeated "), one()];
    default:
      return [field.proto.proto3Optional === true && element("span", { class: "word" }, "optional "), one()];
  }
}

function enumView(desc: DescEnum, link: LinkTo, level: Level): HTMLElement {
  return typeView(
    desc,
    link,
    level,
    element(
      "table",
      { class: "fields" },
      element("thead", { class: "unseen" }, headRow("Number", "Value", "What it is")),
      element(
        "tbody",
        {},
        ...desc.values.map((value) =>
          element(
            "tr",
            {},
            element("td", { class: "number" }, String(value.number)),
            element("td", { class: "field" }, element("code", {}, value.name)),
            element("td", {}, ...paragraphs(docsOf(value))),
          ),
        ),
      ),
    ),
  );
}
