// Questions that the server has not answered as it would have: who goes on, and what a program has said of itself then.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { SubscribeResponseSchema, UnsubscribeRequestSchema } from "../src/gen/rpc/hub/v1/hub_pb.js";
import { asked, asksNothing, refused, says } from "./support/asking.js";
import { at, frame, Hub, said } from "./support/hub.js";
import { settled } from "./support/world.js";

/** The call as a whole is refused, as by a guard. */
async function ended(hub: Hub, id: number, code: Code): Promise<void> {
  await hub.say({ streamId: BigInt(id), kind: { case: "end", value: { status: { code, message: "no" } } } });
}

test("what was said in a call that is refused as such is not said again", async () => {
  const hub = await Hub.open();
  const { sub, heard } = await hub.listen();
  await hub.subscribed({ number: 3n });
  const other = await hub.listen(says("away"));
  const { id, presence } = asked(hub);
  assert.equal(presence, "away");
  await ended(hub, id, Code.PermissionDenied);
  assert.deepEqual([sub.status, other.sub.status], ["live", "ended"]);
  await hub.say(frame(3n, "on"));
  assert.deepEqual(heard, ["on"]);
  await asksNothing(hub);
  await hub.scene.comeBack();
  assert.equal(asked(hub).presence, undefined);
});

test("where there is no room for what was said before, the channel is heard without it", async () => {
  for (const resumed of [false, true]) {
    for (const hasRoomLater of [false, true]) {
      const hub = await Hub.open();
      const { heard } = await hub.listen(says("here"));
      await hub.subscribed({ number: 3n, position: at(1n) });
      await hub.scene.comeBack(1006, { resumed });
      const first = asked(hub);
      assert.equal(first.presence, "here");
      const full = (number: bigint) => ({ answers: [refused(Code.ResourceExhausted, number)] });
      await hub.answer(first.id, SubscribeResponseSchema, full(resumed ? 3n : 0n));
      await hub.scene.world.pass(1_000);
      const second = asked(hub);
      assert.equal(second.presence, undefined);
      const answer = { number: 3n, position: at(2n), recovered: true, events: [said("two", 2n)] };
      await hub.answer(second.id, SubscribeResponseSchema, { answers: [answer] });
      assert.deepEqual(heard, ["recovered two"]);
      // It may have been the channel that had none.
      const third = asked(hub);
      assert.equal(third.presence, "here");
      const later = { answers: [{ number: 3n, position: at(2n), recovered: true }] };
      await hub.answer(third.id, SubscribeResponseSchema, hasRoomLater ? later : full(3n));
      await asksNothing(hub);
      // Another session is told what this one has: also what the server had already where it was the same session all the time.
      await hub.scene.comeBack();
      assert.equal(asked(hub).presence, hasRoomLater || resumed ? "here" : undefined);
    }
  }
});

test("what another session took and this one does not is not said again", async () => {
  const hub = await Hub.open();
  const { sub } = await hub.listen(says("here"));
  await hub.subscribed({ number: 3n, position: at(1n) });
  await hub.scene.comeBack();
  await hub.subscribed(refused(Code.InvalidArgument));
  await hub.scene.world.pass(1_000);
  const { id, presence } = asked(hub);
  assert.equal(presence, undefined);
  await hub.answer(id, SubscribeResponseSchema, { answers: [{ number: 3n, position: at(1n), recovered: true }] });
  assert.equal(sub.status, "live");
  await asksNothing(hub);
});

test("who comes back while the channel is left is not failed by that", async () => {
  for (const code of [Code.DeadlineExceeded, Code.PermissionDenied]) {
    const hub = await Hub.open();
    const { sub } = await hub.listen();
    await hub.subscribed({ number: 3n });
    void sub.unsubscribe();
    await settled();
    const { id } = hub.request("Unsubscribe", UnsubscribeRequestSchema);
    const next = await hub.listen(says("here"));
    await ended(hub, id, code);
    await hub.scene.world.pass(1_000);
    const again = asked(hub);
    assert.equal(again.presence, "here");
    await hub.answer(again.id, SubscribeResponseSchema, { answers: [{ number: 3n }] });
    assert.equal(next.sub.status, "live", Code[code]);
  }
});
