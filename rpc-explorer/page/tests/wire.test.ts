// The record of what crosses the wire: which frames are a call's, what is kept of them, and what never is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FrameSchema } from "rpc-websocket/protos/v1/frame";
import type { Stream } from "../src/server/wire.js";

/** A WebSocket that sends nowhere. */
class Socket extends EventTarget {
  send(): void {}
}

Object.assign(globalThis, { WebSocket: Socket });
const { MOST_FRAMES, Wire } = await import("../src/server/wire.js");

type Kind = NonNullable<MessageInitShape<typeof FrameSchema>["kind"]>;

const bytes = (streamId: bigint, kind: Kind) => toBinary(FrameSchema, create(FrameSchema, { streamId, kind }));

function open(wire: InstanceType<typeof Wire>) {
  const socket = new wire.webSocket("ws://localhost/rpc", []) as unknown as Socket & {
    send(data: Uint8Array): void;
  };
  return {
    calls: (streamId: bigint, method: bigint) => socket.send(bytes(streamId, { case: "request", value: { method } })),
    sends: (kind: Kind) => socket.send(bytes(0n, kind)),
    comes: (streamId: bigint, kind: Kind) =>
      socket.dispatchEvent(new MessageEvent("message", { data: new Uint8Array(bytes(streamId, kind)).buffer })),
  };
}

test("each_call_of_a_method_is_told_its_stream_and_that_of_another_connection_where_it_is_sent_again", () => {
  const wire = new Wire();
  const told: [string, number, bigint][] = [];
  const caller = (name: string) => ({
    left: ({ connection, stream }: Stream) => void told.push([name, connection, stream]),
    came: () => {},
  });
  const first = wire.await(7n, caller("first"));
  wire.await(7n, caller("second"));
  const before = open(wire);
  before.calls(2n, 7n);
  before.calls(4n, 8n);
  before.calls(6n, 7n);
  const after = open(wire);
  after.calls(2n, 7n);
  first();
  after.calls(4n, 7n);
  assert.deepEqual(told, [
    ["first", 1, 2n],
    ["second", 1, 6n],
    ["first", 2, 2n],
    ["second", 2, 4n],
  ]);
});

test("what_a_call_is_sent_is_told_with_its_size_whatever_parts_it_comes_in", () => {
  const wire = new Wire();
  const sizes: number[] = [];
  wire.await(7n, { left: () => {}, came: (size) => sizes.push(size) });
  const socket = open(wire);
  socket.calls(2n, 7n);
  socket.calls(4n, 8n);
  const body = (length: number) => new Uint8Array(length);
  socket.comes(2n, { case: "response", value: { open: true } });
  socket.comes(2n, { case: "data", value: { body: body(3) } });
  socket.comes(4n, { case: "data", value: { body: body(99) } });
  socket.comes(2n, { case: "data", value: { body: body(10), more: true } });
  socket.comes(2n, { case: "data", value: { body: body(5) } });
  socket.comes(2n, { case: "data", value: {} });
  socket.comes(2n, { case: "end", value: {} });
  assert.deepEqual(sizes, [3, 15, 0]);
  wire.await(9n, { left: () => {}, came: (size) => sizes.push(size) });
  socket.calls(6n, 9n);
  socket.comes(6n, { case: "response", value: { body: body(7), more: true } });
  socket.comes(6n, { case: "data", value: { body: body(1) } });
  assert.deepEqual(sizes, [3, 15, 0, 8]);
});

test("the_latest_frames_are_kept_and_all_are_counted", () => {
  const wire = new Wire();
  const socket = open(wire);
  for (let stream = 0; stream < MOST_FRAMES + 10; stream += 1) socket.calls(BigInt(stream), 1n);
  assert.equal(wire.total, MOST_FRAMES + 10);
  assert.deepEqual([wire.crossings.length, wire.crossings[0]?.stream], [MOST_FRAMES, 10n]);
});

test("of_frames_with_tokens_the_bytes_are_not_kept", () => {
  const wire = new Wire();
  const socket = open(wire);
  socket.sends({ case: "authenticate", value: { credential: Buffer.from("secret") } });
  socket.sends({ case: "greeting", value: { resumeToken: "secret" } });
  socket.calls(2n, 1n);
  assert.deepEqual(
    wire.crossings.map(({ kind, bytes }) => [kind, bytes !== undefined]),
    [
      ["authenticate", false],
      ["greeting", false],
      ["request", true],
    ],
  );
});
