// What each side accepts.

import type { Greeting, Metadata } from "../gen/rpc/v1/frame_pb.js";

/** What a data frame counts for on top of its body. */
export const DATA_FRAME_COST = 32;

/** What this side accepts; what is not here are the protocol's defaults, which need not be announced. */
export interface Limits {
  /** The longest body, in bytes. */
  readonly maxBodyBytes: number;
  /** What is held of bodies until the program has taken them, in bytes. */
  readonly maxPendingBytes: number;
}

/** What the peer accepts. */
export interface PeerLimits {
  readonly maxMessageBytes: number;
  readonly maxStreams: number;
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  readonly maxFrameBodyBytes: number;
  readonly maxBodyBytes: number;
}

/** The protocol's defaults, which hold before a greeting. */
export const DEFAULTS: PeerLimits = {
  maxMessageBytes: 1 << 20,
  maxStreams: 100,
  streamWindowBytes: 256 << 10,
  connectionWindowBytes: 1 << 20,
  maxFrameBodyBytes: 128 << 10,
  maxBodyBytes: 4 << 20,
};

/** The protocol's default for the longest message of a client whom the server must know and does not. It is not announced. */
export const UNAUTHENTICATED_MESSAGE_BYTES = 16 << 10;

const MAX_METADATA_ENTRIES = 128;
const MAX_METADATA_BYTES = 16 << 10;

/** No part of a body is shorter but the last, whatever the peer announces: a part costs more than it carries then. */
const SMALLEST_PART = 1 << 10;

/** Stream id, kind and lengths of a frame take at most so much. */
const FRAME_HEAD = 64;

/** A number of the wire. No sum of a few of them leaves what a JavaScript number counts exactly. */
export function toNumber(value: bigint): number {
  return value > 1n << 50n ? 2 ** 50 : Number(value);
}

/** What a peer announced. Windows are never below the defaults, which may have been used before the greeting was read. */
export function peerLimits(greeting: Greeting): PeerLimits {
  const of = (value: bigint | undefined, otherwise: number) => toNumber(value ?? 0n) || otherwise;
  const limits = greeting.limits;
  return {
    maxMessageBytes: of(limits?.maxMessageBytes, DEFAULTS.maxMessageBytes),
    maxStreams: of(limits?.maxStreams, DEFAULTS.maxStreams),
    streamWindowBytes: Math.max(of(limits?.streamWindowBytes, 0), DEFAULTS.streamWindowBytes),
    connectionWindowBytes: Math.max(of(limits?.connectionWindowBytes, 0), DEFAULTS.connectionWindowBytes),
    maxFrameBodyBytes: Math.max(of(limits?.maxFrameBodyBytes, DEFAULTS.maxFrameBodyBytes), SMALLEST_PART),
    maxBodyBytes: of(limits?.maxBodyBytes, DEFAULTS.maxBodyBytes),
  };
}

/** How much of a body fits one frame, beside so many bytes of other fields. */
export function partBeside(fields: number, peer: PeerLimits): number {
  return Math.max(0, Math.min(peer.maxMessageBytes - FRAME_HEAD - fields, peer.maxFrameBodyBytes));
}

/** Why a body cannot be sent to the peer at all, beside so many bytes of other fields; `undefined` where it can. */
export function whyTooLong(body: number, fields: number, peer: PeerLimits): string | undefined {
  if (body > peer.maxBodyBytes) {
    return `a message of ${body} bytes is longer than the server accepts: ${peer.maxBodyBytes}`;
  }
  if (fields > peer.maxMessageBytes || partBeside(fields, peer) < Math.min(body, SMALLEST_PART)) {
    return `the call's headers take ${fields} bytes, and the server accepts ${peer.maxMessageBytes} with the message`;
  }
  return undefined;
}

/** Whether a frame may carry this metadata to us. */
export function allowsMetadata(metadata: readonly Metadata[]): boolean {
  let bytes = 0;
  for (const { key, value, binary } of metadata) bytes += key.length + value.length + binary.length;
  return metadata.length <= MAX_METADATA_ENTRIES && bytes <= MAX_METADATA_BYTES;
}
