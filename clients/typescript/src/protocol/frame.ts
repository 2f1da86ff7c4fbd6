// Frames as bytes.

import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type End, EndSchema, type Frame, FrameSchema } from "../gen/rpc/v1/frame_pb.js";
import { CloseCode, ConnectionFault } from "./close.js";
import { readFlat } from "./flat.js";
import { toNumber } from "./limits.js";

/** What a frame says, to be sent. */
export type FrameKind = NonNullable<MessageInitShape<typeof FrameSchema>["kind"]>;

/** The WebSocket message of a frame. */
export function encode(streamId: number, kind: FrameKind): Uint8Array<ArrayBuffer> {
  return toBinary(FrameSchema, create(FrameSchema, { streamId: BigInt(streamId), kind }));
}

/** A frame that has come. */
export interface Incoming {
  /** The stream that it belongs to; 0 for the connection's own. More than 2⁵⁰ is 2⁵⁰. */
  readonly id: number;
  readonly kind: Frame["kind"];
}

/** The frame of a WebSocket message; throws a {@link ConnectionFault} where there is none in it. */
export function decode(message: Uint8Array): Incoming {
  const flat = readFlat(message);
  if (flat) return flat;
  try {
    // What a newer server says beside is skipped, and not kept either.
    const { streamId, kind } = fromBinary(FrameSchema, message, { readUnknownFields: false });
    return { id: toNumber(streamId), kind };
  } catch {
    throw new ConnectionFault(CloseCode.frameInvalid, "a frame does not decode");
  }
}

/** The code of the status of what is over a limit. */
export const RESOURCE_EXHAUSTED = 8;

/** The code of the status of what nobody may do who is not known. */
export const UNAUTHENTICATED = 16;

/** How a call ends that this side gives up, or does not make. */
export function ended(code: number, message: string): End {
  return create(EndSchema, { status: { code, message } });
}

/** A frame has come that may not come there. */
export function unexpected(frame: Incoming): never {
  throw new ConnectionFault(
    CloseCode.protocolViolated,
    `the server has sent an unexpected ${frame.kind.case ?? "frame"}`,
  );
}
