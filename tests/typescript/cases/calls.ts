// Calls with one request and one answer: what goes with them, how they fail, how they are given up.

import { create } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, createClient, type Interceptor } from "@connectrpc/connect";
import { callUnaryMethod } from "@connectrpc/connect-query-core";
import { mayHaveRun } from "rpc-websocket";
import { equal, fails, ok } from "../src/assert.js";
import { CasesService, PersonSchema, TextSchema } from "../src/gen/cases/cases_pb.js";
import { test } from "../src/harness.js";
import { TestService, UnimplementedService } from "../src/interop/gen/grpc/testing/testing_pb.js";

/** Bytes that are not all the same, so that parts in another order would be seen. */
export function bytes(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
}

test("a call is answered", async (t) => {
  const { cases } = t.client(await t.world());
  const answer = await cases.echo({ text: "hello ☺ 😈", body: bytes(3) });
  equal(answer, { text: "hello ☺ 😈", body: bytes(3) });
});

test("large messages pass in both directions", async (t) => {
  const { cases } = t.client(await t.world());
  // Longer than a frame, than a stream's window and than the connection's.
  for (const length of [131_072, 131_073, 300_000, 2_000_000, 4_000_000]) {
    const body = bytes(length);
    equal((await cases.echo({ text: "large", body })).body, body, `${length} bytes`);
  }
});

test("many calls at a time are matched by id", async (t) => {
  const { cases } = t.client(await t.world());
  const texts = Array.from({ length: 1_000 }, (_, index) => `call ${index}`);
  const answers = await Promise.all(texts.map((text) => cases.echo({ text })));
  equal(
    answers.map(({ text }) => text),
    texts,
  );
});

test("calls wait for a free stream as the greeting tells", async (t) => {
  const world = await t.world({ streams: 3 });
  const { cases } = t.client(world);
  const calls = Array.from({ length: 10 }, () => cases.add({}));
  await t.until(async () => (await world.see()).counts.begun === 3);
  await world.gate(true);
  const runs = (await Promise.all(calls)).map(({ runs }) => runs);
  equal(
    runs.sort((a, b) => Number(a - b)),
    Array.from({ length: 10 }, (_, index) => BigInt(index + 1)),
  );
});

test("headers reach the server, and metadata and trailers come back, as text and as bytes", async (t) => {
  const { cases } = t.client(await t.world());
  let front: Headers | undefined;
  let behind: Headers | undefined;
  await cases.echo(
    {},
    {
      // Bytes in base64, as Connect has them.
      headers: { "x-front": "in front", "x-front-bin": "q6ur", "x-behind": "behind", "x-behind-bin": "AP8" },
      onHeader: (headers) => {
        front = headers;
      },
      onTrailer: (headers) => {
        behind = headers;
      },
    },
  );
  equal([front?.get("x-front"), front?.get("x-front-bin")], ["in front", "q6ur"]);
  equal([behind?.get("x-behind"), behind?.get("x-behind-bin")], ["behind", "AP8"]);
  equal([front?.get("x-behind"), behind?.get("x-front")], [null, null]);
});

test("a status reaches the caller with its details", async (t) => {
  const { cases } = t.client(await t.world());
  const details = [{ text: "one" }, { text: "two", body: bytes(2) }];
  const error = await fails(cases.fail({ code: 9, message: "not now", details }), Code.FailedPrecondition);
  equal(error.rawMessage, "not now");
  equal(error.findDetails(TextSchema), [
    { text: "one", body: bytes(0) },
    { text: "two", body: bytes(2) },
  ]);
  ok(!mayHaveRun(error), "what the server has answered is not uncertain");
});

test("every code and a text with characters of all lengths arrive as they were sent", async (t) => {
  const { cases } = t.client(await t.world());
  const message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
  for (let code = 1; code <= 16; code += 1) {
    const error = await fails(cases.fail({ code, message }), code);
    equal(error.rawMessage, message);
  }
});

test("an unknown method and an unknown service are unimplemented, and the connection lives", async (t) => {
  const world = await t.world();
  const transport = t.transport(world);
  await fails(createClient(UnimplementedService, transport).unimplementedCall({}), Code.Unimplemented);
  await createClient(TestService, transport).emptyCall({});
  equal((await world.see()).passed.connections, 1, "connections");
});

test("rules are checked before the handler and violations are details, the same as in the browser", async (t) => {
  const { cases } = t.client(await t.world());
  const wrong = create(PersonSchema, { name: "a name that is longer than the rules have it", age: 151 });
  const error = await fails(cases.register(wrong), Code.InvalidArgument);
  const told = error.findDetails(ViolationsSchema).flatMap(({ violations }) => violations.map(({ ruleId }) => ruleId));
  const found = createValidator().validate(PersonSchema, wrong);
  ok(found.kind === "invalid", "the browser finds it invalid, too");
  equal(told.sort(), ["string.max_len", "uint32.gte_lte"]);
  equal(told, found.violations.map(({ ruleId }) => ruleId).sort());
  equal((await cases.register({ name: "ann", age: 30 })).name, "ann");
});

test("a handler that panics answers INTERNAL and neither siblings nor connection suffer", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  const sibling = cases.add({});
  await fails(cases.panic({ text: "!" }), Code.Internal);
  await world.gate(true);
  equal((await sibling).runs, 1n);
  equal((await world.see()).passed.connections, 1, "connections");
});

test("a timeout ends the call and drops its handler", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  // On a busy machine the first may be over before its request has left.
  await t.until(async () => {
    await fails(cases.add({}, { timeoutMs: 100 }), Code.DeadlineExceeded);
    return (await world.see()).counts.begun > 0;
  });
  await t.until(async () => {
    const { begun, dropped } = (await world.see()).counts;
    return begun === dropped;
  });
  await cases.echo({});
});

test("the deadline is told to the server, and the clients default holds for calls that set none", async (t) => {
  const { cases } = t.client(await t.world(), { defaultTimeoutMs: 50_000 });
  const own = (await cases.remaining({}, { timeoutMs: 20_000 })).micros ?? 0n;
  ok(own > 0n && own <= 20_000_000n, `${own} is at most the call's timeout`);
  const byDefault = (await cases.remaining({})).micros ?? 0n;
  ok(byDefault > 20_000_000n && byDefault <= 50_000_000n, `${byDefault} is at most the default`);
});

test("without a timeout a call has none", async (t) => {
  const { cases } = t.client(await t.world());
  equal((await cases.remaining({})).micros, undefined);
});

test("a handler over its methods deadline answers DEADLINE_EXCEEDED and is dropped", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  await fails(cases.hurry({}), Code.DeadlineExceeded);
  await t.until(async () => (await world.see()).counts.dropped === 1);
});

test("a deadline of ages is kept", async (t) => {
  const { cases } = t.client(await t.world());
  // Longer than a timer of JavaScript may be.
  equal((await cases.echo({ text: "later" }, { timeoutMs: 2 ** 40 })).text, "later");
});

test("aborting a call drops its handler and frees its place", async (t) => {
  const world = await t.world({ streams: 1 });
  const { cases } = t.client(world);
  const giving = new AbortController();
  const call = cases.add({}, { signal: giving.signal });
  await t.until(async () => (await world.see()).counts.begun === 1);
  giving.abort();
  await fails(call, Code.Canceled);
  await t.until(async () => (await world.see()).counts.dropped === 1);
  await cases.echo({});
});

test("a call that is aborted before it begins is not sent", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  await world.gate(true);
  await fails(cases.add({}, { signal: AbortSignal.abort() }), Code.Canceled);
  equal((await cases.add({})).runs, 1n);
});

test("a call that is aborted while it waits for a free stream is not sent", async (t) => {
  const world = await t.world({ streams: 1 });
  const { cases } = t.client(world);
  const first = cases.add({});
  await t.until(async () => (await world.see()).counts.begun === 1);
  const giving = new AbortController();
  const second = cases.add({}, { signal: giving.signal });
  const third = cases.add({});
  giving.abort();
  await fails(second, Code.Canceled);
  await world.gate(true);
  equal([(await first).runs, (await third).runs], [1n, 2n]);
});

test("answers of a server that compresses arrive as they were", async (t) => {
  const { cases } = t.client(await t.world({ compressAbove: 100 }));
  const body = new Uint8Array(200_000).fill(7);
  const answers = await Promise.all([cases.echo({ text: "long", body }), cases.echo({ text: "short" })]);
  equal(answers[0].body, body);
  equal(answers[1].text, "short");
});

test("a response over the limit fails its own call only", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world, { maxMessageBytes: 200_000 });
  await fails(cases.echo({ body: bytes(300_000) }), Code.ResourceExhausted);
  equal((await cases.echo({ text: "next" })).text, "next");
  equal((await world.see()).passed.connections, 1, "connections");
});

test("a request that is too large fails the call, and the connection lives", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world, { maxQueuedBytes: 64 << 20 });
  await fails(cases.echo({ body: new Uint8Array(5 << 20) }), Code.ResourceExhausted);
  equal((await cases.echo({ text: "next" })).text, "next");
  equal((await world.see()).passed.connections, 1, "connections");
});

test("metadata over the limits is refused and the connection lives", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  const headers = { "x-long": "x".repeat(20_000) };
  await fails(cases.echo({}, { headers }), Code.ResourceExhausted);
  await cases.echo({});
  equal((await world.see()).passed.connections, 1, "connections");
});

test("integers of 64 bits are bigints and keep every bit", async (t) => {
  const { cases } = t.client(await t.world());
  const numbers = [0n, 2n ** 53n + 1n, 2n ** 63n];
  const stream = async function* () {
    for (const value of numbers) yield { value };
  };
  equal((await cases.sum(stream())).total, 2n ** 63n + 2n ** 53n + 1n);
});

test("interceptors see every call in their order and may change its headers", async (t) => {
  const seen: string[] = [];
  const interceptor =
    (name: string): Interceptor =>
    (next) =>
    async (request) => {
      seen.push(`${name} ${request.method.name}`);
      request.header.append("x-front", name);
      const response = await next(request);
      seen.push(`${name} ${response.header.get("x-front")}`);
      return response;
    };
  const { cases } = t.client(await t.world(), { interceptors: [interceptor("outer"), interceptor("inner")] });
  await cases.echo({});
  equal(seen, ["outer Echo", "inner Echo", "inner outer, inner", "outer outer, inner"]);
  seen.length = 0;
  for await (const number of cases.numbers({ count: 1n })) equal(number.value, 0n);
  equal(seen.slice(0, 2), ["outer Numbers", "inner Numbers"]);
});

test("connect-querys callUnaryMethod works over the transport", async (t) => {
  const transport = t.transport(await t.world());
  const answer = await callUnaryMethod(transport, CasesService.method.echo, { text: "by a query" });
  equal(answer.text, "by a query");
  const failing = callUnaryMethod(transport, CasesService.method.fail, { code: 5, message: "not there" });
  await fails(failing, Code.NotFound, "not there");
  const giving = new AbortController();
  const given = callUnaryMethod(transport, CasesService.method.add, {}, { signal: giving.signal });
  giving.abort();
  await fails(given, Code.Canceled);
});
