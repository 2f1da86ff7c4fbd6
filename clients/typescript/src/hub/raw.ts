// An event as it came, and as a program reads it.

import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import type { EventRecord } from "../gen/rpc/hub/v1/hub_pb.js";
import type { EventKind, EventOf, Position, SkippedEvent } from "./event.js";

/** An event that is not decoded yet: a frame, or a record in an answer. */
export type Raw = Pick<EventRecord, "offset" | "type" | "id" | "timeUs" | "clientId" | "userId" | "body"> & {
  readonly compression?: number;
  /** Of which history it is, where a frame tells; else 0. */
  readonly epoch?: bigint;
};

/** What an event takes beside its texts and its body, about, in bytes. */
const FIXED_COST = 256;

/** What holding it takes, in bytes. */
export function costOf({ type, id, clientId, userId, body }: Raw): number {
  return FIXED_COST + type.length + id.length + clientId.length + userId.length + body.length;
}

/** What is told of an event beside its message. */
function frameOf(
  raw: Raw,
  channel: string,
  epoch: bigint | undefined,
  kind: EventKind,
): Omit<SkippedEvent, "type" | "body"> {
  const position: Position | undefined =
    epoch !== undefined && raw.offset > 0n ? { epoch, offset: raw.offset } : undefined;
  return {
    kind,
    channel,
    id: raw.id || (position ? `${position.epoch.toString(16).padStart(16, "0")}-${position.offset}` : ""),
    time: new Date(Number(raw.timeUs / 1_000n)),
    position,
    clientId: raw.clientId || undefined,
    userId: raw.userId || undefined,
  };
}

/** Reads an event; throws where its body is no such message. */
export function read<Schema extends DescMessage>(
  raw: Raw,
  schema: Schema,
  channel: string,
  epoch: bigint | undefined,
  kind: EventKind,
): EventOf<Schema> {
  // This client has announced no compression.
  if (raw.compression) throw new TypeError("the event is compressed");
  const message = fromBinary(schema, raw.body) as MessageShape<Schema>;
  return { ...frameOf(raw, channel, epoch, kind), type: schema.typeName, message };
}

/** An event as it is told where it is skipped. */
export function skipped(raw: Raw, channel: string, epoch: bigint | undefined, kind: EventKind): SkippedEvent {
  return { ...frameOf(raw, channel, epoch, kind), type: raw.type, body: raw.body };
}
