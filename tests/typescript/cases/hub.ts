// The hub: subscriptions over cuts, snapshots, presence, history, publishing, and what the server does by itself.

import type { DescMessage } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { EventStream, Hub, Item, Position, Subscription, SubscriptionStatus } from "rpc-websocket";
import { JoinedSchema, LeftSchema } from "rpc-websocket/protos/hub/v1/hub";
import { equal, fails, ok } from "../src/assert.js";
import { BoardSchema, CardSchema, SaidSchema, StrangeSchema, TypingSchema } from "../src/gen/cases/cases_pb.js";
import { test } from "../src/harness.js";

const SAID = [SaidSchema] as const;

/** The next things that a subscription gives. */
async function take<Schemas extends readonly DescMessage[]>(
  stream: EventStream<Schemas>,
  count: number,
): Promise<Item<Schemas>[]> {
  const items: Item<Schemas>[] = [];
  const iterator = stream[Symbol.asyncIterator]();
  while (items.length < count) {
    const next = await iterator.next();
    if (next.done) break;
    items.push(next.value);
  }
  return items;
}

/** The subscription to a channel that the server makes. */
function accepted<const Schemas extends readonly DescMessage[]>(
  hub: Hub,
  channel: string,
  events: Schemas,
): Promise<Subscription<Schemas>> {
  return new Promise((resolve) => {
    hub.on("subscribed", (subscription) => {
      if (subscription.channel === channel) resolve(subscription.accept({ events }));
    });
  });
}

/** What was said, in order; a gap is told as such. */
const texts = (items: readonly Item<typeof SAID>[]) =>
  items.map((item) => (item.kind === "gap" ? `gap: ${item.cause}` : item.message.text));

const numbered = (text: string, count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `${text}${from + index}`);

test("a subscriber hears what is published from then on, with all that is told of it", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world, { token: await world.token("ann") });
  const channel = { channel: "room:one" };
  await world.publish(channel, "before");
  const room = transport.hub.subscribe("room:one", { events: [SaidSchema, TypingSchema] });
  await room.ready;
  await cases.announce({ ...channel, text: "by a call" });
  await world.publish(channel, "four", { kind: "typing" });
  const receipt = await transport.hub.publish("room:one", SaidSchema, { text: "by the client" });
  const { clientId } = await cases.who({});
  const items = await take(room, 3);
  const told = items.map((item) => {
    ok(item.kind === "live", "it is live");
    return { type: item.type, by: item.clientId, user: item.userId, at: item.position?.offset, channel: item.channel };
  });
  equal(told, [
    { type: "cases.Said", by: clientId, user: "ann", at: 2n, channel: "room:one" },
    { type: "cases.Typing", by: undefined, user: undefined, at: 3n, channel: "room:one" },
    { type: "cases.Said", by: clientId, user: "ann", at: 4n, channel: "room:one" },
  ]);
  const last = items[2];
  ok(last?.type === "cases.Said" && last.message.text === "by the client", "the message is typed");
  equal([last.id, last.position], [receipt.id, receipt.position]);
  ok(Math.abs(last.time.getTime() - Date.now()) < 3_600_000, "it has the server's time");
  equal(room.position, last.position);
});

test("callbacks hear events by their types, and one that throws does not stop the others", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  t.expectUncaught("this subscriber throws on purpose");
  const room = transport.hub.subscribe("room:one", { events: [SaidSchema, TypingSchema] });
  const heard: string[] = [];
  room.on(SaidSchema, () => {
    throw new Error("this subscriber throws on purpose");
  });
  const second = (said: { text: string }) => heard.push(said.text);
  room.on(SaidSchema, second);
  room.on(TypingSchema, ({ length }, event) => heard.push(`${event.type} ${length}`));
  room.on("item", (item) => heard.push(`item ${item.type}`));
  await room.ready;
  await world.publish({ channel: "room:one" }, "hi");
  await world.publish({ channel: "room:one" }, "four", { kind: "typing" });
  await t.until(() => heard.length === 4);
  equal(heard.sort(), ["cases.Typing 4", "hi", "item cases.Said", "item cases.Typing"]);
  room.off(SaidSchema, second as never);
  t.expectUncaught("this subscriber throws on purpose");
  await world.publish({ channel: "room:one" }, "again");
  await t.until(() => heard.length === 5);
  equal(heard.at(-1), "item cases.Said");
});

test("events of types that the program does not name are skipped and counted", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const room = transport.hub.subscribe("room:one", { events: SAID });
  await room.ready;
  const channel = { channel: "room:one" };
  await world.publish(channel, "odd", { kind: "strange", times: 3 });
  await world.publish(channel, "hi");
  equal(texts(await take(room, 1)), ["hi"]);
  equal([room.unknown, room.undecodable], [3, 0]);
  const strange = transport.hub.subscribe("room:one", { events: [StrangeSchema] });
  await strange.ready;
  await world.publish(channel, "odd", { kind: "strange" });
  const [item] = await take(strange, 1);
  ok(item?.kind === "live" && item.message.text === "odd", "another subscription of the channel hears it");
});

test("over connections that are cut every event comes once and in order", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const room = transport.hub.subscribe("room:one", { events: SAID });
  await room.ready;
  const [rounds, each] = [12, 25];
  const publishing = (async () => {
    for (let round = 0; round < rounds; round += 1) {
      await world.publish({ channel: "room:one" }, `${round}.`, { times: each });
      await world.cut();
      await world.publish({ channel: "room:one" }, `${round}+`, { times: each });
    }
  })();
  const items = await take(room, rounds * each * 2);
  await publishing;
  const expected = Array.from({ length: rounds }, (_, round) => [
    ...numbered(`${round}.`, each),
    ...numbered(`${round}+`, each),
  ]).flat();
  equal(texts(items), expected);
  const offsets = items.map((item) => (item.kind === "gap" ? 0n : item.position?.offset));
  equal(
    offsets,
    Array.from({ length: expected.length }, (_, index) => BigInt(index + 1)),
  );
  equal(transport.state.status, "open");
});

test("what was missed is marked as recovered and positions go on", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const room = transport.hub.subscribe("room:one", { events: SAID });
  const seen: SubscriptionStatus[] = [];
  room.on("status", (status) => seen.push(status));
  await room.ready;
  await world.publish({ channel: "room:one" }, "live");
  await world.refuse(true);
  await world.cut();
  await t.until(() => room.status === "recovering");
  await world.publish({ channel: "room:one" }, "missed", { times: 2 });
  await world.refuse(false);
  await t.until(() => room.status === "live");
  await world.publish({ channel: "room:one" }, "live again");
  const items = await take(room, 4);
  equal(
    items.map((item) => [item.kind, item.kind === "gap" ? "" : item.message.text]),
    [
      ["live", "live"],
      ["recovered", "missed0"],
      ["recovered", "missed1"],
      ["live", "live again"],
    ],
  );
  equal(seen, ["live", "recovering", "live"]);
});

test("what history has no more is one gap, and then it goes on", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const room = transport.hub.subscribe("short:one", { events: SAID });
  const gaps: string[] = [];
  room.on("gap", (gap) => gaps.push(gap.cause));
  await room.ready;
  await world.publish({ channel: "short:one" }, "heard");
  await world.refuse(true);
  await world.cut();
  await t.until(() => room.status === "recovering");
  await world.publish({ channel: "short:one" }, "missed", { times: 10 });
  await world.refuse(false);
  await t.until(() => room.status === "live");
  await world.publish({ channel: "short:one" }, "after");
  const items = await take(room, 3);
  equal(texts(items), ["heard", "gap: unrecoverable", "after"]);
  const gap = items[1];
  ok(gap?.kind === "gap", "it is a gap");
  equal([gap.last?.offset, gap.next?.offset, gaps], [1n, 11n, ["unrecoverable"]]);
});

test("a server that has lost its history is a gap and no end", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const room = transport.hub.subscribe("room:one", { events: SAID });
  await room.ready;
  await world.publish({ channel: "room:one" }, "old", { times: 3 });
  await t.until(() => room.unread === 3);
  for (const drain of [false, true]) {
    await world.restart(drain);
    await t.until(async () => (await world.see()).sessions.length === 1);
    await t.until(() => room.status === "live" && transport.state.status === "open");
    const presence = await transport.hub.presence("room:one", { countsOnly: true });
    equal(presence.clients, 1, "subscribers of the new server");
    await world.publish({ channel: "room:one" }, drain ? "drained" : "lost");
  }
  equal(texts(await take(room, 7)), [
    ...numbered("old", 3),
    "gap: unrecoverable",
    "lost",
    "gap: unrecoverable",
    "drained",
  ]);
});

test("a channel without history has a gap after each reconnect", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const room = transport.hub.subscribe("quiet:one", { events: SAID });
  await room.ready;
  await world.publish({ channel: "quiet:one" }, "heard");
  await t.until(() => room.unread === 1);
  await world.cut();
  await t.until(() => room.status === "recovering");
  await t.until(() => room.status === "live");
  await world.publish({ channel: "quiet:one" }, "after");
  const items = await take(room, 3);
  equal(texts(items), ["heard", "gap: no-history", "after"]);
  ok(items[0]?.kind === "live" && items[0].position === undefined, "events have no position");
});

test("a program goes on from a position that it has kept", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  await world.publish({ channel: "room:one" }, "event ", { times: 10 });
  const page = await transport.hub.history("room:one", { events: SAID, limit: 4 });
  const since = page.end;
  ok(since !== undefined && since.offset === 4n, "the page ends at the fourth");
  const room = transport.hub.subscribe("room:one", { events: SAID, since });
  equal(texts(await take(room, 6)), numbered("event ", 6, 4));
});

test("a position of another history is a gap", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  await world.publish({ channel: "room:one" }, "before", { times: 3 });
  const since: Position = { epoch: 1n, offset: 2n };
  const room = transport.hub.subscribe("room:one", { events: SAID, since });
  await room.ready;
  await world.publish({ channel: "room:one" }, "after");
  equal(texts(await take(room, 2)), ["gap: unrecoverable", "after"]);
});

test("a snapshot comes first and then every event behind it", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  for (const line of ["one", "two"]) await world.write(line);
  const board = transport.hub.subscribe("board:main", { events: [BoardSchema, SaidSchema] });
  await board.ready;
  await world.write("three");
  const items = await take(board, 2);
  const [first, second] = items;
  ok(first?.kind === "snapshot" && first.type === "cases.Board", "the snapshot comes first");
  equal(first.message.lines, ["one", "two"]);
  ok(second?.kind === "live" && second.type === "cases.Said", "then what is written");
  equal(second.message.text, "three");
});

test("a snapshot and what comes after it make up the state whenever it was taken", async (t) => {
  const world = await t.world();
  const writing = (async () => {
    for (let line = 0; line < 60; line += 1) await world.write(`${line}`);
  })();
  const { transport } = t.client(world);
  const readers = Array.from({ length: 5 }, async (_, index) => {
    await t.until(async () => (await world.see()).passed.connections >= 0);
    await new Promise((resolve) => setTimeout(resolve, index * 7));
    const board = transport.hub.subscribe("board:main", { events: [BoardSchema, SaidSchema] });
    let lines: string[] = [];
    for await (const item of board) {
      if (item.kind === "gap") continue;
      if (item.type === "cases.Board") lines = [...item.message.lines];
      else lines.push(item.message.text);
      if (lines.length === 60) break;
    }
    equal(
      lines,
      Array.from({ length: 60 }, (_, line) => `${line}`),
    );
  });
  await Promise.all([writing, ...readers]);
});

test("leaving the loop unsubscribes, and so do unsubscribe, a signal and using", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const clients = async () => (await transport.hub.presence("room:one", { countsOnly: true })).clients;
  const subscribe = (signal?: AbortSignal) =>
    transport.hub.subscribe("room:one", { events: SAID, ...(signal === undefined ? {} : { signal }) });

  const looped = subscribe();
  await looped.ready;
  equal(await clients(), 1);
  await world.publish({ channel: "room:one" }, "hi");
  for await (const _ of looped) break;
  await t.until(async () => (await clients()) === 0);
  equal(looped.status, "ended");

  const left = subscribe();
  await left.ready;
  const reading = take(left, 1);
  await left.unsubscribe();
  equal(await reading, [], "a loop ends without an error");
  equal(await clients(), 0, "unsubscribing is acknowledged");

  const giving = new AbortController();
  const aborted = subscribe(giving.signal);
  await aborted.ready;
  giving.abort();
  await t.until(async () => (await clients()) === 0);

  {
    await using used = subscribe();
    await used.ready;
    equal(await clients(), 1);
  }
  equal(await clients(), 0, "what is used is disposed of");
});

test("two subscriptions of a channel share one, and each is given all", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const one = transport.hub.subscribe("room:one", { events: SAID });
  const two = transport.hub.subscribe("room:one", { events: SAID });
  await Promise.all([one.ready, two.ready]);
  equal((await transport.hub.presence("room:one")).clients, 1);
  await world.publish({ channel: "room:one" }, "first");
  equal(texts(await take(one, 1)), ["first"]);
  await one.unsubscribe();
  await world.publish({ channel: "room:one" }, "second");
  equal(texts(await take(two, 2)), ["first", "second"]);
});

test("one that comes later to a shared channel hears what comes from then on", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const one = transport.hub.subscribe("room:one", { events: SAID });
  await one.ready;
  await world.publish({ channel: "room:one" }, "first");
  equal(texts(await take(one, 1)), ["first"]);
  const two = transport.hub.subscribe("room:one", { events: SAID });
  await two.ready;
  await world.publish({ channel: "room:one" }, "second");
  equal(texts(await take(two, 1)), ["second"]);
});

test("all channels are asked for again after a cut", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const names = Array.from({ length: 250 }, (_, index) => `room:${index}x`);
  const rooms = names.map((name) => transport.hub.subscribe(name, { events: SAID }));
  await Promise.all(rooms.map((room) => room.ready));
  await world.cut();
  await t.until(() => transport.state.status !== "open");
  await t.until(() => rooms.every((room) => room.status === "live"));
  for (const [index, channel] of names.entries()) await world.publish({ channel }, `to ${index}`);
  for (const [index, room] of rooms.entries()) equal(texts(await take(room, 1)), [`to ${index}`]);
});

test("subscribing without the right ends it with the reason", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const members = transport.hub.subscribe("members:one", { events: SAID });
  const ends: unknown[] = [];
  members.on("end", (reason) => ends.push(reason?.code));
  await fails(members.ready, Code.Unauthenticated);
  equal(members.status, "ended");
  await fails(take(members, 1), Code.Unauthenticated);
  equal(ends, [Code.Unauthenticated]);
  // The same answer where no channel is as where it may not be heard.
  await fails(transport.hub.subscribe("granted:one", { events: SAID }).ready, Code.PermissionDenied);
  await fails(transport.hub.subscribe("no:such", { events: SAID }).ready, Code.PermissionDenied);
  await fails(transport.hub.publish("granted:one", SaidSchema, { text: "no" }), Code.PermissionDenied);
  await fails(transport.hub.presence("granted:one"), Code.PermissionDenied);
  await fails(transport.hub.history("granted:one", { events: SAID }), Code.PermissionDenied);
});

test("who loses the right by signing out is told, and what others may hear goes on", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world, { token: await world.token("ann") });
  const members = transport.hub.subscribe("members:one", { events: SAID });
  const room = transport.hub.subscribe("room:one", { events: SAID });
  await Promise.all([members.ready, room.ready]);
  await transport.signOut();
  const end = await take(members, 1).catch((error: { code?: Code }) => error);
  ok("code" in end, "the loop fails with the reason");
  equal(members.status, "ended");
  await world.publish({ channel: "room:one" }, "still");
  equal(texts(await take(room, 1)), ["still"]);
});

test("whoever is kicked is told why and hears nothing more", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world);
  const room = transport.hub.subscribe("room:one", { events: SAID });
  await room.ready;
  await world.publish({ channel: "room:one" }, "before");
  await world.kick((await cases.who({})).clientId, "room:one", "be polite");
  await t.until(() => room.status === "ended");
  await world.publish({ channel: "room:one" }, "after");
  const iterator = room[Symbol.asyncIterator]();
  const first = await iterator.next();
  ok(!first.done && first.value.kind === "live", "what had come is given first");
  await fails(iterator.next(), Code.PermissionDenied, "be polite");
  // It may come again, where it may.
  const again = transport.hub.subscribe("room:one", { events: SAID });
  await again.ready;
});

test("a subscription that the server makes is told and read, also what came before somebody was told", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world);
  const { clientId } = await cases.who({});
  await world.subscribe(clientId, "granted:one");
  await world.publish({ channel: "granted:one" }, "waited");
  await cases.echo({ text: "behind them" });
  const granted = await accepted(transport.hub, "granted:one", SAID);
  await world.publish({ channel: "granted:one" }, "read");
  equal(texts(await take(granted, 2)), ["waited", "read"]);
  await world.kick(clientId, "granted:one", "enough");
  await t.until(() => granted.status === "ended");
  await fails(take(granted, 1), Code.PermissionDenied, "enough");
});

test("a snapshot comes with the subscription that the server makes", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world);
  await world.write("one");
  const { clientId } = await cases.who({});
  const accepting = accepted(transport.hub, "board:main", [BoardSchema, SaidSchema]);
  await world.subscribe(clientId, "board:main");
  const board = await accepting;
  await world.write("two");
  const items = await take(board, 2);
  equal(
    items.map((item) =>
      item.kind === "gap" ? item : item.type === "cases.Board" ? item.message.lines : item.message.text,
    ),
    [["one"], "two"],
  );
});

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
      equal(page.skipped, 1);
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

test("what the program does not read in time is asked for again, and nothing is missed", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world, { maxUnreadEvents: 10 });
  const room = transport.hub.subscribe("room:one", { events: SAID });
  await room.ready;
  await world.publish({ channel: "room:one" }, "event ", { times: 100 });
  await t.until(() => room.unread === 10);
  equal(texts(await take(room, 100)), numbered("event ", 100));
  ok(room.unread <= 10, "never more than the bound waits");
});

test("what the program does not read in time is a gap that says how many where there is no history", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world, { maxUnreadEvents: 10 });
  const room = transport.hub.subscribe("quiet:one", { events: SAID });
  await room.ready;
  await world.publish({ channel: "quiet:one" }, "event ", { times: 30 });
  await t.until(() => room.unread >= 10);
  await transport.hub.presence("room:one");
  const items = await take(room, 11);
  equal(texts(items), [...numbered("event ", 10), "gap: no-history"]);
  const gap = items[10];
  equal(gap?.kind === "gap" && gap.missed, 20);
  await world.publish({ channel: "quiet:one" }, "after");
  equal(texts(await take(room, 1)), ["after"]);
});

test("a client that does not read is closed and recovers everything when it comes back", async (t) => {
  const world = await t.world({ eventQueueBytes: 128 << 10, writeStall: 60_000 });
  const { transport } = t.client(world);
  const room = transport.hub.subscribe("closed:one", { events: SAID });
  await room.ready;
  await world.stall(true);
  const long = "x".repeat(900);
  await world.publish({ channel: "closed:one" }, long, { times: 900 });
  await world.stall(false);
  equal(texts(await take(room, 900)), numbered(long, 900));
});

test("where the oldest are dropped, history fills the gap", async (t) => {
  const world = await t.world({ eventQueueBytes: 128 << 10, writeStall: 60_000 });
  const { transport } = t.client(world);
  const room = transport.hub.subscribe("oldest:one", { events: SAID });
  await room.ready;
  await world.stall(true);
  const long = "x".repeat(900);
  await world.publish({ channel: "oldest:one" }, long, { times: 900 });
  await world.stall(false);
  equal(texts(await take(room, 900)), numbered(long, 900));
});

test("where the latest is kept a slow client has that one once it reads", async (t) => {
  const world = await t.world({ eventQueueBytes: 128 << 10, writeStall: 60_000 });
  const { transport } = t.client(world);
  const room = transport.hub.subscribe("latest:one", { events: SAID });
  let last = "";
  let heard = 0;
  room.on(SaidSchema, ({ text }) => {
    last = text;
    heard += 1;
  });
  await room.ready;
  await world.stall(true);
  const long = "x".repeat(2_000);
  await world.publish({ channel: "latest:one" }, long, { times: 5_000 });
  await world.stall(false);
  await t.until(() => last === `${long}4999`);
  ok(heard < 5_000, `${heard} of 5,000 came`);
});

test("closing the transport ends what it hears", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const room = transport.hub.subscribe("room:one", { events: SAID });
  const events = transport.hub.events({ events: SAID });
  await room.ready;
  const reading = [take(room, 1), take(events, 1)].map((reading) =>
    reading.then(
      () => "ended",
      (error: { code: Code }) => error.code,
    ),
  );
  transport.close();
  equal(await Promise.all(reading), [Code.Canceled, Code.Canceled]);
  equal([room.status, events.status], ["ended", "ended"]);
  await fails(transport.hub.subscribe("room:one", { events: SAID }).ready, Code.Canceled);
});

test("a subscription that is begun without a connection waits for it", async (t) => {
  const world = await t.world();
  await world.refuse(true);
  const { transport } = t.client(world);
  const room = transport.hub.subscribe("room:one", { events: SAID });
  await t.until(() => transport.state.status === "waiting" && transport.state.failedAttempts > 1);
  equal(room.status, "subscribing");
  await world.refuse(false);
  await room.ready;
  await world.publish({ channel: "room:one" }, "hi");
  equal(texts(await take(room, 1)), ["hi"]);
});

test("whoever comes and goes all the time hears in the end what the last one asked for", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  for (let round = 0; round < 50; round += 1) {
    const room = transport.hub.subscribe("room:one", { events: SAID });
    void room.unsubscribe();
    await room.ready.catch(() => {});
  }
  const room = transport.hub.subscribe("room:one", { events: SAID });
  await room.ready;
  await world.publish({ channel: "room:one" }, "heard");
  equal(texts(await take(room, 1)), ["heard"]);
});
