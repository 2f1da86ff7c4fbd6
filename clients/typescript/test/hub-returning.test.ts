// A client that comes back, to its session or to a channel: what was on its way meanwhile is neither taken for something else nor missed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import {
  PublishRequestSchema,
  PublishResponseSchema,
  SubscribedSchema,
  SubscribeRequestSchema,
  SubscribeResponseSchema,
  UnsubscribedSchema,
  UnsubscribeRequestSchema,
  UnsubscribeResponseSchema,
} from "../src/gen/rpc/hub/v1/hub_pb.js";
import { at, direct, EVENTS, frame, Hub, said, take, textOf } from "./support/hub.js";
import { settled } from "./support/world.js";

test("events that have waited since before another history are not taken for its own", async () => {
  const hub = await Hub.open();
  const { heard } = await hub.listen();
  await hub.subscribed({ number: 3n, position: at(1n) });
  await hub.scene.comeBack();
  // Frames that tell no history are of the one that was when they were made.
  await hub.subscribed({ number: 3n, position: at(5n, 8n), framesEpoch: 7n, recovered: false });
  await hub.say(frame(3n, "six of the old", 6n));
  assert.deepEqual(heard, ["gap: unrecoverable"]);
  // It asks whether another has begun, and once more behind what it has held meanwhile.
  for (let asked = 0; asked < 2; asked += 1) {
    await hub.scene.world.pass(100);
    const answer = { number: 3n, position: at(5n, 8n), framesEpoch: 7n, recovered: true };
    assert.deepEqual(await hub.subscribed(answer), [5n]);
  }
  await hub.say({ kind: { case: "event", value: { channel: 3n, epoch: 8n, ...said("six", 6n) } } });
  assert.deepEqual(heard, ["gap: unrecoverable", "six"]);
});

test("what this client has published for others in one history is a jump in the next", async () => {
  const hub = await Hub.open();
  const { heard } = await hub.listen();
  await hub.subscribed({ number: 3n, position: at(1n) });
  const published = hub.hub.publish("room:5", StringValueSchema, { value: "mine" }, { exceptSelf: true });
  await settled();
  const { id } = hub.request("Publish", PublishRequestSchema);
  await hub.answer(id, PublishResponseSchema, { id: "7-2", position: at(2n) });
  await published;
  await hub.scene.comeBack();
  await hub.subscribed({ number: 3n, position: at(1n, 8n), recovered: false });
  await hub.say(frame(3n, "three", 3n));
  assert.deepEqual(heard, ["gap: unrecoverable"], "the second of the new history is another event");
  await hub.scene.world.pass(100);
  await hub.subscribed({
    number: 3n,
    position: at(3n, 8n),
    recovered: true,
    events: [said("two", 2n), said("three", 3n)],
  });
  assert.deepEqual(heard, ["gap: unrecoverable", "recovered two", "recovered three"]);
});

test("a subscription of the server's that crosses with an end of the client's is asked for", async () => {
  const hub = await Hub.open();
  const { sub } = await hub.listen();
  await hub.subscribed({ number: 3n, position: at(1n) });
  void sub.unsubscribe();
  await settled();
  const { id } = hub.request("Unsubscribe", UnsubscribeRequestSchema);
  await hub.say(direct(SubscribedSchema, { channel: "room:5", number: 3n, position: at(1n) }));
  await hub.answer(id, UnsubscribeResponseSchema, { answers: [] });
  await hub.scene.world.pass(100);
  assert.deepEqual(await hub.subscribed({ number: 3n, position: at(2n), recovered: true }), [1n]);
});

test("what is said again on the next connection of a session was said before what is lost with the one before", async () => {
  for (const eventsAgain of [0n, 2n]) {
    const hub = await Hub.open();
    const heard: string[] = [];
    hub.hub.on("subscribed", ({ accept }) => accept({ events: EVENTS }).on("item", (item) => heard.push(textOf(item))));
    await hub.scene.comeBack(1006, { resumed: true, eventsAgain });
    await hub.say(direct(StringValueSchema, { value: "for nobody" }));
    await hub.say(direct(SubscribedSchema, { channel: "room:5", number: 3n }));
    if (eventsAgain > 0n) await hub.subscribed({ number: 3n });
    await hub.say(frame(3n, "one"));
    assert.deepEqual(heard, eventsAgain > 0n ? ["gap: no-history", "one"] : ["one"]);
    // And later, with nothing asked meanwhile.
    await hub.say(direct(SubscribedSchema, { channel: "room:6", number: 4n }), frame(4n, "six"));
    assert.deepEqual(heard.slice(-2), ["one", "six"]);
  }
});

test("nobody begins by an answer that may be older than an end, and has a gap behind the next", async () => {
  const hub = await Hub.open();
  const { sub, heard } = await hub.listen();
  await hub.say(direct(UnsubscribedSchema, { channel: "room:5" }), frame(3n, "two"));
  await hub.subscribed({ number: 3n });
  assert.equal(sub.status, "subscribing");
  await hub.say(frame(3n, "three"));
  await hub.subscribed({ number: 3n });
  await hub.say(frame(3n, "four"));
  // What came behind the first answer may have been before the end.
  assert.deepEqual(heard, ["three", "four"]);
  assert.deepEqual(hub.scene.socket.kinds(), []);
});

test("a subscription whose program does not read is told that it may not hear the channel any more", async () => {
  const hub = await Hub.open({ maxUnreadEvents: 1 });
  const sub = hub.hub.subscribe("room:5", { events: EVENTS });
  await settled();
  await hub.subscribed({ number: 3n, position: at(1n) });
  await hub.say(frame(3n, "two", 2n), frame(3n, "three", 3n));
  await hub.scene.comeBack();
  await hub.subscribed({ refused: { code: 7, message: "not any more" } });
  assert.equal(sub.status, "ended");
  assert.equal((await sub[Symbol.asyncIterator]().next()).value.message.value, "two");
  await hub.scene.world.pass(60_000);
  assert.deepEqual(hub.scene.socket.kinds(), [], "it is not asked for again");
});

test("what a program says of itself while the channel is asked for is told behind the answer, and once", async () => {
  const hub = await Hub.open();
  const says = (value: string) => ({ presence: { schema: StringValueSchema, message: { value } } });
  const said = () => {
    const { id, message } = hub.request("Subscribe", SubscribeRequestSchema);
    const { presence } = message.channels[0] ?? {};
    return { id, text: presence && fromBinary(StringValueSchema, presence.body).value };
  };
  await hub.listen(says("here"));
  const first = said();
  await hub.listen(says("away"));
  const answer = { answers: [{ number: 3n, position: at(1n) }] };
  await hub.answer(first.id, SubscribeResponseSchema, answer);
  const second = said();
  assert.deepEqual([first.text, second.text], ["here", "away"]);
  await hub.answer(second.id, SubscribeResponseSchema, answer);
  // Also where it is not taken.
  const { sub } = await hub.listen(says("nonsense"));
  const third = said();
  await hub.answer(third.id, SubscribeResponseSchema, { answers: [{ refused: { code: 3, message: "no" } }] });
  assert.equal(sub.status, "ended");
  await hub.scene.world.pass(60_000);
  assert.deepEqual(hub.scene.socket.kinds(), []);
  // The others live on, with what was taken, also where all is asked for again.
  await hub.scene.comeBack();
  assert.equal(said().text, "away");
});

test("what a program says of itself and is refused ends nobody who was there", async () => {
  const hub = await Hub.open();
  const { sub, heard } = await hub.listen();
  await hub.subscribed({ number: 3n, position: at(1n) });
  // It is asked for again for the one who was there and for the new one, in one question.
  const presence = { schema: StringValueSchema, message: { value: "nonsense" } };
  const back = hub.scene.comeBack();
  const other = hub.hub.subscribe("room:5", { events: EVENTS, presence });
  await back;
  await hub.subscribed({ refused: { code: 3, message: "no" } });
  assert.deepEqual([sub.status, other.status], ["recovering", "ended"]);
  await hub.scene.world.pass(500);
  const { id, message } = hub.request("Subscribe", SubscribeRequestSchema);
  assert.equal(message.channels[0]?.presence, undefined);
  const answer = { number: 3n, position: at(2n), recovered: true, events: [said("two", 2n)] };
  await hub.answer(id, SubscribeResponseSchema, { answers: [answer] });
  assert.deepEqual(heard, ["recovered two"]);
});

test("a snapshot behind a gap has the room that there was in front of it", async () => {
  const hub = await Hub.open({ maxUnreadEvents: 1, maxUnreadBytes: 10 });
  const sub = hub.hub.subscribe("room:5", { events: EVENTS });
  await settled();
  await hub.subscribed({ number: 3n, position: at(1n) });
  await hub.scene.comeBack();
  await hub.subscribed({ number: 3n, position: at(5n, 8n), recovered: false, snapshot: said("state") });
  assert.deepEqual(await take(sub, 2), ["gap: unrecoverable", "snapshot state"]);
});

test("an end that is told again does not hide what was asked for behind it, also where all comes at once", async () => {
  const hub = await Hub.open();
  const { sub } = await hub.listen();
  // The server answers behind what it has said by itself, and neither comes.
  hub.request("Subscribe", SubscribeRequestSchema);
  void sub.unsubscribe();
  const { scene } = hub;
  const before = scene.sockets.length;
  await scene.socket.drop();
  while (scene.sockets.length === before) await scene.world.pass(50);
  scene.socket.open();
  await hub.say(
    { kind: { case: "greeting", value: { clientId: "me", resumed: true, eventsAgain: 2n } } },
    direct(SubscribedSchema, { channel: "room:5", number: 3n }),
    direct(UnsubscribedSchema, { channel: "room:5" }),
  );
  await scene.world.pass(1_000);
  assert.deepEqual(hub.request("Unsubscribe", UnsubscribeRequestSchema).message.channels, ["room:5"]);
});
