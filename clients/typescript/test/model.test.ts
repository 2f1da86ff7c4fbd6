// Random interleavings of calls, reads, grants and frames, against a server that keeps its own books: nobody sends what was not granted,
// nothing is lost, doubled or out of order, and everything comes to its end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Call } from "../src/protocol/call.js";
import { ClientConnection } from "../src/protocol/client.js";
import { chance } from "./support/chance.js";
import { FRAME_COST, Peer } from "./support/peer.js";

interface Talk {
  readonly call: Call;
  /** What is to be sent, what was sent, and what came back. */
  readonly toSend: Uint8Array[];
  readonly sent: Uint8Array[];
  readonly came: Uint8Array[];
  readonly unread: { readonly body: Uint8Array; readonly cost: number }[];
  isBusy: boolean;
  isFinished: boolean;
  ends: number;
  /** It was given up. */
  cancelled: boolean;
}

function run(seed: number): void {
  const random = chance(seed);
  const pick = (count: number) => Math.floor(random() * count);
  const toServer: Uint8Array[] = [];
  const toClient: Uint8Array<ArrayBuffer>[] = [];
  let room = 1;
  const peer = new Peer({ maxStreams: 1 + pick(6), maxFrameBodyBytes: 1_024 * (1 + pick(128)) }, (message) =>
    toClient.push(message),
  );
  const connection = new ClientConnection(
    // Little is held, so that what is not given back would soon be missed.
    { maxBodyBytes: 4 << 20, maxPendingBytes: 4 << 20 },
    {
      write: (message) => void toServer.push(message),
      room: () => room,
      onBlocked() {},
      onGreeting() {},
      onGoAway() {},
      onIdentity() {},
      onEvent() {},
    },
    25_000,
    0,
  );
  const budget = { bytes: 0 };
  const body = () => {
    const bytes = new Uint8Array(pick(4) === 0 ? pick(160_000) : pick(5_000));
    bytes.fill(pick(256));
    return bytes;
  };
  const talks = Array.from({ length: 1 + pick(60) }, (_, at) => {
    // The first is a unary call whose request and response are longer than the windows of a stream.
    const isStream = at > 0 && pick(3) > 0;
    const toSend = Array.from({ length: isStream ? pick(12) : 1 }, body);
    if (at === 0) toSend[0] = new Uint8Array(300_000 + pick(400_000)).fill(pick(256));
    const talk: Talk = {
      toSend,
      sent: isStream ? [] : [toSend[0] as Uint8Array],
      came: [],
      unread: [],
      isBusy: false,
      isFinished: !isStream,
      ends: 0,
      cancelled: false,
      call: new Call(
        {
          method: 1n,
          metadata: [],
          body: isStream ? new Uint8Array() : (toSend[0] as Uint8Array),
          open: isStream,
          timeoutUs: () => 0n,
        },
        {
          onOpened() {},
          onMessage: (body, cost) => void talk.unread.push({ body, cost }),
          onResponse(response) {
            talk.came.push(response.body);
            talk.ends += 1;
          },
          onEnd(end) {
            assert.equal(end.status?.code ?? 0, 0);
            talk.ends += 1;
          },
          onStopSending() {},
          onWritable() {
            talk.isBusy = false;
          },
        },
        budget,
      ),
    };
    return talk;
  });
  peer.greet();
  const idle = [...talks];
  const isOver = () => talks.every((talk) => talk.cancelled || (talk.ends > 0 && talk.unread.length === 0));
  const steps: (() => void)[] = [
    () => {
      const talk = idle.shift();
      if (talk) connection.sender.start(talk.call);
    },
    () => {
      const talk = talks[pick(talks.length)] as Talk;
      if (idle.includes(talk) || talk.isFinished || talk.isBusy || talk.cancelled) return;
      const message = talk.toSend[talk.sent.length];
      if (message) {
        talk.sent.push(message);
        talk.isBusy = true;
        connection.send(talk.call, message);
      } else {
        talk.isFinished = true;
        connection.sender.finish(talk.call);
      }
    },
    () => {
      const talk = talks[pick(talks.length)] as Talk;
      const item = talk.unread.shift();
      if (!item) return;
      talk.came.push(item.body);
      connection.receiver.consumed(talk.call, item.cost);
    },
    () => {
      if (pick(200) > 0) return;
      // The others come to their end by themselves: one that is stuck is not to be given up in time.
      const talk = talks.filter((_, at) => at % 4 === 3)[pick(talks.length)];
      if (!talk || idle.includes(talk) || talk.ends > 0) return;
      talk.cancelled = true;
      connection.receiver.cancel(talk.call);
    },
    () => {
      room = pick(3);
      connection.sender.flush();
    },
    () => void peer.grant(pick),
    () => void peer.send(pick),
    () => {
      const message = toServer.shift();
      if (message) peer.hear(message);
    },
    () => {
      const message = toClient.shift();
      if (message) connection.handleMessage(message, 0);
    },
  ];
  // Some read or grant rarely, so that windows are empty for most of the time.
  const rare = new Set([2, 5].filter(() => pick(2) === 0));
  for (let step = 0; !isOver() && step < 1_000_000; step += 1) {
    const which = pick(steps.length);
    if (rare.has(which) && pick(40) > 0) continue;
    (steps[which] as () => void)();
    if (connection.sender.pending.length === 0 && talks.every(({ call }) => call.rest === undefined)) {
      assert.equal(
        budget.bytes,
        256 * idle.length + idle.reduce((sum, { call }) => sum + call.request.body.length, 0),
        "what has left waits no more",
      );
    }
  }
  assert.ok(isOver(), `seed ${seed} comes to its end`);
  for (const talk of talks) {
    if (talk.cancelled) continue;
    assert.equal(talk.ends, 1, "each call ends once");
    assert.deepEqual(talk.came, talk.toSend, "everything comes back as it was sent");
  }
  while (toServer.length > 0) peer.hear(toServer.shift() as Uint8Array);
  while (toClient.length > 0) connection.handleMessage(toClient.shift() as Uint8Array, 0);
  assert.equal(budget.bytes, 0, "nothing waits for being sent");
  assert.equal(connection.sender.open.size, 0);
  // What was lent is given back, but for what is not worth a frame.
  assert.ok(peer.connectionLeft > (1 << 20) / 2 - FRAME_COST, `the server has ${peer.connectionLeft} left`);
}

test("any interleaving of calls and frames keeps to the windows and delivers everything once and in order", () => {
  for (let seed = 1; seed <= 40; seed += 1) run(seed);
});
