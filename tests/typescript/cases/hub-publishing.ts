// Publishing and sending, presence, and history.

import { fromBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { Position } from "rpc-websocket";
import { JoinedSchema, LeftSchema } from "rpc-websocket/protos/hub/v1/hub";
import { equal, fails, ok } from "../src/assert.js";
import { CardSchema, SaidSchema, StrangeSchema, TypingSchema } from "../src/gen/cases/cases_pb.js";
import { test } from "../src/harness.js";
import { numbered, SAID, take, texts } from "../src/hub.js";

test("what is sent to a client, its user and all comes to whoever listens", async (t) => {
  const world = await t.world();
  const ann = t.client(world, { token: await world.token("ann") });
  const other = t.client(world);
  const { clientId } = await ann.cases.who({});
  await other.cases.who({});
  const events = ann.transport.hub.events({ events: SAID });
  const others = other.transport.hub.events({ events: SAID });
  await world.publish({ client: clientId }, "to the client");
  await world.publish({ user: "ann" }, "to the user");
  await world.publish("all", "to all");
  await ann.cases.notify({ text: "by a handler" });
  const items = await take(events, 4);
  equal(texts(items), ["to the client", "to the user", "to all", "by a handler"]);
  ok(items[0]?.kind === "live" && items[0].channel === "" && items[0].position === undefined, "it has no channel");
  equal(texts(await take(others, 1)), ["to all"]);
});

test("a client sends to users and to clients, as who the server knows it", async (t) => {
  const world = await t.world();
  const ann = t.client(world, { token: await world.token("ann") });
  const bob = t.client(world, { token: await world.token("bob") });
  const from = (await ann.cases.who({})).clientId;
  const to = (await bob.cases.who({})).clientId;
  const events = bob.transport.hub.events({ events: SAID });
  await ann.transport.hub.sendToUsers(["bob"], SaidSchema, { text: "to bob" });
  const id = await ann.transport.hub.sendToClients([to], SaidSchema, { text: "to this bob" });
  const items = await take(events, 2);
  equal(texts(items), ["to bob", "to this bob"]);
  const last = items[1];
  ok(last?.kind === "live", "it is an event");
  equal([last.clientId, last.userId, last.id], [from, "ann", id]);
  const nobody = t.client(world);
  await fails(nobody.transport.hub.sendToUsers(["bob"], SaidSchema, { text: "no" }), Code.Unauthenticated);
});

test("what nobody listens for is counted", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world);
  await cases.notify({ text: "nobody hears this" });
  await t.until(() => transport.hub.unheard === 1);
  const events = transport.hub.events({ events: [TypingSchema] });
  await cases.notify({ text: "of another type" });
  await t.until(() => transport.hub.unheard === 2);
  equal(events.unread, 0);
});

test("a key is stored once", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const room = transport.hub.subscribe("room:one", { events: SAID });
  await room.ready;
  const first = await transport.hub.publish("room:one", SaidSchema, { text: "once" }, { key: "the-key" });
  const second = await transport.hub.publish("room:one", SaidSchema, { text: "once" }, { key: "the-key" });
  equal([first.duplicate, second.duplicate, second.id === first.id], [false, true, true]);
  equal(second.position, first.position);
  await transport.hub.publish("room:one", SaidSchema, { text: "next" });
  equal(texts(await take(room, 2)), ["once", "next"]);
});

test("what a client publishes does not come back where it says so", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const other = t.client(world, { connectTimeoutMs: 9_999 });
  const mine = transport.hub.subscribe("room:one", { events: SAID });
  const theirs = other.transport.hub.subscribe("room:one", { events: SAID });
  await Promise.all([mine.ready, theirs.ready]);
  await transport.hub.publish("room:one", SaidSchema, { text: "for others" }, { exceptSelf: true });
  await transport.hub.publish("room:one", SaidSchema, { text: "for all" });
  equal(texts(await take(mine, 1)), ["for all"]);
  equal(texts(await take(theirs, 2)), ["for others", "for all"]);
});

test("presence tells who is there, with what they say of themselves", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const ann = t.client(world, { token: await world.token("ann") });
  const presence = { schema: CardSchema, message: { doing: "making tea" } };
  const room = ann.transport.hub.subscribe("room:one", { events: SAID, presence });
  await room.ready;
  const there = await transport.hub.presence("room:one", { presence: CardSchema });
  equal([there.clients, there.users, there.members.length], [1, 1, 1]);
  const [member] = there.members;
  equal([member?.userId, member?.presence?.doing], ["ann", "making tea"]);
  equal(member?.clientId, (await ann.cases.who({})).clientId);
  ok(member?.since instanceof Date, "it says since when");
  equal((await transport.hub.presence("room:one", { countsOnly: true })).members, []);
  await world.cut();
  await t.until(() => ann.transport.state.status !== "open");
  await t.until(() => room.status === "live");
  const again = await t.until(async () => {
    const now = await transport.hub.presence("room:one", { presence: CardSchema });
    return now.members.length === 1 && now;
  });
  equal(again.members[0]?.presence?.doing, "making tea", "after a cut");
});

test("comings and goings are told", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world);
  const lobby = transport.hub.subscribe("lobby:one", { events: [SaidSchema, JoinedSchema, LeftSchema] });
  await lobby.ready;
  const ann = t.client(world, { token: await world.token("ann") });
  const theirs = ann.transport.hub.subscribe("lobby:one", { events: SAID });
  await theirs.ready;
  await theirs.unsubscribe();
  const { clientId } = await cases.who({});
  const told = (await take(lobby, 3)).map((item) => {
    ok(item.kind !== "gap" && item.type !== "cases.Said", "somebody comes or goes");
    return [item.type, item.message.clientId === clientId ? "me" : item.message.userId];
  });
  equal(told, [
    ["rpc.hub.v1.Joined", "me"],
    ["rpc.hub.v1.Joined", "ann"],
    ["rpc.hub.v1.Left", "ann"],
  ]);
});

test("history is read from either end and in pages", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const channel = "room:one";
  await world.publish({ channel }, "event ", { times: 25 });
  await world.publish({ channel }, "odd", { kind: "strange" });
  const all: string[] = [];
  let after: Position | undefined;
  for (;;) {
    const page = await transport.hub.history(channel, { events: SAID, limit: 10, ...(after ? { after } : {}) });
    all.push(...texts(page.events));
    ok(page.position?.offset === 26n, "it says where the channel is");
    if (!page.more) {
      equal(
        page.skipped.map(({ type, kind, position }) => [type, kind, position?.offset]),
        [[StrangeSchema.typeName, "recovered", 26n]],
      );
      break;
    }
    after = page.end;
  }
  equal(all, numbered("event ", 25));
  const newest = await transport.hub.history(channel, { events: SAID, limit: 3, newestFirst: true });
  equal([texts(newest.events), newest.more], [["event 24", "event 23"], true]);
  const before = await transport.hub.history(channel, { events: SAID, before: 4n });
  equal(texts(before.events), numbered("event ", 3));
});

test("history skips and tells events of types that the program does not name, and goes on behind them", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const channel = "room:one";
  await world.publish({ channel }, "first");
  await world.publish({ channel }, "odd ", { kind: "strange", times: 4 });
  await world.publish({ channel }, "last");
  const whole = await transport.hub.history(channel, { events: SAID });
  equal(texts(whole.events), ["first", "last"]);
  equal(
    whole.skipped.map(({ type, kind, channel, position, body }) => {
      const { text } = fromBinary(StrangeSchema, body);
      return [type, kind, channel, position?.offset, text];
    }),
    numbered("odd ", 4).map((text, at) => ["cases.Strange", "recovered", channel, BigInt(at + 2), text]),
  );
  // A page may have nothing else.
  const pages: (string | number)[][] = [];
  let after: Position | undefined;
  do {
    const page = await transport.hub.history(channel, { events: SAID, limit: 2, ...(after ? { after } : {}) });
    pages.push([...texts(page.events), page.skipped.length]);
    after = page.more ? page.end : undefined;
  } while (after);
  equal(pages, [["first", 1], [2], ["last", 1]]);
  const newest = await transport.hub.history(channel, { events: SAID, newestFirst: true });
  equal(texts(newest.events), ["last", "first"]);
  equal(
    newest.skipped.map(({ position }) => position?.offset),
    [5n, 4n, 3n, 2n],
  );
  const strange = await transport.hub.history(channel, { events: [StrangeSchema] });
  equal([strange.events.map(({ message }) => message.text), strange.skipped.length], [numbered("odd ", 4), 2]);
  equal(transport.state.status, "open");
});
