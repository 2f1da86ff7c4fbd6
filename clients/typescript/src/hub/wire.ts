// What the hub's schemas say, as the program and the rest of the hub have it.

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type ChannelPosition, DroppedSchema, type Refused } from "../gen/rpc/hub/v1/hub_pb.js";
import type { Position } from "./event.js";
import type { Raw } from "./raw.js";
import type { Typed } from "./subscription.js";

/** The wire's position as the program's. */
export function positionOf(told: ChannelPosition | undefined): Position | undefined {
  return told && { epoch: told.epoch, offset: told.offset };
}

/** A message as the wire has those of any type. */
export function typed({ schema, message }: Typed): { type: string; body: Uint8Array } {
  return { type: schema.typeName, body: toBinary(schema, create(schema, message)) };
}

/** Whether an event only says that others were left out. */
export function isDropped(event: Raw): boolean {
  return event.type === DroppedSchema.typeName && event.offset === 0n;
}

/** How many were. */
export function droppedOf(event: Raw): number {
  try {
    return Number(fromBinary(DroppedSchema, event.body).count);
  } catch {
    // It was one at least.
    return 1;
  }
}

/** Why the server does not do something. */
export function refusal(refused: Refused | undefined): ConnectError {
  return new ConnectError(refused?.message ?? "the server has ended the subscription", refused?.code || Code.Unknown);
}
