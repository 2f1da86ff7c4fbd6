// Random publishing, losses of connections, dropped events, slow programs and new epochs: each subscription is given every event once and in
// order, or a gap that says from where to where.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { UInt64ValueSchema } from "@bufbuild/protobuf/wkt";
import { Calls } from "../src/calls.js";
import {
  DroppedSchema,
  type SubscribeAnswerSchema,
  SubscribeRequestSchema,
  SubscribeResponseSchema,
} from "../src/gen/rpc/hub/v1/hub_pb.js";
import { TransportHub } from "../src/hub/transport.js";
import type { Item, Position } from "../src/index.js";
import { chance } from "./support/chance.js";
import { type FrameInit, Scene } from "./support/server.js";
import { settled } from "./support/world.js";

const SCHEMAS = [UInt64ValueSchema] as const;
const type = UInt64ValueSchema.typeName;

/** The server's channel: what was published, of which it keeps the last. */
class Channel {
  epoch = 1n;
  last = 0n;
  number = 10n;
  isSubscribed = false;
  /** Answers that were made and not sent: what is published meanwhile goes before them. */
  readonly answers: FrameInit[] = [];

  constructor(
    readonly hasHistory: boolean,
    readonly kept: bigint,
  ) {}

  record(offset: bigint) {
    const body = toBinary(UInt64ValueSchema, create(UInt64ValueSchema, { value: offset }));
    return { type, body, offset: this.hasHistory ? offset : 0n };
  }

  answer(since: Position | undefined): MessageInitShape<typeof SubscribeAnswerSchema> {
    this.isSubscribed = true;
    const { epoch, last, number } = this;
    if (!this.hasHistory) return { number };
    const position = { epoch, offset: last };
    const knows = since?.epoch === epoch && since.offset <= last && last - since.offset <= this.kept;
    if (!since || !knows) return since ? { number, position, recovered: false } : { number, position };
    const events = [];
    for (let offset = since.offset + 1n; offset <= last; offset += 1n) events.push(this.record(offset));
    return { number, position, recovered: true, events };
  }
}

/** What a subscription was given, as it is checked. */
class Reader {
  readonly items: Item<typeof SCHEMAS>[] = [];
  gaps = 0;
  /** The last event, or where a gap said that it goes on. */
  at: Position | undefined;

  constructor(readonly hasHistory: boolean) {}

  take(item: Item<typeof SCHEMAS>): void {
    this.items.push(item);
    if (item.kind === "gap") {
      this.gaps += 1;
      if (!this.hasHistory) {
        assert.ok(item.cause === "no-history");
        this.at = undefined;
        return;
      }
      assert.equal(item.cause, "unrecoverable");
      assert.deepEqual(item.last, this.at, "a gap begins behind what was given last");
      this.at = item.next;
      return;
    }
    const { value } = item.message;
    if (this.hasHistory) {
      assert.equal(item.position?.offset, value);
      assert.equal(item.position?.epoch, this.at?.epoch, "another epoch begins behind a gap");
      assert.equal(value, (this.at?.offset ?? -1n) + 1n, "the next event");
      this.at = item.position;
    } else {
      if (this.at) assert.equal(value, this.at.offset + 1n, "nothing is missing without a gap");
      this.at = { epoch: 0n, offset: value };
    }
  }
}

async function run(seed: number): Promise<{ gaps: number; recovered: number }> {
  const random = chance(seed);
  const pick = (count: number) => Math.floor(random() * count);
  const hasHistory = pick(4) > 0;
  const channel = new Channel(hasHistory, BigInt(1 + pick(30)));
  const scene = new Scene({ maxUnreadEvents: 1 + pick(6), keepAliveMs: 1e9 });
  const hub = new TransportHub(scene.connection, new Calls(scene.connection, {}));
  await settled();

  const start: Position = { epoch: 1n, offset: 0n };
  // From a position that is known both on, so that it is known what comes.
  const options = hasHistory ? { events: SCHEMAS, since: start } : { events: SCHEMAS };
  const failures: unknown[] = [];
  const [slow, quick] = [new Reader(hasHistory), new Reader(hasHistory)];
  if (hasHistory) slow.at = quick.at = start;
  const loop = hub.subscribe("c", options)[Symbol.asyncIterator]();
  const calls = hub.subscribe("c", options);
  calls.on("item", (item) => {
    try {
      quick.take(item);
    } catch (error) {
      failures.push(error);
    }
  });

  let isReading = false;
  const read = () => {
    if (isReading) return;
    isReading = true;
    const taken = ({ value }: IteratorResult<Item<typeof SCHEMAS>>) => {
      isReading = false;
      slow.take(value);
    };
    // What is thrown here is the test's.
    loop
      .next()
      .then(taken)
      .catch((error) => void failures.push(error));
  };

  const isOpen = () => scene.connection.state.status === "open";
  /** Takes what the client asks for. */
  const serve = () => {
    const at = scene.socket?.received.findIndex(({ kind }) => kind.case === "request") ?? -1;
    const [frame] = at < 0 ? [] : scene.socket.received.splice(at, 1);
    if (frame?.kind.case !== "request") return;
    const { channels } = fromBinary(SubscribeRequestSchema, frame.kind.value.body);
    const answers = channels.map(({ since }) => channel.answer(since));
    const body = toBinary(SubscribeResponseSchema, create(SubscribeResponseSchema, { answers }));
    channel.answers.push({ streamId: frame.streamId, kind: { case: "response", value: { body } } });
  };
  const publish = async (mayDrop: boolean) => {
    channel.last += 1n;
    if (!channel.isSubscribed || !isOpen()) return;
    const dropped = mayDrop && pick(12) === 0;
    const count = create(DroppedSchema, { count: 1n });
    const event = dropped
      ? { type: DroppedSchema.typeName, body: toBinary(DroppedSchema, count) }
      : channel.record(channel.last);
    // Some servers do not say that they drop, which an offset shows.
    if (dropped && hasHistory && pick(2) === 0) return;
    const first = channel.last === 1n ? { epoch: channel.epoch } : {};
    await scene.socket.say({
      kind: { case: "event", value: { channel: channel.number, ...event, ...(dropped ? {} : first) } },
    });
  };
  const steps = [
    () => publish(true),
    () => publish(true),
    async () => {
      const answer = channel.answers.shift();
      if (answer && isOpen()) await scene.socket.say(answer);
    },
    async () => serve(),
    async () => read(),
    () => scene.world.pass(pick(200)),
    async () => {
      if (pick(25) > 0 || !isOpen()) return;
      channel.isSubscribed = false;
      channel.answers.length = 0;
      channel.number += 1n;
      scene.socket.received.length = 0;
      await scene.socket.drop(pick(2) === 0 ? 1006 : 1012);
    },
    async () => {
      if (scene.connection.state.status === "connecting" && scene.socket && !scene.socket.protocol)
        await scene.socket.greet();
    },
    async () => {
      if (!hasHistory || pick(60) > 0 || channel.isSubscribed) return;
      // The history was lost while nobody was there.
      channel.epoch += 1n;
      channel.last = 0n;
    },
  ];
  for (let step = 0; step < 600; step += 1) {
    await (steps[pick(steps.length)] as () => Promise<void>)();
    await settled();
  }
  // Everything comes to rest, but for one more event that shows what was dropped last.
  for (let turn = 0; turn < 400; turn += 1) {
    if (turn === 100) await publish(false);
    for (const at of [7, 3, 2, 4]) await (steps[at] as () => Promise<void>)();
    await scene.world.pass(150);
  }
  assert.deepEqual(failures, [], `seed ${seed}`);
  for (const reader of [slow, quick]) {
    assert.equal(reader.at?.offset, channel.last, `seed ${seed} gives everything in the end`);
    if (hasHistory) assert.equal(reader.at?.epoch, channel.epoch);
  }
  scene.connection.close(1000, "");
  const recovered = [...slow.items, ...quick.items].filter(({ kind }) => kind === "recovered").length;
  return { gaps: slow.gaps + quick.gaps, recovered };
}

test("every event is given once and in order, or a gap says what is missing", async () => {
  let [gaps, recovered] = [0, 0];
  for (let seed = 1; seed <= 150; seed += 1) {
    const what = await run(seed);
    gaps += what.gaps;
    recovered += what.recovered;
  }
  assert.ok(gaps > 100 && recovered > 1_000, `${gaps} gaps and ${recovered} recovered events were seen`);
});
