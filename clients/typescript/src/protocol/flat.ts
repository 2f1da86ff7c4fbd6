// A short way to read the frames of which many come: those that have numbers, short texts and a body, and nothing within.
//
// Which fields a frame has is taken from its generated descriptor. Whatever is not plain is left to protobuf-es, and so is what is wrong:
// where this gives a frame, it is the one that protobuf-es would give.

import { create, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { type Frame, FrameSchema } from "../gen/rpc/v1/frame_pb.js";

/** A field that is read here. */
interface Field {
  readonly name: string;
  /** Its type and its tag on the wire; an enum is an int32. */
  readonly type: ScalarType;
}

/** A kind of frame. */
interface Kind {
  readonly name: Frame["kind"]["case"];
  /** The message without any field. What is repeated in it is frozen, because all have the same. */
  readonly zero: object;
  /** By the tag. */
  readonly fields: readonly (Field | undefined)[];
}

/** What `streamId` and a kind of frame begin with: their numbers, and how they are written. */
const STREAM_ID = 1 << 3;
const DELIMITED = 2;

/** Longer texts are left to the platform, which is faster then. */
const LONGEST_TEXT = 64;

const WIRE_TYPES: Partial<Record<ScalarType, number>> = {
  [ScalarType.INT32]: 0,
  [ScalarType.BOOL]: 0,
  [ScalarType.UINT64]: 0,
  [ScalarType.FIXED64]: 1,
  [ScalarType.STRING]: DELIMITED,
  [ScalarType.BYTES]: DELIMITED,
};

function kindOf({ localName, message }: DescField): Kind {
  const desc = message as DescMessage;
  const fields: Field[] = [];
  for (const field of desc.fields) {
    const type =
      field.fieldKind === "enum" ? ScalarType.INT32 : field.fieldKind === "scalar" ? field.scalar : undefined;
    const wireType = type && WIRE_TYPES[type];
    if (wireType !== undefined)
      fields[(field.number << 3) | wireType] = { name: field.localName, type: type as ScalarType };
  }
  const zero = { ...create(desc) };
  for (const value of Object.values(zero)) if (Array.isArray(value)) Object.freeze(value);
  return { name: localName as Kind["name"], zero, fields };
}

let kinds: (Kind | undefined)[] | undefined;

function allKinds(): (Kind | undefined)[] {
  kinds = [];
  for (const field of FrameSchema.fields)
    if (field.fieldKind === "message") kinds[(field.number << 3) | DELIMITED] = kindOf(field);
  return kinds;
}

// Where the reader is. It never waits, and so there is one of it.
let bytes: Uint8Array;
let at = 0;

/** The next number; -1 where it is not whole, longer than it need be, or more than a JavaScript number counts exactly. */
function varint(): number {
  let value = 0;
  for (let scale = 1; scale < 2 ** 56; scale *= 128) {
    const byte = bytes[at++];
    if (byte === undefined) return -1;
    value += (byte & 127) * scale;
    if (byte < 128) return (byte === 0 && scale > 1) || value > Number.MAX_SAFE_INTEGER ? -1 : value;
  }
  return -1;
}

/** The value of a field; `undefined` where it is left to protobuf-es. */
function read(type: ScalarType): unknown {
  if (type === ScalarType.FIXED64) {
    at += 8;
    return at > bytes.length ? undefined : new DataView(bytes.buffer, bytes.byteOffset + at - 8).getBigUint64(0, true);
  }
  const value = varint();
  if (value < 0) return undefined;
  if (type === ScalarType.UINT64) return BigInt(value);
  // Negative numbers and what does not fit are rare.
  if (value >= 2 ** 31) return undefined;
  if (type === ScalarType.BOOL) return value !== 0;
  if (type === ScalarType.INT32) return value;
  const from = at;
  at += value;
  if (at > bytes.length) return undefined;
  if (type === ScalarType.BYTES) return bytes.subarray(from, at);
  if (value > LONGEST_TEXT) return undefined;
  let text = "";
  for (let index = from; index < at; index += 1) {
    const byte = bytes[index] as number;
    if (byte > 127) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** The stream's id and the kind of a frame; `undefined` where protobuf-es is to read it. */
export function readFlat(message: Uint8Array): { id: number; kind: Frame["kind"] } | undefined {
  bytes = message;
  at = 0;
  let tag = varint();
  let id = 0;
  if (tag === STREAM_ID) {
    id = varint();
    tag = varint();
  }
  const kind = (kinds ?? allKinds())[tag];
  const length = kind ? varint() : -1;
  if (!kind || id < 0 || length < 0 || length !== bytes.length - at) return undefined;
  const value = { ...kind.zero } as Record<string, unknown>;
  while (at < bytes.length) {
    const field = kind.fields[varint()];
    if (!field) return undefined;
    const given = read(field.type);
    if (given === undefined) return undefined;
    value[field.name] = given;
  }
  return { id, kind: { case: kind.name, value } as unknown as Frame["kind"] };
}
