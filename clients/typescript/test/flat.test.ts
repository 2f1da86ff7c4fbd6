// The short way to read frames gives what protobuf-es gives, or nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMessage, fromBinary, type Message, ScalarType, toBinary } from "@bufbuild/protobuf";
import { FrameSchema } from "../src/gen/rpc/v1/frame_pb.js";
import { readFlat } from "../src/protocol/flat.js";
import { chance } from "./support/chance.js";

const random = chance(7);
const pick = (count: number) => Math.floor(random() * count);

/** Numbers around the lengths that they have on the wire, and beyond what a JavaScript number holds. */
function number(): bigint {
  const most = [1, 7, 14, 31, 35, 49, 53, 56, 64][pick(9)] as number;
  return BigInt.asUintN(64, (1n << BigInt(most)) - BigInt(pick(3)));
}

function scalar(type: ScalarType): unknown {
  if (type === ScalarType.BOOL) return pick(2) === 0;
  if (type === ScalarType.INT32) return [0, 1, 2 ** 31 - 1, -1][pick(4)];
  if (type === ScalarType.STRING) return ["", "chat.Said", "a".repeat(64), "b".repeat(65), "jörg"][pick(5)];
  if (type === ScalarType.BYTES) return new Uint8Array(pick(200)).fill(pick(256));
  return number();
}

/** A message with some of its fields. */
function message(desc: DescMessage, depth: number): Message {
  const init: Record<string, unknown> = {};
  for (const field of desc.fields) {
    if (pick(2) === 0) continue;
    if (field.fieldKind === "scalar") init[field.localName] = scalar(field.scalar);
    else if (field.fieldKind === "enum") init[field.localName] = pick(3);
    else if (depth > 0 && field.fieldKind === "message" && !field.oneof)
      init[field.localName] = message(field.message, depth - 1);
    else if (depth > 0 && field.fieldKind === "list" && field.message && pick(4) === 0)
      init[field.localName] = [message(field.message, depth - 1)];
  }
  return create(desc, init as never) as Message;
}

test("the short way to read a frame gives what protobuf-es gives, or leaves it to that", () => {
  const kinds = FrameSchema.fields.flatMap((field) => (field.fieldKind === "message" ? [field] : []));
  const read = new Map<string, number>();
  for (let round = 0; round < 20_000; round += 1) {
    const field = kinds[pick(kinds.length)] as (typeof kinds)[number];
    // A depth of 0 leaves out what is not plain.
    const value = message(field.message, pick(3) === 0 ? 2 : 0);
    const streamId = pick(2) === 0 ? BigInt(pick(300)) : number();
    let bytes = toBinary(
      FrameSchema,
      create(FrameSchema, { streamId, kind: { case: field.localName, value } as never }),
    );
    const isWhole = pick(2) === 0;
    for (let changes = isWhole ? 0 : 1 + pick(3); changes > 0 && bytes.length > 0; changes -= 1) {
      const at = pick(bytes.length);
      const how = pick(8);
      if (how === 0) bytes = bytes.slice(0, at);
      else if (how === 1) bytes = new Uint8Array([...bytes.slice(0, at), pick(256), ...bytes.slice(at)]);
      else bytes[at] = [pick(256), pick(128), 0x80, 0][pick(4)] as number;
    }
    // It is not at the beginning of what it lies in.
    const shifted = new Uint8Array(bytes.length + 3).fill(0xff).subarray(3);
    shifted.set(bytes);
    const flat = readFlat(shifted);
    if (!flat) continue;
    const whole = fromBinary(FrameSchema, bytes, { readUnknownFields: false });
    assert.equal(BigInt(flat.id), whole.streamId);
    assert.deepEqual(flat.kind, whole.kind);
    if (isWhole) read.set(field.localName, (read.get(field.localName) ?? 0) + 1);
  }
  for (const kind of ["response", "data", "end", "reset", "credit", "event", "ping", "identity"])
    assert.ok((read.get(kind) ?? 0) > 50, `${kind} is read the short way`);
});

test("what frames share that are read the short way cannot be changed", () => {
  const bytes = toBinary(FrameSchema, create(FrameSchema, { streamId: 1n, kind: { case: "response", value: {} } }));
  const flat = readFlat(bytes);
  assert.ok(flat?.kind.case === "response");
  const { metadata } = flat.kind.value;
  assert.throws(() => metadata.push({} as never), TypeError);
});
