// Connections that are lost, and what becomes of calls meanwhile; the end.

import { Code, ConnectError } from "@connectrpc/connect";
import { type ConnectionState, mayHaveRun } from "rpc-websocket";
import { equal, fails, ok } from "../src/assert.js";
import { test } from "../src/harness.js";
import { states, statuses } from "../src/states.js";

test("every state is seen in its order", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world);
  const seen = states(transport);
  equal(transport.state.status, "connecting");
  await transport.ready();
  await world.cut();
  await t.until(() => seen.length > 1);
  await cases.echo({});
  transport.close();
  equal(statuses(seen), ["open", "waiting", "connecting", "open", "closed"]);
  const waiting = seen[1];
  ok(waiting?.status === "waiting", "it waits");
  equal([waiting.closeCode, waiting.reason.code], [1006, Code.Unavailable]);
});

test("a connection that just ends is made again, and calls go on", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world);
  const seen = states(transport);
  for (let round = 1; round <= 5; round += 1) {
    equal((await cases.echo({ text: `round ${round}` })).text, `round ${round}`);
    await world.cut();
    await t.until(() => statuses(seen).filter((status) => status === "waiting").length === round);
  }
  await cases.echo({});
  ok((await world.see()).passed.connections >= 6, "each cut is followed by a new connection");
});

test("an idempotent call is sent again and another is not", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  const look = cases.look({});
  const failing = fails(cases.add({}), Code.Unavailable);
  await t.until(async () => (await world.see()).counts.begun === 2);
  await world.cut();
  const error = await failing;
  ok(mayHaveRun(error), "it may have run");
  await t.until(async () => (await world.see()).counts.begun === 3);
  await world.gate(true);
  equal((await look).runs, 3n);
});

test("a call sent again tells the server what is left of its time", async (t) => {
  const server = await t.byHand();
  const { cases } = t.client(server);
  const look = cases.look({}, { timeoutMs: 30_000 });
  const first = await server.greeted();
  const begun = (await first.frameOf("request")).value.timeoutUs;
  ok(begun <= 30_000_000n, "no more than the timeout");
  first.drop();
  const second = await server.greeted();
  const request = await second.frameOf("request");
  ok(request.value.timeoutUs < begun, `${request.value.timeoutUs} is less than ${begun}`);
  second.send({ streamId: request.streamId, kind: { case: "response", value: {} } });
  await look;
});

test("an idempotent call is not sent again after a final code", async (t) => {
  const server = await t.byHand();
  const { transport, cases } = t.client(server);
  const look = cases.look({});
  const connection = await server.greeted();
  await connection.frameOf("request");
  connection.close(4502, "enough");
  await fails(look, Code.Unavailable, "enough").catch(async () => fails(look, Code.Internal, "enough"));
  equal(transport.state.status, "closed");
  equal(server.connectionCount, 1);
});

test("while the server is away calls wait, as long as their deadlines allow", async (t) => {
  const world = await t.world();
  await world.refuse(true);
  const { transport, cases } = t.client(world);
  const patient = cases.echo({ text: "patient" });
  const hurried = cases.echo({ text: "hurried" }, { timeoutMs: 50 });
  const giving = new AbortController();
  const given = cases.echo({ text: "given up" }, { signal: giving.signal });
  await fails(hurried, Code.DeadlineExceeded);
  giving.abort();
  await fails(given, Code.Canceled);
  await t.until(() => transport.state.status === "waiting" && transport.state.failedAttempts > 2);
  await world.refuse(false);
  equal((await patient).text, "patient");
});

test("a server that is killed and started again is come back to", async (t) => {
  const first = await t.process();
  const { World } = await import("../src/world.js");
  const world = await World.make(first.control, {});
  const { transport, cases } = t.client(world);
  const seen = states(transport);
  await cases.echo({});
  const stream = cases.numbers({ count: 1n, waits: true })[Symbol.asyncIterator]();
  await stream.next();
  await first.kill();
  await fails(stream.next(), Code.Unavailable);
  const waiting = cases.echo({ text: "after" });
  await t.until(() => transport.state.status === "waiting" && transport.state.failedAttempts > 1);
  const second = await t.process();
  await World.make(second.control, { port: Number(new URL(world.url).port) });
  equal((await waiting).text, "after");
  equal(statuses(seen).slice(0, 2), ["open", "waiting"]);
  equal(seen.at(-1)?.status, "open");
});

test("running calls finish on the old connection while new ones go to the next server", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world);
  const numbers = cases.numbers({ count: 2n, waits: true })[Symbol.asyncIterator]();
  await numbers.next();
  const running = cases.add({});
  await t.until(async () => (await world.see()).counts.begun === 2);
  const before = transport.state.status === "open" && transport.state.clientId;
  await world.restart(true);
  await t.until(() => transport.state.status === "open" && transport.state.clientId !== before);
  const who = await cases.who({});
  ok(transport.state.status === "open" && who.clientId === transport.state.clientId, "the next server answers");
  equal((await numbers.next()).value?.value, 1n);
  await world.gate(true);
  equal((await running).runs, 1n);
});

test("calls that the server has not begun are sent to the next one whatever they do", async (t) => {
  const server = await t.byHand();
  const { cases } = t.client(server);
  const calls = [cases.add({ text: "one" }), cases.add({ text: "two" })];
  const first = await server.greeted();
  const one = await first.frameOf("request");
  const two = await first.frameOf("request");
  ok(two.streamId > one.streamId, "ids increase");
  first.send({ kind: { case: "goAway", value: { lastStreamId: one.streamId, graceUs: 25_000_000n } } });
  const second = await server.greeted();
  const again = await second.frameOf("request");
  second.send({ streamId: again.streamId, kind: { case: "response", value: { body: Uint8Array.of(8, 2) } } });
  first.send({ streamId: one.streamId, kind: { case: "response", value: { body: Uint8Array.of(8, 1) } } });
  const runs = await Promise.all(calls);
  equal(
    runs.map((answer) => answer.runs),
    [1n, 2n],
  );
});

test("a server that refuses says why, and calls fail with that", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world);
  const running = cases.add({}).then(
    () => undefined,
    (error: unknown) => error,
  );
  await t.until(async () => (await world.see()).counts.begun === 1);
  await world.close(1008, "not while you are in that mood");
  const error = await running;
  ok(error instanceof ConnectError && error.message.includes("mood"), "the running call ends, and says why");
  ok(transport.state.status === "closed", "it is closed");
  equal([transport.state.closeCode, transport.state.reason.rawMessage.includes("mood")], [1008, true]);
  const later = await cases.echo({}).catch((error: unknown) => error);
  ok(later instanceof ConnectError && later.message.includes("mood"), "a later call says why");
  equal((await world.see()).passed.connections, 1, "connections");
});

test("close reaches the server with its code and fails running calls and those to come", async (t) => {
  const server = await t.byHand();
  const { transport, cases } = t.client(server);
  const running = cases.echo({});
  const connection = await server.greeted();
  await connection.frameOf("request");
  const failing = fails(running, Code.Canceled);
  transport.close(4321, "done for today ☺");
  equal(await connection.left, { code: 4321, reason: "done for today ☺" });
  await failing;
  await fails(cases.echo({}), Code.Canceled);
  await fails(transport.ready(), Code.Canceled);
  ok(transport.state.status === "closed", "it is closed");
  transport.close();
});

test("a close code that no WebSocket would take is told, and a reason that is too long is cut", async (t) => {
  const server = await t.byHand();
  const { transport } = t.client(server);
  const connection = await server.greeted();
  await transport.ready();
  for (const code of [999, 1006, 5000]) {
    let thrown: unknown;
    try {
      transport.close(code);
    } catch (error) {
      thrown = error;
    }
    ok(thrown instanceof Error, `close(${code}) throws`);
  }
  equal(transport.state.status, "open");
  transport.close(4000, "☺".repeat(60));
  const { code, reason } = await connection.left;
  equal(code, 4000);
  ok(/^☺{30,41}$/u.test(reason), `"${reason}" is cut between characters`);
});

test("callbacks that throw do not stop the others, and are told like errors that nobody catches", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  t.expectUncaught("this callback throws on purpose");
  const seen: string[] = [];
  transport.on("state", ({ status }) => {
    seen.push(status);
    if (seen.length === 1) throw new Error("this callback throws on purpose");
  });
  const other: string[] = [];
  const callback = ({ status }: ConnectionState) => other.push(status);
  transport.on("state", callback);
  const off = transport.on("state", () => ok(false, "who was taken away is told nothing"));
  off();
  await transport.ready();
  equal([seen, other], [["open"], ["open"]]);
  transport.off("state", callback);
  transport.close();
  equal([seen, other], [["open", "closed"], ["open"]]);
});

test("what waits for a connection is bounded, and what fits goes out when there is one", async (t) => {
  const world = await t.world();
  await world.refuse(true);
  const { cases } = t.client(world, { maxQueuedBytes: 300_000 });
  const body = new Uint8Array(100_000);
  const outcomes = Array.from({ length: 10 }, () =>
    cases.echo({ body }).then(
      () => "answered",
      (error: ConnectError) => Code[error.code],
    ),
  );
  await Promise.race(outcomes);
  await world.refuse(false);
  const counts = new Map<unknown, number>();
  for (const outcome of await Promise.all(outcomes)) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const answered = counts.get("answered") ?? 0;
  const refused = counts.get("ResourceExhausted") ?? 0;
  ok(answered >= 1 && answered <= 3, `${answered} fitted in`);
  equal(answered + refused, 10);
});

test("the messages of a stream wait for each other while the network is slow", async (t) => {
  const world = await t.world({ streamWindow: 64 << 20, connectionWindow: 64 << 20, pendingBytes: 256 << 20 });
  const { transport, cases } = t.client(world, { maxQueuedBytes: 1 << 20 });
  await transport.ready();
  await world.stall(true);
  let taken = 0;
  const numbers = async function* () {
    for (let value = 0n; value < 100n; value += 1n) {
      taken += 1;
      yield { value, body: new Uint8Array(500_000) };
    }
  };
  const sum = cases.sum(numbers());
  let last = -1;
  await t.until(async () => {
    if (taken === last) return true;
    last = taken;
    await world.see();
    await new Promise((resolve) => setTimeout(resolve, 200));
    return false;
  });
  ok(taken < 100, `${taken} of 100 messages were taken while nothing passes`);
  await world.stall(false);
  equal((await sum).count, 100n);
});
