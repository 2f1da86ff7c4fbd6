// How a connection is made and made again: attempts and their waits, handshakes, silence, and one socket for all who share it.

import { Code, createClient } from "@connectrpc/connect";
import { equal, fails, ok } from "../src/assert.js";
import { CasesService } from "../src/gen/cases/cases_pb.js";
import { test } from "../src/harness.js";
import { states } from "../src/states.js";

test("a client comes back after the codes that say so and no others", async (t) => {
  const codes: [number, "waiting" | "closed"][] = [
    [1000, "closed"],
    [1001, "waiting"],
    [1003, "closed"],
    [1007, "closed"],
    [1008, "closed"],
    [1009, "closed"],
    [1011, "waiting"],
    [1012, "waiting"],
    [1013, "waiting"],
    [3000, "closed"],
    [4000, "waiting"],
    [4401, "waiting"],
    [4408, "waiting"],
    [4429, "waiting"],
    [4499, "waiting"],
    [4500, "closed"],
    [4501, "closed"],
    [4502, "closed"],
    [4503, "closed"],
    [4504, "closed"],
    [4505, "closed"],
    [4999, "closed"],
  ];
  const server = await t.byHand();
  for (const [code, expected] of codes) {
    const transport = t.transport(server, { resume: false, reconnect: { firstMs: 60_000 } });
    const connection = await server.greeted();
    await transport.ready();
    connection.close(code, `because of ${code}`);
    const state = await t.until(() => transport.state.status !== "open" && transport.state);
    equal(state.status, expected, `after ${code}`);
    ok(state.status === "waiting" || state.status === "closed", "it is over");
    equal(state.closeCode, code, "the code");
    ok(state.reason.message.includes(`because of ${code}`), `"${state.reason.message}" says why`);
    transport.close();
  }
});

test("attempts lie ever further apart within their bounds and end where they are limited", async (t) => {
  const world = await t.world();
  await world.refuse(true);
  const [firstMs, longestMs, attempts] = [4, 50, 8];
  const transport = t.transport(world, { reconnect: { firstMs, longestMs, attempts } });
  let lastConnecting = Date.now();
  const waits: number[] = [];
  transport.on("state", (state) => {
    if (state.status === "connecting") lastConnecting = Date.now();
    if (state.status !== "waiting") return;
    const wait = state.retryAt.getTime();
    waits.push(state.failedAttempts);
    const most = Math.min(longestMs, firstMs * 2 ** state.failedAttempts);
    // The wait was begun between these two moments.
    ok(wait <= Date.now() + most + 1, `wait ${state.failedAttempts} is at most ${most} ms`);
    ok(wait >= lastConnecting + firstMs - 1, `wait ${state.failedAttempts} is at least ${firstMs} ms`);
  });
  const closed = await t.until(() => transport.state.status === "closed" && transport.state);
  ok(closed.status === "closed" && closed.reason.code === Code.Unavailable, "it says that it is unavailable");
  equal(
    waits,
    Array.from({ length: attempts }, (_, index) => index + 1),
  );
});

test("the clients of a server that restarts do not all come back at once", async (t) => {
  const world = await t.world();
  const transports = Array.from({ length: 20 }, (_, index) =>
    t.transport(world, { connectTimeoutMs: 10_000 + index, reconnect: { firstMs: 200 } }),
  );
  await Promise.all(transports.map((transport) => transport.ready()));
  equal((await world.see()).passed.connections, 20, "connections");
  const retries = transports.map(
    (transport) =>
      new Promise<number>((resolve) => {
        transport.on("state", (state) => state.status === "waiting" && resolve(state.retryAt.getTime() - Date.now()));
      }),
  );
  await world.cut();
  const waits = await Promise.all(retries);
  const spread = Math.max(...waits) - Math.min(...waits);
  ok(spread > 20, `${waits} are spread over more than 20 ms of 200`);
});

test("waits begin anew only after a connection that lived", async (t) => {
  const server = await t.byHand();
  const { transport } = t.client(server, { reconnect: { firstMs: 1, longestMs: 20 } });
  const seen = states(transport);
  // Let in and thrown out again and again: each is one more attempt that was no success.
  for (let round = 0; round < 4; round += 1) {
    const connection = await server.greeted();
    await t.until(() => seen.filter(({ status }) => status === "open").length > round);
    connection.drop();
  }
  await t.until(() => seen.filter(({ status }) => status === "waiting").length === 4);
  const failed = seen.flatMap((state) => (state.status === "waiting" ? [state.failedAttempts] : []));
  ok(failed[3] !== undefined && failed[0] !== undefined && failed[3] > failed[0], `${failed} grow`);
});

test("a server that does not answer the handshake is given up after the connect timeout", async (t) => {
  const server = await t.byHand();
  server.hold();
  const { transport } = t.client(server, { connectTimeoutMs: 200 });
  const state = await t.until(() => transport.state.status === "waiting" && transport.state);
  ok(state.status === "waiting" && state.reason.code === Code.Unavailable, "it waits");
});

test("a server that never greets is given up after the connect timeout", async (t) => {
  const server = await t.byHand();
  const { transport } = t.client(server, { connectTimeoutMs: 500 });
  await server.connection();
  await t.until(() => transport.state.status === "waiting");
  // On a busy machine a greeting may come too late as well.
  const opened = transport.ready().then(() => true);
  while (!(await Promise.race([opened, server.greeted().then(() => false)])));
});

test("a server that speaks another subprotocol, or none, is told nothing", async (t) => {
  const server = await t.byHand();
  for (const protocol of [null, "rpc.v1.resume", "graphql-ws"]) {
    server.select(protocol);
    const { transport, cases } = t.client(server, { reconnect: { firstMs: 60_000 } });
    const call = cases.echo({}, { timeoutMs: 20_000 });
    const connection = await server.connection();
    await t.until(() => transport.state.status === "waiting" || transport.state.status === "closed");
    transport.close();
    await call.catch(() => {});
    equal(connection.received.length, 0, `frames for ${protocol}`);
  }
});

test("a handshake that is refused is tried again", async (t) => {
  const server = await t.byHand();
  server.answer(503);
  const { transport, cases } = t.client(server);
  await t.until(() => transport.state.status === "waiting" && transport.state.failedAttempts > 1);
  server.select("rpc.v1");
  const call = cases.echo({});
  for (;;) {
    const connection = await server.connection();
    connection.greet();
    const answered = Promise.race([connection.frameOf("request"), connection.left.then(() => undefined)]);
    const request = await answered;
    if (request === undefined) continue;
    connection.send({ streamId: request.streamId, kind: { case: "response", value: {} } });
    break;
  }
  await call;
});

test("a server that falls silent is given up and come back to", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world, { keepAliveMs: 100 });
  await cases.echo({});
  const before = transport.state;
  await world.stall(true);
  await t.until(() => transport.state !== before);
  await world.stall(false);
  await cases.echo({});
});

test("transports with the same options share one connection, which closes with the last", async (t) => {
  const world = await t.world();
  const transports = [t.transport(world), t.transport(world), t.transport(world)];
  const clients = transports.map((transport) => createClient(CasesService, transport));
  const ids = await Promise.all(clients.map(async (cases) => (await cases.who({})).clientId));
  equal(new Set(ids).size, 1, "client ids");
  equal((await world.see()).passed.connections, 1, "connections");
  transports[0]?.close();
  await fails(clients[0]?.echo({}) ?? Promise.resolve(), Code.Canceled);
  equal((await clients[1]?.echo({ text: "on" }))?.text, "on");
  transports[1]?.close();
  transports[2]?.close();
  await t.until(async () => (await world.see()).sessions.length === 0);
  // A connection that has been closed is not shared any more.
  const next = createClient(CasesService, t.transport(world));
  ok((await next.who({})).clientId !== ids[0], "the next transport has a connection of its own");
});

test("transports with other tokens have connections of their own", async (t) => {
  const world = await t.world();
  const tokens = [await world.token("ann"), await world.token("bob")];
  const users = await Promise.all(tokens.map(async (token) => (await t.client(world, { token }).cases.who({})).user));
  equal(users, ["ann", "bob"]);
});

test(
  "a page without a network waits for it and comes back when it is there",
  async (t) => {
    // The switches are not to be had by this page meanwhile.
    const world = await t.world({}, t.environment.askOutside);
    const { transport, cases } = t.client(world, { reconnect: { firstMs: 60_000, longestMs: 60_000 } });
    await cases.echo({});
    await t.environment.setOffline?.(true);
    await world.cut();
    await t.until(() => transport.state.status === "waiting");
    equal((await world.see()).passed.connections, 1, "connections without a network");
    await t.environment.setOffline?.(false);
    // Sooner than the wait would be over: a minute.
    await transport.ready();
    await cases.echo({});
  },
  { alone: true, only: "chromium" },
);
