// Errors and texts in words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { loginProblem, refusal, waitInWords, why } from "../src/words/errors.js";
import { plain, quote, visible } from "../src/words/text.js";

/** An error as a client gives it, with one detail. */
function failed(code: Code, type: string, value: Uint8Array<ArrayBuffer>): ConnectError {
  const error = new ConnectError("in the server's words", code);
  error.details.push({ type, value });
  return error;
}

const violation = (field: string, rule: string, message: string) => {
  const element = new BinaryWriter().tag(2, 2).string(field).finish();
  const path = new BinaryWriter().tag(1, 2).bytes(element).finish();
  const one = new BinaryWriter().tag(5, 2).bytes(path).tag(2, 2).string(rule).tag(3, 2).string(message).finish();
  return new BinaryWriter().tag(1, 2).bytes(one).finish();
};

test("a_server_that_asks_to_wait_is_understood", () => {
  const delay = toBinary(DurationSchema, create(DurationSchema, { seconds: 5n, nanos: 200_000_000 }));
  const info = new BinaryWriter().tag(1, 2).bytes(delay).finish();
  const error = failed(Code.ResourceExhausted, "google.rpc.RetryInfo", info);
  assert.deepEqual(loginProblem(error), { form: "That were too many tries.", waitMs: 5_200 });
  assert.equal(waitInWords(5_200), "6 seconds");
  assert.equal(waitInWords(300), "a second");
  assert.equal(waitInWords(600_000), "10 minutes");
});

test("a_broken_rule_is_said_of_its_field", () => {
  const violations = "buf.validate.Violations";
  const long = violation("label", "string.max_len", "must be at most 200 characters");
  const error = failed(Code.InvalidArgument, violations, long);
  const words = plain(refusal({ kind: "add", key: "new", label: "a".repeat(201), checked: false }, "", error));
  assert.match(words, /^“a+…” was not added: it is too long. It has 201 characters; 200 is the most.$/);
  const name = violation("name", "string.pattern", "does not match");
  const password = violation("password", "string.min_len", "must be at least 8 characters");
  const both = new Uint8Array([...name, ...password]);
  const problem = loginProblem(failed(Code.InvalidArgument, violations, both));
  assert.match(problem.name ?? "", /small letter/);
  assert.equal(problem.password, "A password has eight characters or more.");
  assert.equal(problem.form, undefined);
});

test("details_that_do_not_decode_are_as_if_there_were_none", () => {
  const error = failed(Code.InvalidArgument, "buf.validate.Violations", new Uint8Array([0x0a, 0xff, 0x01]));
  assert.equal(plain(why("x", error)), "the server does not take this text.");
});

test("no_error_is_said_in_codes_or_names_of_the_inside", () => {
  for (const code of Object.values(Code).filter((code) => typeof code === "number")) {
    const error = new ConnectError("sqlx: pool timed out", code as Code);
    const said = plain(refusal({ kind: "remove", key: "1" }, "milk", error));
    assert.ok(said.startsWith("“milk” was not removed: "), said);
    if (code === Code.Internal || code === Code.Unknown) assert.ok(!said.includes("sqlx"), said);
    assert.ok(!/\[|\b(INTERNAL|UNKNOWN)\b/.test(said), said);
    const texts = Object.values(loginProblem(error)).map(String);
    assert.ok(texts.length > 0 && texts.every((text) => !text.includes("sqlx")), `${code}: ${texts}`);
  }
});

test("characters_that_are_not_seen_are_shown_by_their_numbers", () => {
  assert.equal(visible("a\u0000b\u0007\u009b\u202egpj.exe\u2066"), "a[U+0000]b[U+0007][U+009B][U+202E]gpj.exe[U+2066]");
  assert.equal(visible("שלום\u200f 👩‍👩‍👧"), "שלום\u200f 👩‍👩‍👧", "marks and joiners that texts need stay");
  assert.equal(plain([quote("x".repeat(100))]).length, 62);
});
