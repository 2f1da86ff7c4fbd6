// What a program does not read: it is told of each, once, as soon as it has come.

import assert from "node:assert/strict";
import { test } from "node:test";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { SubscribedSchema } from "../src/gen/rpc/hub/v1/hub_pb.js";
import type { EventStream, Item } from "../src/index.js";
import { direct, EVENTS, frame, Hub, type Texts, take, textOf } from "./support/hub.js";
import type { FrameInit } from "./support/server.js";
import { settled } from "./support/world.js";

const other = (channel = 3n): FrameInit => ({
  kind: { case: "event", value: { channel, type: "other.Type", body: new Uint8Array([1]) } },
});
const broken: FrameInit = {
  kind: { case: "event", value: { channel: 3n, type: StringValueSchema.typeName, body: new Uint8Array([0xff]) } },
};

/** The types of what it skips from now on. */
function skips(sub: Pick<EventStream<Texts>, "on">): string[] {
  const types: string[] = [];
  sub.on("skipped", ({ type }) => types.push(type));
  return types;
}

test("without schemas all events are told where nothing else listens, however many", async () => {
  const hub = await Hub.open({ maxUnreadEvents: 2 });
  const sub = hub.hub.subscribe("room:5", { events: [] });
  const skipped: string[] = [];
  sub.on("skipped", ({ type }) => skipped.push(type));
  await settled();
  await hub.subscribed({ number: 3n });
  await hub.say(other(), other(), other(), other());
  assert.deepEqual([skipped.length, sub.unknown, sub.unread], [4, 4, 0]);
  // With a loop as well each is told once, and the loop sees none of them.
  const next = sub[Symbol.asyncIterator]().next();
  await hub.say(other());
  assert.deepEqual([skipped.length, sub.unknown], [5, 5]);
  void sub.unsubscribe();
  assert.deepEqual(await next, { done: true, value: undefined });
});

test("a body that does not decode is told when it comes, although a loop has not read what is ahead of it", async () => {
  const hub = await Hub.open();
  const sub = hub.hub.subscribe("room:5", { events: EVENTS });
  const skipped = skips(sub);
  await settled();
  await hub.subscribed({ number: 3n });
  await hub.say(frame(3n, "one"), broken, frame(3n, "two"));
  assert.deepEqual([skipped, sub.undecodable, sub.unread], [[StringValueSchema.typeName], 1, 2]);
  assert.deepEqual(await take(sub, 2), ["one", "two"]);
  assert.deepEqual([skipped.length, sub.undecodable], [1, 1]);
});

test("what is skipped is told and counted once, also with callbacks and a loop", async () => {
  const hub = await Hub.open();
  const { sub, heard } = await hub.listen();
  const loop = sub[Symbol.asyncIterator]();
  const skipped = skips(sub);
  await hub.subscribed({ number: 3n });
  await hub.say(broken, other(), frame(3n, "one"));
  assert.equal(textOf((await loop.next()).value as Item<Texts>), "one");
  assert.deepEqual(heard, ["one"]);
  assert.deepEqual(skipped, [StringValueSchema.typeName, "other.Type"]);
  assert.deepEqual([sub.undecodable, sub.unknown], [1, 1]);
});

test("what waits already is told once to callbacks that come later, and not again to the loop", async () => {
  for (const isGiven of [true, false]) {
    const hub = await Hub.open();
    const sub = hub.hub.subscribe("room:5", { events: EVENTS });
    const loop = sub[Symbol.asyncIterator]();
    await settled();
    await hub.subscribed({ number: 3n });
    await hub.say(broken, frame(3n, "one"));
    const skipped = skips(sub);
    const heard: string[] = [];
    if (isGiven) sub.on("item", (item) => heard.push(textOf(item)));
    await settled();
    assert.deepEqual([skipped.length, heard], [1, isGiven ? ["one"] : []]);
    assert.equal(textOf((await loop.next()).value as Item<Texts>), "one");
    assert.deepEqual([skipped.length, sub.undecodable], [1, 1]);
  }
});

test("what has waited for a subscription of the server's to be accepted is told as what is skipped", async () => {
  const hub = await Hub.open();
  await hub.say(direct(SubscribedSchema, { channel: "room:5", number: 3n }), other(), frame(3n, "one"));
  const skipped: string[] = [];
  hub.hub.on("subscribed", ({ accept }) => {
    accept({ events: [] }).on("skipped", ({ type }) => skipped.push(type));
  });
  await settled();
  assert.deepEqual(skipped, ["other.Type", StringValueSchema.typeName]);
  await hub.say(other());
  assert.equal(skipped.length, 3);
});
