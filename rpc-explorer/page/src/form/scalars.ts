// Numbers and texts as they are typed, and what is wrong with them. No DOM.

import { ScalarType } from "@bufbuild/protobuf";
import { type Json, number, text } from "./json.js";

/** What stands in a control: its JSON, and whether it is the type's zero value; or why it cannot be encoded. */
export interface Content {
  readonly json: Json;
  readonly isZero: boolean;
  /** A sentence that says what to write. The JSON is what stands there then, as it is. */
  readonly problem?: string;
}

/** The range of an integer type. */
const RANGES: ReadonlyMap<ScalarType, readonly [bigint, bigint]> = new Map(
  [
    { signed: true, bits: 32n, types: [ScalarType.INT32, ScalarType.SINT32, ScalarType.SFIXED32] },
    { signed: true, bits: 64n, types: [ScalarType.INT64, ScalarType.SINT64, ScalarType.SFIXED64] },
    { signed: false, bits: 32n, types: [ScalarType.UINT32, ScalarType.FIXED32] },
    { signed: false, bits: 64n, types: [ScalarType.UINT64, ScalarType.FIXED64] },
  ].flatMap(({ signed, bits, types }) => {
    const range = signed
      ? ([-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] as const)
      : ([0n, (1n << bits) - 1n] as const);
    return types.map((type) => [type, range] as const);
  }),
);

const LARGEST_FLOAT = 3.4028234663852886e38;

/** How many digits of an integer are read at most: what is longer is out of every range, however it ends. */
const MAX_DIGITS = 400;

export function isInteger(type: ScalarType): boolean {
  return RANGES.has(type);
}

/** Reads what is typed for a number. Nothing typed is zero. */
export function readNumber(type: ScalarType, typed: string): Content {
  const trimmed = typed.trim();
  if (trimmed === "") return { json: zero(type), isZero: true };
  return isInteger(type) ? readInteger(type, trimmed) : readFloat(type, trimmed);
}

function zero(type: ScalarType): Json {
  return isLong(type) ? text("0") : number("0");
}

/** 64-bit integers are texts in JSON. */
function isLong(type: ScalarType): boolean {
  return (RANGES.get(type)?.[1] ?? 0n) > 0xffff_ffffn;
}

function readInteger(type: ScalarType, typed: string): Content {
  const [least, most] = RANGES.get(type) ?? [0n, 0n];
  const value = integer(typed);
  if (value === undefined || value < least || value > most) {
    return { json: text(typed), isZero: false, problem: `Write a whole number from ${least} to ${most}.` };
  }
  const written = value.toString();
  return { json: isLong(type) ? text(written) : number(written), isZero: value === 0n };
}

/** The exact integer that a decimal number is, also where it has an exponent or zeros behind its point. */
function integer(typed: string): bigint | undefined {
  const [, sign, whole = "", rest = "", exponent = "0"] =
    /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(typed) ?? [];
  if (whole === "" || typed.length > MAX_DIGITS || Math.abs(Number(exponent)) > MAX_DIGITS) return undefined;
  const shift = Number(exponent) - rest.length;
  const power = 10n ** BigInt(Math.abs(shift));
  const digits = BigInt(whole + rest);
  if (shift < 0 && digits % power !== 0n) return undefined;
  const value = shift < 0 ? digits / power : digits * power;
  return sign === "-" ? -value : value;
}

const SPECIAL: Readonly<Record<string, string>> = { nan: "NaN", inf: "Infinity", infinity: "Infinity" };

function readFloat(type: ScalarType, typed: string): Content {
  const [, sign = "", word = ""] = /^([+-]?)([a-z]+)$/i.exec(typed) ?? [];
  const special = SPECIAL[word.toLowerCase()];
  if (special !== undefined) {
    const written = sign === "-" && special !== "NaN" ? `-${special}` : special;
    return { json: text(written), isZero: false };
  }
  const problem = (problem: string): Content => ({ json: text(typed), isZero: false, problem });
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(typed)) {
    return problem("Write a number such as -1.5 or 2e10, or NaN, Infinity or -Infinity.");
  }
  const value = Number(typed);
  const most = type === ScalarType.FLOAT ? LARGEST_FLOAT : Number.MAX_VALUE;
  if (Math.abs(value) > most) return problem(`Write a number from -${most} to ${most}, or Infinity or -Infinity.`);
  // JavaScript writes the negative zero without its sign.
  if (Object.is(value, -0)) return { json: text("-0"), isZero: false };
  return { json: number(String(value)), isZero: value === 0 };
}

/** Reads a text. */
export function readText(typed: string): Content {
  const problem = typed.isWellFormed()
    ? {}
    : { problem: "A half of a surrogate pair is no character: write the whole, such as \\ud83d\\ude00 in JSON." };
  return { json: text(typed), isZero: typed === "", ...problem };
}
