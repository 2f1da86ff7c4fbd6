// The rules of contracts in TypeScript: the same messages break the same rules as in the Rust server, whose test reads the
// same recorded answers (rpc-runtime/tests/protovalidate).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { create, fromBinary } from "@bufbuild/protobuf";
import { createValidator, violationsToProto } from "@bufbuild/protovalidate";
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { validateRequests } from "../src/validate.js";
import { type Case, CaseSchema, CaseService } from "./gen/cases_pb.js";

const RECORDED = new URL("../../../../rpc-runtime/tests/protovalidate/", import.meta.url);

function rows(name: string): string[][] {
  const lines = readFileSync(new URL(name, RECORDED), "utf8").split("\n");
  return lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.split("\t"));
}

function bytes(hex: string | undefined): Uint8Array {
  return hex === undefined || hex === "-" ? new Uint8Array() : Buffer.from(hex, "hex");
}

const validator = createValidator();

function violations(message: Case) {
  const result = validator.validate(CaseSchema, message);
  assert.notEqual(result.kind, "error", String(result.error));
  return result.kind === "invalid" ? violationsToProto(result.violations)[0].violations : [];
}

test("the same messages break the same rules as in the server, by path and id", () => {
  // Of what is recorded, the texts are for people, and may be worded otherwise.
  const told = (found: ReturnType<typeof violations>) =>
    found.map(({ field, rule, ruleId, forKey }) => JSON.stringify([field, rule, ruleId, forKey], bigints)).sort();
  const recorded = rows("violations.tsv");
  for (const [name, message, theirs] of recorded) {
    const ours = violations(fromBinary(CaseSchema, bytes(message)));
    const expected = fromBinary(ViolationsSchema, bytes(theirs)).violations;
    assert.deepEqual(told(ours), told(expected), name);
  }
  assert.ok(recorded.length >= 60, `only ${recorded.length} cases`);
});

// Where protovalidate for TypeScript and the one that was recorded disagree with each other; the server keeps to the latter.
const DISAGREED = ["hostname a.a.a.a.a.", "ip ::1%a\u0000", "ip ::ffff:1.2.3.4%x", "uri http://[V1.x]/"];

test("the same strings are addresses, names and identifiers as in the server", () => {
  const recorded = rows("formats.tsv");
  const wrong = recorded.flatMap(([format, hex, holds]) => {
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes(hex));
    const found = violations(create(CaseSchema, { [format as "email"]: text }));
    const broken = found.some((violation) => violation.field?.elements[0]?.fieldName === format);
    return broken === (holds === "yes") ? [`${format} ${text.replace(/(.)\1{9,}/g, "$1")}`] : [];
  });
  assert.deepEqual(wrong, DISAGREED);
  assert.ok(recorded.length >= 260, `only ${recorded.length} strings`);
});

/** A server that counts the requests that reach it, and a client that checks them before. */
function served() {
  const reached = { requests: 0 };
  const transport = createRouterTransport(
    ({ service }) => {
      service(CaseService, {
        check: () => {
          reached.requests += 1;
          return {};
        },
        checkEach: async (requests) => {
          for await (const _ of requests) {
            reached.requests += 1;
          }
          return {};
        },
      });
    },
    { transport: { interceptors: [validateRequests()] } },
  );
  return { client: createClient(CaseService, transport), reached };
}

const kept = () =>
  fromBinary(CaseSchema, bytes(rows("violations.tsv").find(([name]) => name === "all rules kept")?.[1]));

async function refused(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof ConnectError, String(error));
    return error;
  }
  throw new Error("it was not refused");
}

test("a request that breaks rules is refused before it is sent, with the error that the server would answer", async () => {
  const { client, reached } = served();
  const error = await refused(client.check({ ...kept(), minLen: "a", i32: 9 }));
  assert.equal(error.code, Code.InvalidArgument);
  assert.equal(
    error.rawMessage,
    "min_len: must be at least 2 characters [string.min_len]; i32: must be greater than or equal to -5 and less than or equal to 5 [int32.gte_lte]",
  );
  const details = error.findDetails(ViolationsSchema).flatMap((detail) => detail.violations);
  assert.deepEqual(
    details.map((violation) => violation.ruleId),
    ["string.min_len", "int32.gte_lte"],
  );
  assert.equal(reached.requests, 0);
  await client.check(kept());
  assert.equal(reached.requests, 1);
});

test("the message tells of the first three violations and how many more there are", async () => {
  const { client } = served();
  const error = await refused(client.check({}));
  const details = error.findDetails(ViolationsSchema).flatMap((detail) => detail.violations);
  assert.equal(error.rawMessage.split("; ").length, 4);
  assert.ok(error.rawMessage.endsWith(`; and ${details.length - 3} more`), error.rawMessage);
});

test("a message of a stream that breaks a rule ends the call, and those before it were sent", async () => {
  const { client, reached } = served();
  async function* requests() {
    yield kept();
    yield { ...kept(), minLen: "a" };
    yield kept();
  }
  const error = await refused(client.checkEach(requests()));
  assert.equal(error.code, Code.InvalidArgument);
  assert.equal(error.findDetails(ViolationsSchema)[0]?.violations[0]?.ruleId, "string.min_len");
  assert.equal(reached.requests, 1);
});

test("a validator of one's own is asked instead", async () => {
  const transport = createRouterTransport(({ service }) => service(CaseService, { check: () => ({}) }), {
    transport: { interceptors: [validateRequests({ validator: createValidator({ failFast: true }) })] },
  });
  const error = await refused(createClient(CaseService, transport).check({}));
  assert.equal(error.findDetails(ViolationsSchema)[0]?.violations.length, 1);
});

function bigints(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
