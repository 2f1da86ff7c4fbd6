// The hub of a client, against a server that a test writes: what is recovered, what is a gap, and what waits.

import assert from "node:assert/strict";
import { test } from "node:test";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { Calls } from "../src/calls.js";
import {
  DroppedSchema,
  NotificationSchema,
  PublishRequestSchema,
  PublishResponseSchema,
  SubscribedSchema,
  SubscribeRequestSchema,
  SubscribeResponseSchema,
  UnsubscribedSchema,
  UnsubscribeRequestSchema,
  UnsubscribeResponseSchema,
} from "../src/gen/rpc/hub/v1/hub_pb.js";
import { TransportHub } from "../src/hub/transport.js";
import type { Subscription } from "../src/index.js";
import { at, bytes, direct, EVENTS, frame, Hub, said, type Texts, take, textOf } from "./support/hub.js";
import type { FrameInit } from "./support/server.js";
import { settled } from "./support/world.js";

test("a subscription begins with the snapshot and what the answer has, and then frames in their order", async () => {
  const hub = await Hub.open();
  const { sub, heard } = await hub.listen();
  assert.equal(sub.status, "subscribing");
  await hub.say(frame(3n, "early", 3n), frame(3n, "before the answer", 2n), frame(4n, "of another channel", 1n));
  await hub.subscribed({
    number: 3n,
    position: at(2n),
    snapshot: said("state"),
    events: [said("one", 1n), said("two", 2n)],
  });
  await sub.ready;
  await hub.say(frame(3n, "four", 4n), frame(3n, "four again", 4n));
  assert.deepEqual(heard, ["snapshot state", "recovered one", "recovered two", "early", "four"]);
  assert.equal(sub.status, "live");
  assert.deepEqual(sub.position, at(4n));
});

test("subscriptions that are begun together are one call, and several to one channel are one to the server", async () => {
  const hub = await Hub.open();
  for (const channel of ["a", "b", "a"]) hub.hub.subscribe(channel, { events: EVENTS });
  await settled();
  const { message } = hub.request("Subscribe", SubscribeRequestSchema);
  assert.deepEqual(
    message.channels.map(({ channel }) => channel),
    ["a", "b"],
  );
  assert.deepEqual(hub.scene.socket.kinds(), []);
});

test("after a reconnect the channel is asked for since the last position, and what was missed comes once", async () => {
  const hub = await Hub.open();
  const { sub, heard } = await hub.listen();
  const states: string[] = [];
  sub.on("status", (status) => states.push(`${status} ${heard.length}`));
  await hub.subscribed({ number: 3n, position: at(1n) });
  await hub.say(frame(3n, "two", 2n));
  await hub.scene.comeBack();
  assert.deepEqual(
    await hub.subscribed({
      number: 9n,
      position: at(4n),
      recovered: true,
      events: [said("three", 3n), said("four", 4n)],
    }),
    [2n],
  );
  await hub.say(frame(3n, "another channel's now", 5n), frame(9n, "five", 5n));
  assert.deepEqual(heard, ["two", "recovered three", "recovered four", "five"]);
  assert.deepEqual(states, ["live 0", "recovering 1", "live 3"], "events come before the subscription is live");
});

test("what cannot be recovered is a gap, and then it goes on, with the snapshot where there is one", async () => {
  const hub = await Hub.open();
  const { sub, heard } = await hub.listen({ since: at(1n) });
  const gaps: unknown[] = [];
  sub.on("gap", ({ last, next }) => gaps.push([last, next]));
  assert.deepEqual(
    await hub.subscribed({ number: 3n, position: at(9n, 8n), recovered: false, snapshot: said("state") }),
    [1n],
  );
  await hub.say(frame(3n, "ten", 10n));
  assert.deepEqual(heard, ["gap: unrecoverable", "snapshot state", "ten"]);
  assert.deepEqual(gaps, [[at(1n), at(9n, 8n)]]);
});

test("a channel without history has a gap after each reconnect", async () => {
  const hub = await Hub.open();
  const { sub, heard } = await hub.listen();
  await hub.subscribed({ number: 3n });
  await hub.say(frame(3n, "one"));
  await hub.scene.comeBack();
  await hub.subscribed({ number: 3n });
  await hub.say(frame(3n, "two"));
  assert.deepEqual(heard, ["one", "gap: no-history", "two"]);
  assert.equal(sub.position, undefined);
});

test("a jump in the offsets is asked about, what comes meanwhile waits, and events for others are no gap", async () => {
  const hub = await Hub.open();
  const { heard } = await hub.listen();
  await hub.subscribed({ number: 3n, position: at(1n) });
  await hub.say(frame(3n, "four", 4n), frame(3n, "five", 5n));
  assert.deepEqual(heard, [], "what lies between comes first");
  assert.deepEqual(
    await hub.subscribed({
      number: 3n,
      position: at(4n),
      recovered: true,
      events: [said("two", 2n), said("four", 4n)],
    }),
    [1n],
  );
  assert.deepEqual(heard, ["recovered two", "recovered four", "five"]);
  await hub.say(frame(3n, "seven", 7n));
  assert.deepEqual(hub.scene.socket.kinds(), [], "not more often than every 100 ms");
  await hub.scene.world.pass(100);
  await hub.subscribed({ number: 3n, position: at(7n), recovered: true, events: [said("seven", 7n)] });
  assert.deepEqual(heard.at(-1), "recovered seven");
});

test("what this client has published for others is no jump", async () => {
  const hub = await Hub.open();
  const { heard } = await hub.listen();
  await hub.subscribed({ number: 3n, position: at(1n) });
  const published = hub.hub.publish("room:5", StringValueSchema, { value: "mine" }, { exceptSelf: true, key: "k" });
  await settled();
  const { id, message } = hub.request("Publish", PublishRequestSchema);
  assert.deepEqual([message.key, message.exceptSelf, message.event?.type], ["k", true, StringValueSchema.typeName]);
  await hub.answer(id, PublishResponseSchema, { id: "7-2", position: at(2n), reached: 4n });
  assert.deepEqual(await published, { id: "7-2", position: at(2n), reached: 4, duplicate: false });
  await hub.say(frame(3n, "three", 3n));
  assert.deepEqual(heard, ["three"]);
});

test("events that the server says it has dropped are asked for, or are a gap where there is no history", async () => {
  const dropped = (channel: bigint): FrameInit => ({
    kind: {
      case: "event",
      value: { channel, type: DroppedSchema.typeName, body: bytes(DroppedSchema, { count: 5n }) },
    },
  });
  const hub = await Hub.open();
  const { sub, heard } = await hub.listen();
  await hub.subscribed({ number: 3n, position: at(1n) });
  await hub.say(dropped(3n));
  assert.equal(sub.status, "recovering");
  assert.deepEqual(await hub.subscribed({ number: 3n, position: at(2n), recovered: true, events: [said("two", 2n)] }), [
    1n,
  ]);
  assert.deepEqual(heard, ["recovered two"]);
  const without = await Hub.open();
  const other = await without.listen();
  await without.subscribed({ number: 3n });
  await without.say(dropped(3n), frame(3n, "next"));
  assert.deepEqual(other.heard, ["gap: no-history 5", "next"]);
});

test("what a program does not read waits up to the bound, and the rest is asked for once it has read", async () => {
  const hub = await Hub.open({ maxUnreadEvents: 2 });
  const sub = hub.hub.subscribe("room:5", { events: EVENTS });
  await settled();
  await hub.subscribed({ number: 3n, position: at(0n) });
  await hub.say(frame(3n, "one", 1n), frame(3n, "two", 2n), frame(3n, "three", 3n), frame(3n, "four", 4n));
  assert.equal(sub.unread, 2);
  assert.deepEqual(await take(sub, 2), ["one", "two"]);
  await settled();
  assert.deepEqual(
    await hub.subscribed({
      number: 3n,
      position: at(4n),
      recovered: true,
      events: [said("three", 3n), said("four", 4n)],
    }),
    [2n],
  );
  assert.deepEqual(await take(sub, 2), ["recovered three", "recovered four"]);
  assert.deepEqual(sub.position, at(4n));
});

test("the position is that of what was read last, however much waits behind it", async () => {
  const hub = await Hub.open();
  const sub = hub.hub.subscribe("room:5", { events: EVENTS, since: at(1n) });
  const reader = sub[Symbol.asyncIterator]();
  const read = async () => textOf((await reader.next()).value);
  await settled();
  await hub.subscribed({ number: 3n, position: at(2n), recovered: true, events: [said("two", 2n)] });
  await hub.say(frame(3n, "three", 3n));
  assert.deepEqual(sub.position, at(1n), "nothing was read");
  assert.equal(await read(), "recovered two");
  assert.deepEqual(sub.position, at(2n));
  await hub.scene.comeBack();
  const answer = { number: 3n, position: at(9n, 8n), recovered: false, snapshot: said("state") };
  await hub.subscribed({ ...answer, events: [said("nine", 9n)] });
  assert.equal(await read(), "three");
  assert.equal(await read(), "gap: unrecoverable");
  assert.deepEqual(sub.position, at(3n), "the snapshot is missing still");
  assert.equal(await read(), "snapshot state");
  assert.deepEqual(sub.position, at(8n, 8n), "a snapshot has the position behind which events come");
  void reader.return?.();
  assert.deepEqual(sub.position, at(8n, 8n), "what was not read when the loop was left was not given");
});

test("the position without `since` is where it began, and goes no further once a callback has ended it", async () => {
  const hub = await Hub.open();
  const sub = hub.hub.subscribe("room:5", { events: EVENTS });
  await settled();
  assert.equal(sub.position, undefined);
  await hub.subscribed({ number: 3n, position: at(4n) });
  await hub.say(frame(3n, "five", 5n));
  assert.deepEqual([sub.unread, sub.position], [1, at(4n)]);
  const ended = hub.hub.subscribe("room:6", { events: EVENTS });
  ended.on(StringValueSchema, ({ value }) => {
    if (value === "two") void ended.unsubscribe();
  });
  await settled();
  const events = [said("one", 1n), said("two", 2n), said("three", 3n)];
  await hub.subscribed({ number: 4n, position: at(9n), events });
  assert.deepEqual([ended.status, ended.position], ["ended", at(2n)]);
});

test("without history what was not read in time is counted in a gap", async () => {
  const hub = await Hub.open({ maxUnreadEvents: 1 });
  const sub = hub.hub.subscribe("room:5", { events: EVENTS });
  await settled();
  await hub.subscribed({ number: 3n });
  await hub.say(frame(3n, "one"), frame(3n, "two"), frame(3n, "three"));
  const [one, gap] = await take(sub, 2);
  assert.equal(one, "one");
  assert.match(gap as string, /^gap: .* 2$/);
  await hub.say(frame(3n, "four"));
  assert.deepEqual(await take(sub, 1), ["four"]);
});

test("callbacks let nothing wait, and one that throws does not stop the others", async () => {
  const reported: unknown[] = [];
  Object.assign(globalThis, { reportError: (error: unknown) => reported.push(error) });
  const hub = await Hub.open({ maxUnreadEvents: 1 });
  const sub = hub.hub.subscribe("room:5", { events: EVENTS });
  await settled();
  await hub.subscribed({ number: 3n });
  await hub.say(frame(3n, "before there was a callback"));
  const heard: string[] = [];
  sub.on(StringValueSchema, () => {
    throw new Error("mine");
  });
  sub.on(StringValueSchema, ({ value }, event) => heard.push(`${value} ${event.channel}`));
  await settled();
  await hub.say(frame(3n, "a"), frame(3n, "b"), frame(3n, "c"));
  Object.assign(globalThis, { reportError: undefined });
  assert.deepEqual(heard, ["before there was a callback room:5", "a room:5", "b room:5", "c room:5"]);
  assert.deepEqual([reported.length, sub.unread], [4, 0]);
});

test("a callback that is taken off one schema is called for another still", async () => {
  const hub = await Hub.open();
  const sub = hub.hub.subscribe("room:5", { events: [StringValueSchema, NotificationSchema] });
  await settled();
  await hub.subscribed({ number: 3n });
  const heard: string[] = [];
  const callback = ({ $typeName }: { $typeName: string }) => heard.push($typeName);
  sub.on(StringValueSchema, callback);
  const off = sub.on(NotificationSchema, callback);
  sub.on("gap", callback as never);
  await settled();
  off();
  sub.off("gap", callback as never);
  await hub.say(frame(3n, "on"));
  assert.deepEqual([heard, sub.unread], [[StringValueSchema.typeName], 0]);
});

test("a callback that takes itself off is given one event, and the next ones wait", async () => {
  const hub = await Hub.open();
  const sub = hub.hub.subscribe("room:5", { events: EVENTS });
  await settled();
  await hub.subscribed({ number: 3n, position: at(0n) });
  const heard: string[] = [];
  const once = async () => {
    const off = sub.on(StringValueSchema, ({ value }) => {
      off();
      heard.push(value);
    });
    await settled();
  };
  await once();
  await hub.say(frame(3n, "one", 1n), frame(3n, "two", 2n), frame(3n, "three", 3n));
  assert.deepEqual([heard, sub.unread], [["one"], 2]);
  await once();
  assert.deepEqual([heard, sub.unread], [["one", "two"], 1]);
  assert.deepEqual(await take(sub, 1), ["three"]);
});

test("unknown types and bodies that do not decode are skipped, counted, and told", async () => {
  const hub = await Hub.open();
  const { sub, heard } = await hub.listen();
  const skipped: unknown[] = [];
  sub.on("skipped", ({ type, kind, position, body }) => skipped.push([type, kind, position?.offset, [...body]]));
  await hub.subscribed({ number: 3n, position: at(0n) });
  const type = StringValueSchema.typeName;
  await hub.say(
    { kind: { case: "event", value: { channel: 3n, offset: 1n, type: "other.Type", body: new Uint8Array([1]) } } },
    { kind: { case: "event", value: { channel: 3n, offset: 2n, type, body: new Uint8Array([0xff]) } } },
    frame(3n, "three", 3n),
  );
  assert.deepEqual(heard, ["three"]);
  assert.deepEqual([sub.unknown, sub.undecodable], [1, 1]);
  assert.deepEqual(skipped, [
    ["other.Type", "live", 1n, [1]],
    [type, "live", 2n, [0xff]],
  ]);
});

test("without schemas all events are told as they came, with gaps in their order", async () => {
  const hub = await Hub.open();
  const sub = hub.hub.subscribe("room", { events: [] });
  await settled();
  const heard: unknown[] = [];
  sub.on("skipped", ({ type, body }) => heard.push([type, Buffer.from(body).toString()]));
  sub.on("item", ({ cause }) => heard.push(cause));
  await hub.subscribed({ number: 3n, types: ["chat.Said"] });
  await sub.ready;
  await hub.say({
    kind: { case: "event", value: { channel: 3n, type: "chat.Said", body: new TextEncoder().encode("one") } },
  });
  await hub.scene.comeBack();
  await hub.subscribed({ number: 4n, types: ["chat.Said"] });
  await hub.say({
    kind: { case: "event", value: { channel: 4n, type: "chat.Said", body: new TextEncoder().encode("two") } },
  });
  assert.deepEqual(heard, [["chat.Said", "one"], "no-history", ["chat.Said", "two"]]);
});

test("a refusal ends the subscription with its status, also when it comes after a reconnect", async () => {
  const hub = await Hub.open();
  const { sub } = await hub.listen();
  await hub.subscribed({ refused: { code: 7, message: "no" } });
  await assert.rejects(sub.ready, /\[permission_denied\] no/);
  await assert.rejects(take(sub, 1), /\[permission_denied\] no/);
  const later = (await hub.listen()).sub;
  await hub.subscribed({ number: 3n, position: at(1n) });
  await hub.scene.comeBack();
  await hub.subscribed({ refused: { code: 7, message: "not any more" } });
  assert.equal(later.status, "ended");
  await assert.rejects(take(later, 1), /not any more/);
  await hub.scene.world.pass(60_000);
  assert.deepEqual(
    hub.scene.socket.kinds().filter((kind) => kind === "request"),
    [],
    "it is not asked for again",
  );
});

test("a channel that cannot have what is listened for is refused with what it has", async () => {
  const hub = await Hub.open();
  const { sub } = await hub.listen();
  await hub.subscribed({ number: 3n, types: ["chat.Said"] });
  await assert.rejects(sub.ready, /\[invalid_argument\].*google.protobuf.StringValue.*it has chat.Said/);
});

test("an error that passes is asked about again, later", async () => {
  const hub = await Hub.open();
  const { sub } = await hub.listen();
  const { id } = hub.request("Subscribe", SubscribeRequestSchema);
  await hub.say({ streamId: BigInt(id), kind: { case: "end", value: { status: { code: 14, message: "busy" } } } });
  assert.equal(sub.status, "subscribing");
  assert.deepEqual(hub.scene.socket.kinds(), []);
  await hub.scene.world.pass(1_000);
  await hub.subscribed({ number: 3n });
  await sub.ready;
});

test("unsubscribing tells the server, and leaving a loop or aborting a signal does the same", async () => {
  const leave: ((sub: Subscription<Texts>, controller: AbortController) => PromiseLike<unknown>)[] = [
    (sub) => sub.unsubscribe(),
    async (_, controller) => controller.abort(),
    (sub) => sub[Symbol.asyncDispose](),
    async (sub) => {
      for await (const _ of sub) break;
    },
  ];
  for (const one of leave) {
    const hub = await Hub.open();
    const controller = new AbortController();
    const sub = hub.hub.subscribe("room:5", { events: EVENTS, signal: controller.signal });
    await settled();
    await hub.subscribed({ number: 3n });
    await hub.say(frame(3n, "one"));
    const left = one(sub, controller);
    await settled();
    const { id, message } = hub.request("Unsubscribe", UnsubscribeRequestSchema);
    assert.deepEqual(message.channels, ["room:5"]);
    await hub.answer(id, UnsubscribeResponseSchema, { answers: [{ channel: "room:5", wasSubscribed: true }] });
    await left;
    await hub.say(frame(3n, "two"));
    assert.deepEqual([sub.status, await take(sub, 1)], ["ended", []]);
  }
});

test("one subscription of several to a channel leaves without the others", async () => {
  const hub = await Hub.open();
  const [one, other] = [await hub.listen(), await hub.listen()];
  await hub.subscribed({ number: 3n });
  await one.sub.unsubscribe();
  await hub.say(frame(3n, "on"));
  assert.deepEqual([one.heard, other.heard], [[], ["on"]]);
  assert.deepEqual(hub.scene.socket.kinds(), []);
});

test("the server's end of a subscription ends it with the reason", async () => {
  const hub = await Hub.open();
  const { sub } = await hub.listen();
  await hub.subscribed({ number: 3n });
  const ends: unknown[] = [];
  sub.on("end", (error) => ends.push(error?.message));
  await hub.say(direct(UnsubscribedSchema, { channel: "room:5", reason: { code: 7, message: "kicked" } }));
  assert.deepEqual(ends, ["[permission_denied] kicked"]);
  await assert.rejects(take(sub, 1), /kicked/);
});

test("what the server subscribes the client to waits until a program accepts it, and is then like any", async () => {
  const hub = await Hub.open();
  await hub.say(
    direct(SubscribedSchema, { channel: "inbox:ann", number: 5n, position: at(1n), snapshot: said("state") }),
    frame(5n, "two", 2n),
  );
  const heard: string[] = [];
  hub.hub.on("subscribed", ({ channel, accept }) => {
    if (channel === "inbox:ann") accept({ events: EVENTS }).on("item", (item) => heard.push(textOf(item)));
  });
  await settled();
  await hub.say(frame(5n, "three", 3n));
  assert.deepEqual(heard, ["snapshot state", "two", "three"]);
  await hub.scene.comeBack();
  assert.deepEqual(
    await hub.subscribed({ number: 6n, position: at(4n), recovered: true, events: [said("four", 4n)] }),
    [3n],
  );
  assert.equal(heard.at(-1), "recovered four");
  await hub.say(direct(SubscribedSchema, { channel: "unwanted", number: 7n }));
  assert.deepEqual(hub.request("Unsubscribe", UnsubscribeRequestSchema).message.channels, ["unwanted"]);
});

test("what a transport has accepted ends with it, and it is told of no more", async () => {
  const hub = await Hub.open();
  const { connection } = hub.scene;
  const other = new TransportHub(connection, new Calls(connection, {}));
  const heard: string[] = [];
  const accepted: Subscription<Texts>[] = [];
  other.on("subscribed", ({ channel, accept }) => {
    const sub = accept({ events: EVENTS });
    sub.on("item", (item) => heard.push(`${channel} ${textOf(item)}`));
    accepted.push(sub);
  });
  await hub.say(direct(SubscribedSchema, { channel: "inbox:ann", number: 5n, position: at(1n) }));
  await settled();
  await hub.say(frame(5n, "two", 2n));
  other.close(new ConnectError("closed"));
  await hub.say(frame(5n, "three", 3n), direct(SubscribedSchema, { channel: "inbox:bob", number: 6n }));
  assert.deepEqual([heard, accepted.map(({ status }) => status)], [["inbox:ann two"], ["ended"]]);
  assert.deepEqual(hub.request("Unsubscribe", UnsubscribeRequestSchema).message.channels, ["inbox:ann"]);
  other.on("subscribed", ({ channel }) => heard.push(`closed ${channel}`))();
  other.on("subscribed", ({ channel }) => heard.push(`closed ${channel}`));
  await settled();
  // What nobody was told of waits for the transport that goes on.
  hub.hub.on("subscribed", () => heard.push("taken off"))();
  await settled();
  hub.hub.on("subscribed", ({ channel }) => heard.push(`told ${channel}`));
  await settled();
  assert.deepEqual(heard, ["inbox:ann two", "told inbox:bob"]);
});

test("direct events go to all who listen for their type, and are counted where nobody does", async () => {
  const hub = await Hub.open({ maxUnreadEvents: 1 });
  const heard: string[] = [];
  const stream = hub.hub.events({ events: [NotificationSchema] });
  stream.on(NotificationSchema, ({ title }) => heard.push(title));
  const texts = hub.hub.events({ events: EVENTS });
  await settled();
  await hub.say(direct(NotificationSchema, { title: "hello" }), direct(StringValueSchema, { value: "a" }));
  await hub.say(direct(StringValueSchema, { value: "b" }), direct(DroppedSchema, {}));
  assert.deepEqual([heard, hub.hub.unheard], [["hello"], 1]);
  assert.deepEqual(await take(texts, 2), ["a", "gap: unread 1"]);
  await texts.unsubscribe();
  await hub.say(direct(StringValueSchema, { value: "c" }));
  assert.equal(hub.hub.unheard, 2);
});

test("subscriptions end with the client, and say why", async () => {
  const hub = await Hub.open();
  const { sub } = await hub.listen();
  const events = hub.hub.events({ events: EVENTS });
  await hub.scene.socket.drop(4500, "token");
  await assert.rejects(sub.ready, /\[unauthenticated\] token/);
  await assert.rejects(take(sub, 1), ConnectError);
  await assert.rejects(take(events, 1), ConnectError);
  await assert.rejects(hub.hub.subscribe("room:6", { events: EVENTS }).ready, /token/);
});

test("a connection that drains is heard until the next one is there", async () => {
  const hub = await Hub.open();
  const heard: string[] = [];
  hub.hub.events({ events: EVENTS }).on("item", (item) => heard.push(textOf(item)));
  await settled();
  const old = hub.scene.socket;
  // A call that runs keeps it.
  hub.hub.presence("room:5").catch(() => {});
  await settled();
  await old.say(
    { kind: { case: "goAway", value: { lastStreamId: 9n } } },
    direct(StringValueSchema, { value: "while it drains" }),
  );
  await hub.scene.world.pass(1_000);
  await hub.scene.socket.greet();
  await old.say(direct(StringValueSchema, { value: "to the old one as well" }));
  await hub.say(direct(StringValueSchema, { value: "to the new one" }));
  assert.deepEqual(heard, ["while it drains", "to the new one"]);
});

test("what waits is bounded in bytes too, and one event always fits", async () => {
  const hub = await Hub.open({ maxUnreadBytes: 1_000 });
  const sub = hub.hub.subscribe("room:5", { events: EVENTS });
  await settled();
  await hub.subscribed({ number: 3n, position: at(0n) });
  const long = "x".repeat(2_000);
  await hub.say(frame(3n, long, 1n), frame(3n, "two", 2n));
  assert.equal(sub.unread, 1);
  assert.deepEqual(await take(sub, 1), [long]);
});

test("an end of the server's while it is asked ends what was live, and the rest asks again", async () => {
  const hub = await Hub.open();
  const live = await hub.listen();
  await hub.subscribed({ number: 3n, position: at(1n) });
  await hub.say(frame(3n, "three", 3n));
  const fresh = await hub.listen();
  const first = hub.request("Subscribe", SubscribeRequestSchema);
  await hub.say(direct(UnsubscribedSchema, { channel: "room:5", reason: { code: 7, message: "kicked" } }));
  assert.equal(live.sub.status, "ended");
  await hub.answer(first.id, SubscribeResponseSchema, { answers: [{ number: 3n, position: at(3n) }] });
  await hub.scene.world.pass(100);
  await hub.subscribed({ refused: { code: 7, message: "kicked" } });
  assert.equal(fresh.sub.status, "ended", "the first answer was older than the end");
});

test("events of a history that is over when the server answers are not taken for those of the next", async () => {
  const hub = await Hub.open();
  const { sub, heard } = await hub.listen();
  await hub.subscribed({ number: 3n, position: at(1n) });
  await hub.say(frame(3n, "three of the old", 3n), frame(3n, "four of the old", 4n));
  await hub.subscribed({ number: 3n, position: at(2n, 8n), recovered: false });
  assert.deepEqual(heard, ["gap: unrecoverable"]);
  assert.equal(sub.status, "recovering", "what it held is of another history");
  await hub.scene.world.pass(100);
  assert.deepEqual(await hub.subscribed({ number: 3n, position: at(2n, 8n), recovered: true }), [2n]);
  await hub.say({ kind: { case: "event", value: { channel: 3n, epoch: 8n, ...said("three", 3n) } } });
  assert.deepEqual(heard, ["gap: unrecoverable", "three"]);
});
