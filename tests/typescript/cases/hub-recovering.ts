// What subscriptions give over cuts, restarts and readers that are too slow: every event once, or a gap that says so.

import type { Position, SubscriptionStatus } from "rpc-websocket";
import { equal, ok } from "../src/assert.js";
import { SaidSchema } from "../src/gen/cases/cases_pb.js";
import { test } from "../src/harness.js";
import { numbered, SAID, take, texts } from "../src/hub.js";

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

test("what was missed of types that the program does not name is skipped and counted, and is no gap", async (t) => {
  const world = await t.world();
  const { transport } = t.client(world);
  const room = transport.hub.subscribe("room:one", { events: SAID });
  const skipped: unknown[] = [];
  room.on("skipped", ({ type, kind, position }) => skipped.push([type, kind, position?.offset]));
  await room.ready;
  await world.publish({ channel: "room:one" }, "heard");
  const heard = await take(room, 1);
  await world.refuse(true);
  await world.cut();
  await t.until(() => room.status === "recovering");
  await world.publish({ channel: "room:one" }, "odd ", { kind: "strange", times: 2 });
  await world.publish({ channel: "room:one" }, "missed");
  await world.publish({ channel: "room:one" }, "odd", { kind: "strange" });
  await world.refuse(false);
  await t.until(() => room.status === "live");
  await world.publish({ channel: "room:one" }, "live again");
  equal(texts([...heard, ...(await take(room, 2))]), ["heard", "missed", "live again"]);
  equal([room.unknown, room.undecodable], [3, 0]);
  equal(
    skipped,
    [2n, 3n, 5n].map((offset) => ["cases.Strange", "recovered", offset]),
  );
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
