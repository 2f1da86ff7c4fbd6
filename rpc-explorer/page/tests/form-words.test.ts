// What of forms needs no page: JSON with places, numbers, bytes and times as they are typed, docs and rules in words.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ScalarType } from "@bufbuild/protobuf";
import { decode, encode } from "../src/form/bytes.js";
import { docsOf } from "../src/form/docs.js";
import { JsonError, parse, place, print, text, toValue } from "../src/form/json.js";
import { isChoiceRequired, rulesOf } from "../src/form/rules.js";
import { readNumber, readText } from "../src/form/scalars.js";
import { readDuration, readTimestamp, type Time } from "../src/form/times.js";
import { field, message, registry } from "./form/schemas.js";

/** What is wrong with a text that is no JSON. */
function wrong(source: string): string {
  try {
    parse(source);
  } catch (error) {
    if (error instanceof JsonError) return `${place(source, error.at)}: ${error.message}`;
    throw error;
  }
  return "";
}

test("what_is_no_json_is_told_by_its_line_and_column_with_what_to_write", () => {
  const told: Readonly<Record<string, string>> = {
    "": "Line 1, column 1: The text ends where a value is missing.",
    "{": "Line 1, column 2: A name in double quotes is missing before the end of the text.",
    '{"a": 1,\n}': "Line 1, column 8: Take away the comma: nothing follows it before “}”.",
    '{"a" 1}': "Line 1, column 6: A colon is missing before “1”.",
    '{"a": 1 "b": 2}': 'Line 1, column 9: A comma or “}” is missing before “"”.',
    "{a: 1}": "Line 1, column 2: A name in double quotes is missing before “a”.",
    '{\n  "a": 1,\n  "a": 2\n}': "Line 3, column 3: “a” stands twice in this object: keep one of them.",
    "['a']": "Line 1, column 2: Texts stand in double quotes: write \" for '.",
    '["a\nb"]': "Line 1, column 4: A new line or a control character in a text is written as \\n, \\t or \\u0000.",
    '["😀 \\x"]': "Line 1, column 5: A backslash is written twice in a text: \\\\.",
    '["a': "Line 1, column 2: This text has no closing quote.",
    "01": "Line 1, column 1: “01” is not a number as JSON writes it, such as -1.5e3.",
    "1.": "Line 1, column 1: “1.” is not a number as JSON writes it, such as -1.5e3.",
    True: "Line 1, column 1: A value is missing before “True”: write a text in double quotes, a number, true, false or null.",
    "1 2": "Line 1, column 3: Nothing may follow the value: take away “2”.",
  };
  for (const [source, sentence] of Object.entries(told)) assert.equal(wrong(source), sentence, source);
  assert.match(wrong("[".repeat(101)), /^Line 1, column 101: Values lie in each other at most 100 deep\.$/);
  assert.match(wrong(`[${"1,".repeat(20_001)}1]`), /A form holds at most 20000 values/);
});

test("json_is_read_and_written_as_it_is_digits_and_order_of_names_with_it", () => {
  const source =
    '{"z": 12345678901234567890, "1": [-0.5e-3, true, null, "\\u00e4\\ud83d\\ude00\\n\\/"], "e": {}, "f": []}';
  const json = parse(source);
  assert.deepEqual(toValue(json), JSON.parse(source));
  assert.equal(
    print(json),
    '{\n  "z": 12345678901234567890,\n  "1": [\n    -0.5e-3,\n    true,\n    null,\n    "ä😀\\n/"\n  ],\n  "e": {},\n  "f": []\n}',
  );
  assert.deepEqual(Object.keys(toValue(parse('{"__proto__": 1}')) as object), ["__proto__"]);
});

test("a_number_is_read_to_its_last_digit_and_what_is_out_of_range_gets_its_range", () => {
  const read = (type: ScalarType, typed: string) => {
    const { json, problem, isZero } = readNumber(type, typed);
    return problem ?? `${print(json)}${isZero ? " zero" : ""}`;
  };
  assert.equal(read(ScalarType.UINT64, "18446744073709551615"), '"18446744073709551615"');
  assert.equal(read(ScalarType.UINT64, "18446744073709551616"), "Write a whole number from 0 to 18446744073709551615.");
  assert.equal(read(ScalarType.INT64, " -9223372036854775808 "), '"-9223372036854775808"');
  assert.equal(read(ScalarType.SINT32, "-2147483649"), "Write a whole number from -2147483648 to 2147483647.");
  assert.equal(read(ScalarType.FIXED32, "4294967296"), "Write a whole number from 0 to 4294967295.");
  assert.equal(read(ScalarType.INT32, "1.5"), "Write a whole number from -2147483648 to 2147483647.");
  assert.equal(read(ScalarType.INT32, "1.20e2"), "120");
  assert.equal(read(ScalarType.INT32, "1e999999999"), "Write a whole number from -2147483648 to 2147483647.");
  assert.equal(read(ScalarType.INT32, "-0"), "0 zero");
  assert.equal(read(ScalarType.INT64, ""), '"0" zero');
  assert.equal(read(ScalarType.DOUBLE, "-inf"), '"-Infinity"');
  assert.equal(read(ScalarType.DOUBLE, "nan"), '"NaN"');
  assert.equal(read(ScalarType.DOUBLE, "-0"), '"-0"');
  assert.equal(read(ScalarType.DOUBLE, ".5"), "0.5");
  assert.equal(
    read(ScalarType.DOUBLE, "1e400"),
    `Write a number from -${Number.MAX_VALUE} to ${Number.MAX_VALUE}, or Infinity or -Infinity.`,
  );
  assert.match(read(ScalarType.FLOAT, "3.5e38"), /^Write a number from -3\.4028234663852886e\+38 to/);
  assert.equal(read(ScalarType.FLOAT, "1,5"), "Write a number such as -1.5 or 2e10, or NaN, Infinity or -Infinity.");
  assert.equal(read(ScalarType.DOUBLE, "0x10"), "Write a number such as -1.5 or 2e10, or NaN, Infinity or -Infinity.");
  assert.match(readText("a\ud800").problem ?? "", /surrogate/);
});

test("bytes_are_read_in_each_notation_and_what_is_none_gets_an_example", () => {
  assert.deepEqual(decode("base64", "AQ ID\n_w"), Uint8Array.of(1, 2, 3, 255));
  assert.deepEqual(decode("hex", "0x01:02 fF"), Uint8Array.of(1, 2, 255));
  assert.deepEqual(decode("text", "ä"), Uint8Array.of(0xc3, 0xa4));
  for (const typed of ["A", "AQ=", "AQ==AQ==", "A$==", "ä"]) {
    assert.match(String(decode("base64", typed)), /^Write base64: .* such as AQID/, typed);
  }
  for (const typed of ["1", "0g", "01 2"]) assert.match(String(decode("hex", typed)), /^Write two digits/, typed);
  assert.equal(encode("text", Uint8Array.of(0xff)), undefined);
  assert.equal(encode("text", Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), "\ufeffa");
  assert.equal(encode("hex", Uint8Array.of(0, 255)), "00 ff");
});

/** A time as it is sent, or what is wrong with it. */
function said(time: Time): string {
  return "text" in time ? time.text : time.problem;
}

test("moments_and_lengths_of_time_are_read_to_the_nanosecond_and_what_is_none_gets_an_example", () => {
  const moment = (typed: string) => said(readTimestamp(typed));
  assert.equal(moment("2026-01-31T13:45:00Z"), "2026-01-31T13:45:00Z");
  assert.equal(moment(" 2026-01-31 13:45:00.120000000z"), "2026-01-31T13:45:00.12Z");
  assert.equal(moment("2026-01-01T00:30:00.000000001+01:00"), "2025-12-31T23:30:00.000000001Z");
  assert.match(moment("2026-01-31"), /^Write a moment such as/);
  assert.match(moment("2026-02-30T00:00:00Z"), /^There is no 2026-02-30 00:00:00/);
  assert.match(moment("2026-01-31T24:00:01Z"), /^There is no/);
  assert.match(moment("0001-01-01T00:00:00+00:01"), /^Write a moment from 0001-01-01T00:00:00Z/);
  assert.match(moment("2026-01-31T00:00:00.1234567890Z"), /at most nine digits/);
  assert.match(moment("2026-01-31T00:00:00+24:00"), /offset from -23:59/);
  const length = (typed: string) => said(readDuration(typed));
  assert.equal(length("1.5s"), "1.5s");
  assert.equal(length("-0.000000001s"), "-0.000000001s");
  assert.equal(length("1h 30m"), "5400s");
  assert.equal(length("250ms"), "0.25s");
  assert.equal(length("1d1us"), "86400.000001s");
  assert.equal(length("-0s"), "0s");
  assert.match(length("1"), /^Write a length of time such as/);
  assert.match(length("0.1ns"), /Nanoseconds are the finest/);
  assert.match(length("315576000001s"), /^Write at most 315576000000s/);
});

test("docs_are_the_comments_of_a_schema_of_whatever_is_declared_in_whatever", () => {
  const order = message("forms.Order");
  assert.equal(docsOf(order), "Somebody who wants something: `orders` by name.");
  assert.equal(
    docsOf(field("forms.Order", "email")),
    "Who wants it.\n\nA second paragraph, with `code` and <b>no markup</b>.",
  );
  assert.equal(docsOf(field("forms.Order", "note")), "");
  const [payment] = order.oneofs;
  assert.ok(payment);
  assert.equal(docsOf(payment), "How it is paid.");
  const [cash] = order.nestedMessages;
  assert.ok(cash);
  assert.equal(docsOf(cash), "In money.");
  assert.equal(docsOf(cash.nestedEnums[0] ?? cash), "Of what.");
  assert.equal(docsOf(cash.nestedEnums[0]?.values[1] ?? cash), "Of Europe.");
  const color = registry.getEnum("forms.Color");
  assert.equal(docsOf(color?.values[1] ?? order), "Like fire.");
});

test("rules_are_told_in_words", () => {
  const words = (name: string) => rulesOf(field("forms.Order", name), registry).words.join("; ");
  assert.equal(words("email"), "an email address");
  assert.equal(words("label"), "1 to 80 characters");
  assert.equal(words("words"), "at most 2000 characters");
  assert.equal(words("amount"), "from 1 to 100");
  assert.equal(words("tags"), "1 to 3 items");
  assert.deepEqual(rulesOf(field("forms.Order", "tags"), registry).items?.words, ["matching ^[a-z]+$"]);
  assert.equal(words("facts"), "at most 2 entries");
  assert.deepEqual(rulesOf(field("forms.Order", "facts"), registry).keys?.words, ["at most 5 characters"]);
  assert.equal(words("card"), "exactly 16 characters");
  assert.equal(words("note"), "a UUID");
  assert.equal(words("key"), "exactly 4 bytes");
  assert.equal(words("wait"), "at most 90 seconds");
  assert.equal(words("rate"), "more than 0 and less than 1; neither NaN nor infinite");
  assert.equal(rulesOf(field("forms.Order", "email"), registry).required, true);
  assert.equal(rulesOf(field("forms.Order", "color"), registry).required, false);
  assert.deepEqual(rulesOf(field("forms.Order", "email"), registry).attributes["inputmode"], "email");
  const [payment] = message("forms.Order").oneofs;
  assert.equal(payment && isChoiceRequired(payment, registry), true);
});

test("a_range_whose_ends_are_the_other_way_round_is_told_as_what_it_means", () => {
  const words = (name: string) => rulesOf(field("forms.Ranges", name), registry).words.join("; ");
  assert.equal(words("outside"), "at least 10 or at most 5");
  assert.equal(words("beyond"), "more than 10 or less than 5");
  assert.equal(words("longer"), "at least 5.000000002 seconds or at most 5.000000001 seconds");
  assert.equal(words("within"), "from 5 seconds to 10 seconds");
  for (const [number, isKept] of [
    [5, true],
    [7, false],
    [10, true],
  ] as const) {
    const problems = rulesOf(field("forms.Ranges", "outside"), registry).broken(parse(String(number)));
    assert.deepEqual(problems, isKept ? [] : ["The rule is: at least 10 or at most 5."], String(number));
  }
});

/** What the rest of the project takes for hidden, in a file that a test of rpc-runtime keeps. */
function hiddenElsewhere(): Set<number> {
  const hidden = new Set<number>();
  for (const line of readFileSync("../../rpc-runtime/tests/hidden.txt", "utf8").trim().split("\n")) {
    const [first = 0, last = 0] = line.split("-").map((number) => Number.parseInt(number, 16));
    for (let code = first; code <= last; code += 1) hidden.add(code);
  }
  return hidden;
}

test("what_is_not_seen_is_written_as_its_number_and_read_again_as_it_was", () => {
  const hidden = hiddenElsewhere();
  assert.ok(hidden.has(0x202e) && !hidden.has(0xfe0f), "the file is read");
  for (let code = 0; code <= 0x10ffff; code += 1) {
    // Halves of what lies beyond 16 bits are no characters.
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const character = String.fromCodePoint(code);
    const written = print(text(`a${character}b`));
    assert.equal(!written.includes(character), hidden.has(code), code.toString(16));
    if (!hidden.has(code)) continue;
    assert.match(written, /^"a(\\[bfnrt]|(\\u[0-9a-f]{4}){1,2})b"$/, written);
    assert.equal(JSON.parse(written), `a${character}b`);
    assert.equal(print(parse(written)), written);
    assert.equal(print(parse(JSON.stringify(`a${character}b`))), written);
  }
  assert.equal(print(parse('"ä 😀 \u0627"')), '"ä 😀 \u0627"');
});

test("what_breaks_a_rule_is_seen_and_what_keeps_it_is_not", () => {
  const cases: readonly [string, unknown, unknown][] = [
    ["email", "a@example.com", "a@"],
    ["label", "😀".repeat(80), "a".repeat(81)],
    ["amount", 100, 0],
    ["tags", ["a", "b"], []],
    ["facts", {}, { a: "1", b: "2", c: "3" }],
    ["card", "1234567890123456", "1"],
    ["note", "123e4567-e89b-12d3-a456-426614174000", "123e4567"],
    ["key", "AQIDBA==", "AQID"],
    ["rate", 0.5, "NaN"],
  ];
  for (const [name, good, bad] of cases) {
    const { broken } = rulesOf(field("forms.Order", name), registry);
    assert.deepEqual(broken(parse(JSON.stringify(good))), [], `${name} keeps its rules`);
    assert.notDeepEqual(broken(parse(JSON.stringify(bad))), [], `${name} breaks a rule`);
  }
});
