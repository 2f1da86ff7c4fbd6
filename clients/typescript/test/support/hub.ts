// The hub of a client against a server that a test writes.

import assert from "node:assert/strict";
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { Calls } from "../../src/calls.js";
import {
  type SubscribeAnswerSchema,
  SubscribeRequestSchema,
  SubscribeResponseSchema,
} from "../../src/gen/rpc/hub/v1/hub_pb.js";
import { TransportHub } from "../../src/hub/transport.js";
import type { Item, SubscribeOptions, Subscription } from "../../src/index.js";
import { methodNumber } from "../../src/protocol/method.js";
import { type FrameInit, Scene } from "./server.js";
import { settled } from "./world.js";

export const EPOCH = 7n;
export const EVENTS = [StringValueSchema] as const;
export type Texts = typeof EVENTS;
type Answer = MessageInitShape<typeof SubscribeAnswerSchema>;

export function bytes<Schema extends DescMessage>(schema: Schema, message: MessageInitShape<Schema>): Uint8Array {
  return toBinary(schema, create(schema, message));
}

/** What an event record and an event frame share. */
export const said = (text: string, offset = 0n) => ({
  type: StringValueSchema.typeName,
  body: bytes(StringValueSchema, { value: text }),
  offset,
});

export const frame = (channel: bigint, text: string, offset = 0n): FrameInit => ({
  kind: { case: "event", value: { channel, ...said(text, offset) } },
});

export const direct = <Schema extends DescMessage>(schema: Schema, message: MessageInitShape<Schema>): FrameInit => ({
  kind: { case: "event", value: { type: schema.typeName, body: bytes(schema, message) } },
});

export const at = (offset: bigint, epoch = EPOCH) => ({ epoch, offset });

export class Hub {
  readonly hub: TransportHub;

  constructor(readonly scene: Scene) {
    this.hub = new TransportHub(scene.connection, new Calls(scene.connection, {}));
  }

  static async open(options: ConstructorParameters<typeof Scene>[0] = {}): Promise<Hub> {
    return new Hub(await Scene.open(options));
  }

  /** The request that the client has sent to a method, and its stream. */
  request<Schema extends DescMessage>(method: string, schema: Schema) {
    const { id, value } = this.scene.socket.next("request");
    assert.equal(value.method, methodNumber(`rpc.hub.v1.HubService/${method}`));
    return { id, message: fromBinary(schema, value.body) };
  }

  async answer<Schema extends DescMessage>(
    id: number,
    schema: Schema,
    message: MessageInitShape<Schema>,
  ): Promise<void> {
    await this.scene.socket.say({
      streamId: BigInt(id),
      kind: { case: "response", value: { body: bytes(schema, message) } },
    });
  }

  /** Answers the next subscription; gives since when channels were asked for. */
  async subscribed(...answers: Answer[]): Promise<(bigint | undefined)[]> {
    const { id, message } = this.request("Subscribe", SubscribeRequestSchema);
    await this.answer(id, SubscribeResponseSchema, { answers });
    return message.channels.map(({ since }) => since?.offset);
  }

  say(...frames: FrameInit[]): Promise<void> {
    return this.scene.socket.say(...frames);
  }

  /** A subscription, and what its callbacks are given. */
  async listen(options: Partial<SubscribeOptions<Texts>> = {}): Promise<{ sub: Subscription<Texts>; heard: string[] }> {
    const heard: string[] = [];
    const sub = this.hub.subscribe("room:5", { events: EVENTS, ...options });
    sub.on("item", (item) => heard.push(textOf(item)));
    await settled();
    return { sub, heard };
  }
}

export function textOf(item: Item<Texts>): string {
  if (item.kind === "gap") return `gap: ${item.cause}${item.missed === undefined ? "" : ` ${item.missed}`}`;
  return item.kind === "live" ? item.message.value : `${item.kind} ${item.message.value}`;
}

export async function take(sub: AsyncIterable<Item<Texts>>, count: number): Promise<string[]> {
  const reader = sub[Symbol.asyncIterator]();
  const taken: string[] = [];
  for (let left = count; left > 0; left -= 1) {
    const { value, done } = await reader.next();
    if (done) break;
    taken.push(textOf(value));
  }
  return taken;
}
