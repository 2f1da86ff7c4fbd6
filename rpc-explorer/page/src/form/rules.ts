// The rules of a field (buf.validate): in words, and what of a value breaks them. The server refuses what breaks a rule; here it is
// noted only, so that a person can see the refusal. Judged are the rules that contracts declare; others are told. No DOM.

import { type DescField, type DescOneof, getOption, hasOption, type Registry } from "@bufbuild/protobuf";
import { isReflectList, isReflectMessage, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { hexOf } from "./bytes.js";
import { durationInWords, FORMATS, hasFormat, momentInWords } from "./formats.js";
import { isNull, type Json } from "./json.js";

/** What holds for a value. */
export interface Rules {
  /** Whether the field has to be there: set, or not the zero value. */
  readonly required: boolean;
  /** Each rule, such as "1 to 200 characters". */
  readonly words: readonly string[];
  /** What fits the input of a single value, such as `inputmode`. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Which rules a value breaks: sentences. */
  broken(json: Json): readonly string[];
  /** The most characters that there may be, where a rule says so. */
  readonly mostCharacters?: number;
  /** Of the items of a list, and the keys and values of a map. */
  readonly items?: Rules;
  readonly keys?: Rules;
  readonly values?: Rules;
}

export const NO_RULES: Rules = { required: false, words: [], attributes: {}, broken: () => [] };

/** The rules of a field and of what is in it, in words. */
export function wordsOf({ words, keys, values, items }: Rules): string[] {
  return [
    ...words,
    ...(keys?.words ?? []).map((words) => `keys: ${words}`),
    ...(values?.words ?? []).map((words) => `values: ${words}`),
    ...(items?.words ?? []).map((words) => `each: ${words}`),
  ];
}

/** How long a text may be that a pattern is tried on here: JavaScript's patterns can take long. */
const LONGEST_TRIED = 1000;

/** The rules of a field; none where the registry does not know what rules are. */
export function rulesOf(field: DescField, registry: Registry): Rules {
  const extension = registry.getExtension("buf.validate.field");
  if (!extension?.message || !hasOption(field, extension)) return NO_RULES;
  const found = getOption(field, extension);
  return rules(facts(reflect(extension.message, found as Parameters<typeof reflect>[1])));
}

/** Whether one of a oneof has to be chosen. */
export function isChoiceRequired(oneof: DescOneof, registry: Registry): boolean {
  const extension = registry.getExtension("buf.validate.oneof");
  if (!extension?.message || !hasOption(oneof, extension)) return false;
  const found = getOption(oneof, extension);
  return facts(reflect(extension.message, found as Parameters<typeof reflect>[1])).get("required") === true;
}

/** What is set in a message, by the names of its fields. */
type Facts = ReadonlyMap<string, unknown>;

function facts(message: ReflectMessage): Facts {
  return new Map(
    message.fields.filter((field) => message.isSet(field)).map((field) => [field.name, message.get(field)]),
  );
}

/** The one rule: its words, and whether a value keeps it; rules that are not judged here are kept by all. */
interface Rule {
  readonly words: string;
  readonly keeps?: (json: Json) => boolean;
  readonly attributes?: Readonly<Record<string, string>>;
}

function rules(all: Facts): Rules {
  const found: Rule[] = [];
  const parts: { items?: Rules; keys?: Rules; values?: Rules; mostCharacters?: number } = {};
  for (const [name, value] of all) {
    if (name === "cel" || name === "cel_expression") found.push(...expressions(value));
    if (name === "ignore" || name === "required" || !isReflectMessage(value)) continue;
    const typed = facts(value);
    found.push(...range(typed), ...sizes(typed, name), ...texts(typed), ...others(typed));
    const most = typed.get("max_len");
    if (name === "string" && typeof most === "bigint") parts.mostCharacters = Number(most);
    for (const part of ["items", "keys", "values"] as const) {
      const inner = typed.get(part);
      if (isReflectMessage(inner)) parts[part] = rules(facts(inner));
    }
  }
  const required = all.get("required") === true;
  return {
    required,
    words: found.map(({ words }) => words),
    attributes: Object.assign({}, ...found.map(({ attributes }) => attributes)),
    broken: (json) => found.filter(({ keeps }) => keeps?.(json) === false).map(({ words }) => `The rule is: ${words}.`),
    ...parts,
  };
}

/** Rules that are written as expressions: what they say of themselves. */
function expressions(value: unknown): Rule[] {
  if (!isReflectList(value)) return [];
  return [...value].flatMap((item) => {
    if (typeof item === "string") return [{ words: item }];
    if (!isReflectMessage(item)) return [];
    const rule = facts(item);
    const words = rule.get("message") || rule.get("id") || rule.get("expression");
    return typeof words === "string" ? [{ words }] : [];
  });
}

/** A bound, of a number or of a time. */
type Bound = number | bigint | ReflectMessage;

function range(typed: Facts): Rule[] {
  const get = (name: string) => typed.get(name) as Bound | undefined;
  const least = get("gte");
  const most = get("lte");
  const above = get("gt");
  const below = get("lt");
  const lower = least ?? above;
  const upper = most ?? below;
  if (lower === undefined && upper === undefined) return [];
  // With the upper end below the lower one, it is what lies outside that is wanted.
  const isOutside = lower !== undefined && upper !== undefined && isBefore(upper, lower);
  const isKept = (json: Json) => {
    const number = numberOf(json);
    if (number === undefined || isReflectMessage(lower) || isReflectMessage(upper)) return true;
    // NaN is in no range.
    const isAbove = lower === undefined || (least !== undefined ? number >= lower : number > lower);
    const isBelow = upper === undefined || (most !== undefined ? number <= upper : number < upper);
    return isOutside ? isAbove || isBelow : isAbove && isBelow;
  };
  const words =
    least !== undefined && most !== undefined && !isOutside
      ? `from ${told(least)} to ${told(most)}`
      : [
          least !== undefined ? `at least ${told(least)}` : above !== undefined ? `more than ${told(above)}` : "",
          most !== undefined ? `at most ${told(most)}` : below !== undefined ? `less than ${told(below)}` : "",
        ]
          .filter((part) => part !== "")
          .join(isOutside ? " or " : " and ");
  return [{ words, keeps: isKept }];
}

/** Whether a bound is below another of its kind. Of times, the seconds say it, and where they are the same the nanoseconds. */
function isBefore(bound: Bound, other: Bound): boolean {
  if (!isReflectMessage(bound) || !isReflectMessage(other)) return bound < other;
  const part = (message: ReflectMessage, name: string) =>
    message.get(message.fields.find((field) => field.name === name) as DescField) as number | bigint;
  const [seconds, others] = [part(bound, "seconds"), part(other, "seconds")];
  return seconds === others ? part(bound, "nanos") < part(other, "nanos") : seconds < others;
}

function numberOf(json: Json): number | bigint | undefined {
  if (json.kind !== "number" && json.kind !== "string") return undefined;
  return /^-?\d+$/.test(json.text) ? BigInt(json.text) : Number(json.text);
}

/** What a bound or a constant is in words. */
function told(value: unknown): string {
  if (value instanceof Uint8Array) return hexOf(value);
  if (isReflectList(value)) return [...value].map(told).join(", ");
  if (!isReflectMessage(value)) return typeof value === "string" ? `“${value}”` : String(value);
  const { typeName } = value.desc;
  const part = (name: string) => value.get(value.fields.find((field) => field.name === name) as DescField);
  if (typeName === "google.protobuf.Duration")
    return durationInWords(BigInt(String(part("seconds"))), Number(part("nanos")));
  if (typeName === "google.protobuf.Timestamp")
    return momentInWords(BigInt(String(part("seconds"))), Number(part("nanos")));
  return typeName;
}

/** How the sizes of each kind are called. */
const SIZES: readonly {
  kinds: readonly string[];
  names: readonly [string, string, string];
  one: string;
  more: string;
}[] = [
  { kinds: ["string"], names: ["min_len", "max_len", "len"], one: "character", more: "characters" },
  { kinds: ["string"], names: ["min_bytes", "max_bytes", "len_bytes"], one: "byte in UTF-8", more: "bytes in UTF-8" },
  { kinds: ["bytes"], names: ["min_len", "max_len", "len"], one: "byte", more: "bytes" },
  { kinds: ["repeated"], names: ["min_items", "max_items", ""], one: "item", more: "items" },
  { kinds: ["map"], names: ["min_pairs", "max_pairs", ""], one: "entry", more: "entries" },
];

function sizes(typed: Facts, kind: string): Rule[] {
  return SIZES.filter(({ kinds }) => kinds.includes(kind)).flatMap(({ names, one, more }) => {
    const [min, max, exact] = names.map((name) => typed.get(name)) as (bigint | undefined)[];
    const least = exact ?? min;
    const most = exact ?? max;
    if (least === undefined && most === undefined) return [];
    const counted = (number: bigint) => `${number} ${number === 1n ? one : more}`;
    let words: string;
    if (least === most && least !== undefined) words = `exactly ${counted(least)}`;
    else if (least === undefined) words = `at most ${counted(most ?? 0n)}`;
    else if (most === undefined) words = `at least ${counted(least)}`;
    else words = `${least} to ${counted(most)}`;
    const keeps = (json: Json) => {
      const size = sizeOf(json, one);
      return size === undefined || ((least === undefined || size >= least) && (most === undefined || size <= most));
    };
    return [{ words, keeps, attributes: kind === "string" && min ? { minlength: String(min) } : {} }];
  });
}

function sizeOf(json: Json, unit: string): number | undefined {
  switch (json.kind) {
    case "array":
      return json.items.length;
    case "object":
      return json.members.length;
    case "string":
      if (unit === "character") return [...json.text].length;
      if (unit === "byte") return Math.floor((json.text.replace(/=+$/, "").length * 3) / 4);
      return new TextEncoder().encode(json.text).length;
    default:
      return undefined;
  }
}

function texts(typed: Facts): Rule[] {
  const found: Rule[] = [];
  const pattern = typed.get("pattern");
  if (typeof pattern === "string") {
    let tried: RegExp | undefined;
    try {
      tried = new RegExp(pattern, "u");
    } catch {
      // Patterns of the server know what those of JavaScript do not. It is told, and not judged.
    }
    const keeps = (json: Json) =>
      json.kind !== "string" || json.text.length > LONGEST_TRIED || tried?.test(json.text) !== false;
    found.push({ words: `matching ${pattern}`, keeps });
  }
  for (const [name, format] of Object.entries(FORMATS)) {
    if (typed.get(name) !== true) continue;
    found.push({
      words: format.words,
      attributes: format.attributes ?? {},
      keeps: (json) => json.kind !== "string" || hasFormat(format, json.text),
    });
  }
  const words = { prefix: "beginning with", suffix: "ending with", contains: "with", not_contains: "without" };
  for (const [name, word] of Object.entries(words)) {
    if (typed.has(name))
      found.push({ words: `${word} ${told(typed.get(name))} in it`.replace(/(ing with .*) in it$/, "$1") });
  }
  return found;
}

function others(typed: Facts): Rule[] {
  const found: Rule[] = [];
  const value = (name: string) => told(typed.get(name));
  if (typed.has("const")) found.push({ words: `always ${value("const")}` });
  const lists = { in: "one of", not_in: "none of" };
  for (const [name, word] of Object.entries(lists)) {
    const list = typed.get(name);
    if (isReflectList(list) && list.size > 0) found.push({ words: `${word} ${told(list)}` });
  }
  if (typed.get("defined_only") === true) found.push({ words: "one of the values that are listed" });
  if (typed.get("unique") === true) found.push({ words: "each item once", keeps: isEachOnce });
  if (typed.get("finite") === true) {
    const isOrdinary = (json: Json) => json.kind !== "string" || !/NaN|Infinity/.test(json.text);
    found.push({ words: "neither NaN nor infinite", keeps: isOrdinary });
  }
  if (typed.get("lt_now") === true) found.push({ words: "in the past" });
  if (typed.get("gt_now") === true) found.push({ words: "in the future" });
  if (typed.has("within")) found.push({ words: `within ${value("within")} of now` });
  return found;
}

function isEachOnce(json: Json): boolean {
  if (json.kind !== "array") return true;
  const texts = json.items.map((item) => ("text" in item ? item.text : JSON.stringify(item)));
  return isNull(json) || new Set(texts).size === texts.length;
}
