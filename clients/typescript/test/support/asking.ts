// What a client asks its server about a channel, and says of itself there; and a server that refuses it.

import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import type { Code } from "@connectrpc/connect";
import { SubscribeRequestSchema } from "../../src/gen/rpc/hub/v1/hub_pb.js";
import type { Hub } from "./hub.js";

export const refused = (code: Code, number = 0n) => ({ number, refused: { code, message: "no" } });
export const says = (value: string) => ({ presence: { schema: StringValueSchema, message: { value } } });

/** What the client has asked, and said of itself. */
export function asked(hub: Hub) {
  const { id, message } = hub.request("Subscribe", SubscribeRequestSchema);
  const [channel] = message.channels;
  const presence = channel?.presence && fromBinary(StringValueSchema, channel.presence.body).value;
  return { id, presence, since: channel?.since?.offset };
}

/** The client asks nothing, also once it has waited. */
export async function asksNothing(hub: Hub): Promise<void> {
  await hub.scene.world.pass(5_000);
  assert.deepEqual(
    hub.scene.socket.kinds().filter((kind) => kind === "request"),
    [],
  );
}
