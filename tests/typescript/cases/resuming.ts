// Sessions that wait for their clients: identity, attributes and direct events over connections that are lost.

import { Code } from "@connectrpc/connect";
import type { ConnectionState, Item } from "rpc-websocket";
import { equal, fails, ok } from "../src/assert.js";
import { SaidSchema } from "../src/gen/cases/cases_pb.js";
import { test } from "../src/harness.js";

const SAID = [SaidSchema] as const;
const WAITS = { resumeWindow: 60_000 };

const text = (item: Item<typeof SAID>) => (item.kind === "gap" ? `gap: ${item.cause}` : item.message.text);

/** Whether a state is that of a session that goes on. */
const resumed = (state: ConnectionState) => state.status === "open" && state.resumed;

test("a client that comes back has its id, its identity and its attributes, again and again", async (t) => {
  const world = await t.world(WAITS);
  let asked = 0;
  const { transport, cases } = t.client(world, {
    token: () => {
      asked += 1;
      return world.token("ann");
    },
  });
  const before = await cases.note({ text: "remember this" });
  ok(!resumed(transport.state), "the first connection resumes nothing");
  for (let round = 0; round < 4; round += 1) {
    await world.cut();
    await t.until(() => transport.state.status !== "open");
    equal(await cases.who({}), before);
    ok(resumed(transport.state), "it says so");
    ok(transport.state.status === "open" && transport.state.clientId === before.clientId, "the id stays");
    equal(transport.identity.userId, "ann");
  }
  equal((await world.see()).sessions.length, 1, "sessions");
  ok(asked >= 1, "the function was asked");
});

test("direct events of before a cut and during it come once and in order", async (t) => {
  const world = await t.world(WAITS);
  const { transport, cases } = t.client(world);
  const { clientId } = await cases.who({});
  const events = transport.hub.events({ events: SAID });
  const iterator = events[Symbol.asyncIterator]();
  const [rounds, each] = [10, 45];
  for (let round = 0; round < rounds; round += 1) {
    await world.publish({ client: clientId }, `${round} before `, { times: each });
    await world.cut();
    await world.publish({ client: clientId }, `${round} during `, { times: each });
    await t.until(() => transport.state.status === "open");
    for (const when of ["before", "during"]) {
      for (let index = 0; index < each; index += 1) {
        const next = await iterator.next();
        ok(!next.done, "they go on");
        equal(text(next.value), `${round} ${when} ${index}`);
      }
    }
  }
  await cases.notify({ text: "the end" });
  const last = await iterator.next();
  equal(!last.done && text(last.value), "the end");
});

test("direct events that find no connection for a while come when there is one", async (t) => {
  const world = await t.world(WAITS);
  const { transport, cases } = t.client(world);
  const { clientId } = await cases.who({});
  const events = transport.hub.events({ events: SAID });
  await world.refuse(true);
  await world.cut();
  await t.until(() => transport.state.status === "waiting" && transport.state.failedAttempts > 2);
  await world.publish({ client: clientId }, "away ", { times: 3 });
  await world.refuse(false);
  const heard: string[] = [];
  for await (const item of events) {
    heard.push(text(item));
    if (heard.length === 3) break;
  }
  equal(heard, ["away 0", "away 1", "away 2"]);
});

test("a call that was under way fails as unavailable, and the session goes on", async (t) => {
  const world = await t.world(WAITS);
  const { transport, cases } = t.client(world);
  await cases.note({ text: "still the same" });
  const failing = fails(cases.add({}), Code.Unavailable);
  await t.until(async () => (await world.see()).counts.begun === 1);
  await world.cut();
  await failing;
  equal((await cases.who({})).note, "still the same");
  ok(resumed(transport.state), "it is resumed");
});

test("a client that is not to resume begins a new session with each connection", async (t) => {
  const world = await t.world(WAITS);
  const { transport, cases } = t.client(world, { resume: false });
  const before = await cases.note({ text: "forgotten" });
  await world.cut();
  await t.until(() => transport.state.status !== "open");
  const after = await cases.who({});
  ok(after.clientId !== before.clientId && after.note === undefined, "it is another session");
  ok(!resumed(transport.state), "it says so");
});

test("a client whose server keeps no sessions, or is another, begins a new one as whom it was", async (t) => {
  const world = await t.world(WAITS);
  const { transport, cases } = t.client(world, { token: await world.token("ann") });
  const before = await cases.note({ text: "forgotten" });
  await world.restart(false);
  await t.until(() => transport.state.status !== "open");
  const after = await cases.who({});
  ok(after.clientId !== before.clientId && after.note === undefined, "it is another session");
  equal(after.user, "ann");
  ok(!resumed(transport.state), "it says so");
});

test("a client that comes too late begins a new session as whom it was", async (t) => {
  const world = await t.world({ resumeWindow: 100 });
  const { transport, cases } = t.client(world);
  await transport.authenticate(await world.token("ann"));
  const before = await cases.who({});
  await world.refuse(true);
  await world.cut();
  await t.until(async () => (await world.see()).sessions.length === 0);
  await world.refuse(false);
  const after = await cases.who({});
  ok(after.clientId !== before.clientId, "it is another session");
  equal(after.user, "ann");
});

test("after a sign out a client comes back as nobody", async (t) => {
  const world = await t.world(WAITS);
  const { transport, cases } = t.client(world, { token: await world.token("ann") });
  await cases.who({});
  await transport.signOut();
  await world.cut();
  await t.until(() => transport.state.status !== "open");
  equal((await cases.who({})).user, undefined);
});

test("after a change of user a client comes back as the other", async (t) => {
  const world = await t.world(WAITS);
  const { transport, cases } = t.client(world, { token: await world.token("ann") });
  await transport.changeUser(await world.token("bob"));
  const before = await cases.who({});
  equal(before.user, "bob");
  for (let round = 0; round < 2; round += 1) {
    await world.cut();
    await t.until(() => transport.state.status !== "open");
    equal(await cases.who({}), before);
  }
});

test("a client that closes leaves at once", async (t) => {
  const world = await t.world(WAITS);
  const { transport, cases } = t.client(world);
  await cases.who({});
  transport.close();
  await t.until(async () => (await world.see()).sessions.length === 0);
});

test("subscriptions and a resumed session give each event once", async (t) => {
  const world = await t.world(WAITS);
  const { transport, cases } = t.client(world);
  const { clientId } = await cases.who({});
  const room = transport.hub.subscribe("room:one", { events: SAID });
  await room.ready;
  for (let round = 0; round < 6; round += 1) {
    await world.publish({ channel: "room:one" }, `${round}.`, { times: 10 });
    await world.cut();
    await world.publish({ channel: "room:one" }, `${round}+`, { times: 10 });
    await t.until(() => transport.state.status === "open");
  }
  const heard: string[] = [];
  for await (const item of room) {
    heard.push(text(item));
    if (heard.length === 120) break;
  }
  const expected = Array.from({ length: 6 }, (_, round) =>
    [".", "+"].flatMap((sign) => Array.from({ length: 10 }, (_, index) => `${round}${sign}${index}`)),
  ).flat();
  equal(heard, expected);
  equal((await cases.who({})).clientId, clientId);
});

test("a client whose resume is refused is closed for good, and told so", async (t) => {
  const server = await t.byHand();
  const { transport } = t.client(server);
  const first = await server.greeted({ resumeToken: "secret one", resumeWithinUs: 60_000_000n });
  await transport.ready();
  first.drop();
  const second = await server.connection();
  ok(second.protocols.includes("rpc.v1.resume"), "it says that it comes back");
  const greeting = await second.frameOf("greeting");
  equal(greeting.value.resumeToken, "secret one");
  second.close(4506, "somebody else has had it");
  const closed = await t.until(() => transport.state.status === "closed" && transport.state);
  equal(closed.closeCode, 4506);
});

test("the token of a session is stored when it is told anew, and acknowledged", async (t) => {
  const server = await t.byHand();
  const { transport } = t.client(server);
  const tokens = ["secret one", "secret two", "secret three"] as const;
  let connection = await server.greeted({ resumeToken: tokens[0], resumeWithinUs: 60_000_000n });
  await transport.ready();
  for (const round of [1, 2] as const) {
    connection.drop();
    connection = await server.connection();
    equal((await connection.frameOf("greeting")).value.resumeToken, tokens[round - 1]);
    connection.greet({ resumed: true, resumeToken: tokens[round], resumeWithinUs: 60_000_000n });
    for (;;) {
      if ((await connection.frameOf("acknowledgement")).value.resumeToken) break;
    }
    await t.until(() => resumed(transport.state));
  }
});
