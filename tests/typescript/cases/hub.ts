// The hub: subscriptions, snapshots, rights, and what the server does by itself.

import type { DescMessage } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { Hub, Subscription } from "rpc-websocket";
import { equal, fails, ok } from "../src/assert.js";
import { BoardSchema, SaidSchema, StrangeSchema, TypingSchema } from "../src/gen/cases/cases_pb.js";
import { test } from "../src/harness.js";
import { SAID, take, texts } from "../src/hub.js";

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
  await fails(transport.hub.subscribe("granted:one", { events: SAID }).ready, Code.Unauthenticated);
  await fails(transport.hub.subscribe("no:such", { events: SAID }).ready, Code.Unauthenticated);
  await fails(transport.hub.publish("granted:one", SaidSchema, { text: "no" }), Code.Unauthenticated);
  await fails(transport.hub.presence("granted:one"), Code.Unauthenticated);
  await fails(transport.hub.history("granted:one", { events: SAID }), Code.Unauthenticated);
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
