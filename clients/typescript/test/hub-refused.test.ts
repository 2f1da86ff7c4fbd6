// What a client makes of a question that is refused: whether the server still has it in the channel, and what it says of itself there.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import {
  SubscribedSchema,
  SubscribeResponseSchema,
  UnsubscribedSchema,
  UnsubscribeRequestSchema,
} from "../src/gen/rpc/hub/v1/hub_pb.js";
import type { Subscription } from "../src/hub/subscription.js";
import { asked, asksNothing, refused, says } from "./support/asking.js";
import { at, direct, EVENTS, frame, Hub, said, textOf } from "./support/hub.js";
import { settled } from "./support/world.js";

/** The client ends the channel at the server. */
async function ends(hub: Hub): Promise<void> {
  await hub.scene.world.pass(1_000);
  assert.deepEqual(hub.request("Unsubscribe", UnsubscribeRequestSchema).message.channels, ["room:5"]);
}

test("who leaves behind a refusal that passes tells the server", async () => {
  for (const code of [Code.Unavailable, Code.ResourceExhausted, Code.Aborted]) {
    const hub = await Hub.open();
    const { sub } = await hub.listen();
    await hub.subscribed({ number: 3n, position: at(1n) });
    await hub.say(frame(3n, "three", 3n));
    await hub.subscribed(refused(code));
    void sub.unsubscribe();
    await ends(hub);
  }
  // Not where it is out by that, or has never been in.
  for (const code of [Code.PermissionDenied, Code.Unauthenticated]) {
    const hub = await Hub.open();
    const { sub } = await hub.listen();
    await hub.subscribed({ number: 3n, position: at(1n) });
    await hub.say(frame(3n, "three", 3n));
    await hub.subscribed(refused(code));
    assert.equal(sub.status, "ended");
    await asksNothing(hub);
  }
  for (const code of [Code.Unavailable, Code.InvalidArgument, Code.PermissionDenied]) {
    const hub = await Hub.open();
    const { sub } = await hub.listen();
    await hub.subscribed(refused(code));
    assert.equal(sub.status, "ended");
    await asksNothing(hub);
  }
});

test("who is refused and hears the channel all the same goes on, and tells the server when it leaves", async () => {
  for (const code of [Code.Unavailable, Code.PermissionDenied, Code.InvalidArgument]) {
    const hub = await Hub.open();
    const { sub, heard } = await hub.listen();
    await hub.subscribed({ number: 3n });
    const other = await hub.listen();
    await hub.subscribed(refused(code, 3n));
    assert.equal(other.sub.status, "ended");
    await hub.say(frame(3n, "on"));
    assert.deepEqual([sub.status, heard], ["live", ["on"]], "it has missed nothing");
    await asksNothing(hub);
    void sub.unsubscribe();
    await ends(hub);
  }
});

test("of an end and a beginning around a refusal the later one holds", async () => {
  for (const number of [0n, 3n]) {
    for (const isIn of [true, false]) {
      const hub = await Hub.open();
      const { sub } = await hub.listen();
      await hub.subscribed({ number: 3n });
      const second = await hub.listen();
      const { id } = asked(hub);
      const made: Subscription<typeof EVENTS>[] = [];
      hub.hub.on("subscribed", ({ accept }) => made.push(accept({ events: EVENTS })));
      await hub.say(direct(UnsubscribedSchema, { channel: "room:5" }));
      assert.equal(sub.status, "ended");
      await hub.say(direct(SubscribedSchema, { channel: "room:5", number: 3n }));
      if (!isIn) await hub.say(direct(UnsubscribedSchema, { channel: "room:5" }));
      await hub.answer(id, SubscribeResponseSchema, { answers: [refused(Code.PermissionDenied, number)] });
      assert.deepEqual(
        made.map(({ status }) => status),
        [isIn ? "live" : "ended"],
        `${number}`,
      );
      assert.equal(second.sub.status, "ended", `${number}`);
    }
  }
});

test("what the server has subscribed the client to while it was refused is ended at the server", async () => {
  const hub = await Hub.open();
  await hub.listen();
  const { id } = asked(hub);
  await hub.say(direct(SubscribedSchema, { channel: "room:5", number: 3n }));
  await hub.answer(id, SubscribeResponseSchema, { answers: [refused(Code.Unavailable)] });
  hub.hub.on("subscribed", () => {});
  await ends(hub);
});

test("what the server has subscribed the client to while it was refused goes on", async () => {
  for (const code of [Code.Unavailable, Code.PermissionDenied]) {
    const hub = await Hub.open();
    const mine = await hub.listen();
    const { id } = asked(hub);
    const made: Subscription<typeof EVENTS>[] = [];
    hub.hub.on("subscribed", ({ accept }) => made.push(accept({ events: EVENTS })));
    await hub.say(direct(SubscribedSchema, { channel: "room:5", number: 3n }));
    // Of before: the server has let it wait behind what it has sent since.
    await hub.answer(id, SubscribeResponseSchema, { answers: [refused(code)] });
    assert.equal(mine.sub.status, "ended");
    await hub.scene.world.pass(1_000);
    await hub.subscribed({ number: 3n });
    assert.deepEqual(
      made.map(({ status }) => status),
      ["live"],
    );
  }
});

test("presence that there is no room for is as if it had not been said", async () => {
  for (const code of [Code.ResourceExhausted, Code.Unavailable]) {
    const hub = await Hub.open();
    const { sub, heard } = await hub.listen();
    await hub.subscribed({ number: 3n });
    const big = await hub.listen(says("big"));
    const { id, presence } = asked(hub);
    assert.equal(presence, "big");
    await hub.answer(id, SubscribeResponseSchema, { answers: [refused(code, 3n)] });
    assert.equal(big.sub.status, "ended");
    await hub.say(frame(3n, "on"));
    assert.deepEqual([sub.status, heard], ["live", ["on"]]);
    await asksNothing(hub);
    // Nor is it said on another connection, where it would keep out who was there.
    await hub.scene.comeBack();
    assert.equal(asked(hub).presence, undefined);
  }
});

test("where a refusal does not say what is heard, it is asked for again without what was refused", async () => {
  const hub = await Hub.open();
  const { heard } = await hub.listen();
  await hub.subscribed({ number: 3n });
  await hub.listen(says("big"));
  await hub.subscribed(refused(Code.ResourceExhausted));
  await hub.scene.world.pass(1_000);
  const { id, presence } = asked(hub);
  assert.equal(presence, undefined);
  await hub.answer(id, SubscribeResponseSchema, { answers: [{ number: 3n }] });
  assert.deepEqual(heard, ["gap: no-history"], "it may have been out");
});

test("what the server has taken it still has behind a question without that", async () => {
  for (const isOut of [false, true]) {
    const hub = await Hub.open();
    await hub.listen(says("here"));
    await hub.subscribed({ number: 3n });
    await hub.listen();
    await hub.subscribed(refused(Code.ResourceExhausted, 3n));
    await hub.listen();
    if (isOut) {
      await hub.scene.world.pass(1_000);
      await hub.subscribed(refused(Code.Unavailable));
    }
    await hub.scene.world.pass(1_000);
    const { id, presence } = asked(hub);
    assert.equal(presence, undefined);
    await hub.answer(id, SubscribeResponseSchema, { answers: [{ number: 3n }] });
    await hub.scene.world.pass(1_000);
    // It may have room now.
    const again = asked(hub);
    assert.equal(again.presence, "here");
    await hub.answer(again.id, SubscribeResponseSchema, { answers: [refused(Code.ResourceExhausted, 3n)] });
    await asksNothing(hub);
    await hub.scene.comeBack();
    assert.equal(asked(hub).presence, isOut ? undefined : "here", "where it was out it has nothing any more");
  }
});

test("presence that nobody is told of is said again when it could not be taken", async () => {
  const hub = await Hub.open();
  await hub.listen(says("here"));
  const first = asked(hub);
  const { sub } = await hub.listen(says("away"));
  await hub.answer(first.id, SubscribeResponseSchema, { answers: [{ number: 3n }] });
  assert.equal(sub.status, "live");
  for (const answer of [refused(Code.Unavailable, 3n), refused(Code.Unavailable, 3n), { number: 3n }]) {
    const { id, presence } = asked(hub);
    assert.equal(presence, "away");
    await hub.answer(id, SubscribeResponseSchema, { answers: [answer] });
    await hub.scene.world.pass(1_000);
  }
  await asksNothing(hub);
});

test("where only presence is new the server is asked for no snapshot, and no more than there is", async () => {
  const hub = await Hub.open({ maxUnreadEvents: 1 });
  // Nobody reads this one, which goes no further than the first.
  const unread = hub.hub.subscribe("room:5", { events: EVENTS, ...says("here") });
  await settled();
  const first = asked(hub);
  const { heard } = await hub.listen(says("away"));
  await hub.say(frame(3n, "five", 5n), frame(3n, "six", 6n));
  await hub.answer(first.id, SubscribeResponseSchema, { answers: [{ number: 3n, position: at(4n) }] });
  assert.equal(unread.unread, 1);
  const { id, presence, since } = asked(hub);
  assert.deepEqual([presence, since], ["away", 6n], "without a position there would be a snapshot");
  await hub.say(frame(3n, "seven", 7n));
  const answer = { number: 3n, position: at(7n), recovered: true, events: [said("seven", 7n)] };
  await hub.answer(id, SubscribeResponseSchema, { answers: [answer] });
  await hub.say(frame(3n, "eight", 8n));
  assert.deepEqual(heard, ["five", "six", "seven", "eight"]);
});

test("without history, too, the server is asked for no snapshot where only presence is new", async () => {
  const hub = await Hub.open();
  const { heard } = await hub.listen(says("here"));
  const first = asked(hub);
  await hub.listen(says("away"));
  await hub.answer(first.id, SubscribeResponseSchema, { answers: [{ number: 3n }] });
  const { id, presence, since } = asked(hub);
  assert.deepEqual([presence, since], ["away", 0n], "a position that none has");
  // Who begins meanwhile is asked for anew, and is given nothing of before that: its snapshot has it.
  const later = await hub.listen();
  await hub.say(frame(3n, "one"));
  await hub.answer(id, SubscribeResponseSchema, { answers: [{ number: 3n }] });
  assert.deepEqual([heard, later.sub.status], [["one"], "subscribing"]);
  const again = asked(hub);
  assert.equal(again.since, undefined);
  await hub.say(frame(3n, "two"));
  await hub.answer(again.id, SubscribeResponseSchema, { answers: [{ number: 3n, snapshot: said("one") }] });
  await hub.say(frame(3n, "three"));
  assert.deepEqual(heard, ["one", "two", "three"]);
  assert.deepEqual(later.heard, ["snapshot one", "two", "three"]);
});

test("what a session has left over is ended where it goes on, and nowhere else", async () => {
  for (const resumed of [false, true]) {
    for (const isAnswered of [true, false]) {
      const hub = await Hub.open();
      const { sub } = await hub.listen();
      if (isAnswered) await hub.subscribed({ number: 3n, position: at(1n) });
      const back = hub.scene.comeBack(1006, { resumed });
      await sub.unsubscribe();
      await back;
      if (resumed) await ends(hub);
      // What the server has made of the client's address in the new one is not for it to end.
      else await asksNothing(hub);
    }
  }
});

test("who leaves a channel while that is asked for waits until the server knows", async () => {
  const hub = await Hub.open();
  const { sub } = await hub.listen();
  const { id } = asked(hub);
  let hasLeft = false;
  void sub.unsubscribe().then(() => {
    hasLeft = true;
  });
  await settled();
  assert.equal(hasLeft, false);
  await hub.answer(id, SubscribeResponseSchema, { answers: [refused(Code.InvalidArgument)] });
  assert.equal(hasLeft, true);
});

test("a channel that nobody hears is not held against who asks for it next", async () => {
  const hub = await Hub.open();
  const { sub } = await hub.listen();
  await hub.subscribed({ number: 3n });
  await hub.listen();
  await sub.unsubscribe();
  await hub.subscribed(refused(Code.PermissionDenied));
  // What comes ahead of the answer, by the number that the channel had, is kept.
  const heard: string[] = [];
  hub.hub.subscribe("room:5", { events: EVENTS }).on("item", (item) => heard.push(textOf(item)));
  await settled();
  await hub.say(frame(3n, "early"));
  await hub.subscribed({ number: 3n });
  assert.deepEqual(heard, ["early"]);
});
