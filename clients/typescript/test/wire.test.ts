// The wire, as docs/wire.md has it: every byte of its transcripts, and its numbers of methods.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FrameSchema } from "../src/gen/rpc/v1/frame_pb.js";
import { Call } from "../src/protocol/call.js";
import { ClientConnection } from "../src/protocol/client.js";
import { mayReturn } from "../src/protocol/close.js";
import { encode } from "../src/protocol/frame.js";
import { methodNumber } from "../src/protocol/method.js";

const page = readFileSync(new URL("../../../../docs/wire.md", import.meta.url), "utf8");

interface Line {
  readonly from: string;
  readonly hex: string;
  readonly text: string;
}

const transcripts: Line[][] = [...page.matchAll(/```transcript\n([^`]*)```/g)].map(([, lines]) =>
  (lines as string)
    .trim()
    .split("\n")
    .map((line) => {
      const [, from, hex, text] = /^([CS]) ([0-9a-f ]+) \| (.*)$/.exec(line) as unknown as [
        string,
        string,
        string,
        string,
      ];
      return { from, hex, text };
    }),
);

const hexOf = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
const bytesOf = (hex: string) => Uint8Array.from(hex.split(" "), (byte) => Number.parseInt(byte, 16));

/** The transcript in which a line says this. */
function transcript(text: string): Line[] {
  const found = transcripts.find((lines) => lines.some((line) => line.text.includes(text)));
  assert.ok(found, `docs/wire.md has no transcript with "${text}"`);
  return found;
}

/** A client that was greeted, and what it writes. */
function client(greeting: Parameters<typeof encode>[1] | null = { case: "greeting", value: {} }) {
  const written: string[] = [];
  const events = {
    write: (message: Uint8Array) => void written.push(hexOf(message)),
    room: () => 1,
    onBlocked() {},
    onGreeting() {},
    onGoAway() {},
    onIdentity() {},
    onEvent() {},
  };
  const connection = new ClientConnection({ maxBodyBytes: 4 << 20, maxPendingBytes: 16 << 20 }, events, 25_000, 0);
  if (greeting) connection.handleMessage(encode(0, greeting), 0);
  return { connection, written };
}

test("every frame of the transcripts is read and written byte for byte", () => {
  const lines = transcripts.flat();
  assert.ok(lines.length >= 12, "the page has transcripts");
  for (const { hex, text } of lines) {
    const frame = fromBinary(FrameSchema, bytesOf(hex));
    assert.equal(frame.$unknown, undefined, text);
    assert.equal(hexOf(encode(Number(frame.streamId), create(FrameSchema, frame).kind)), hex, text);
    assert.equal(hexOf(toBinary(FrameSchema, frame)), hex, text);
  }
});

test("methods have the numbers of the page", () => {
  const rows = [...page.matchAll(/^\| (\(empty\)|`[^`]+`) \| `(0x[0-9a-f]{16})` \|$/gm)];
  assert.ok(rows.length >= 4);
  for (const [, name, number] of rows) {
    assert.equal(methodNumber(name === "(empty)" ? "" : (name as string).slice(1, -1)), BigInt(number as string), name);
  }
});

test("the client comes back after the codes of the page and after no others", () => {
  const table = page.slice(page.indexOf("## Close codes"));
  const rows = [...table.matchAll(/^\| (\d{4}) \| .* \| (final|comes back) \|$/gm)];
  assert.ok(rows.length >= 20);
  for (const [, code, what] of rows) assert.equal(mayReturn(Number(code)), what === "comes back", code);
  for (const code of [1005, 1014, 4000, 4499]) assert.equal(mayReturn(code), true, String(code));
  for (const code of [999, 1004, 1010, 1015, 3000, 3999, 4507, 5000])
    assert.equal(mayReturn(code), false, String(code));
});

test("a bidirectional call is the transcript", () => {
  const lines = transcript('data 1: "hi"');
  const { connection, written } = client();
  const heard: unknown[] = [];
  const call = new Call(
    {
      method: methodNumber("task.TaskService/AddTask"),
      metadata: [],
      body: new Uint8Array(),
      open: true,
      timeoutUs: () => 0n,
    },
    {
      onOpened: () => heard.push("opened"),
      onMessage: (body) => heard.push(new TextDecoder().decode(body)),
      onResponse: () => heard.push("response"),
      onEnd: (end) => heard.push(end.status?.code ?? 0),
      onStopSending: () => heard.push("stop"),
      onWritable: () => heard.push("writable"),
    },
    { bytes: 0 },
  );
  connection.sender.start(call);
  connection.send(call, new TextEncoder().encode("hi"));
  connection.sender.finish(call);
  assert.deepEqual(
    written,
    lines.filter(({ from }) => from === "C").map(({ hex }) => hex),
  );
  for (const { from, hex } of lines) if (from === "S") connection.handleMessage(bytesOf(hex), 0);
  assert.deepEqual(heard, ["writable", "opened", "ho", 0]);
  assert.equal(connection.sender.open.size, 0);
});

test("showing a token and signing out are the transcript", () => {
  const lines = transcript("sign out");
  const { connection, written } = client();
  assert.equal(connection.authenticate(0, "token"), 1n);
  assert.equal(connection.authenticate(2, ""), 2n);
  assert.deepEqual(
    written,
    lines.filter(({ from }) => from === "C").map(({ hex }) => hex),
  );
});

test("coming back is the transcript", () => {
  const lines = transcript("2 frames received");
  const { connection, written } = client(null);
  connection.greet("secret one!", 2);
  connection.handleMessage(encode(0, { case: "greeting", value: { resumeToken: "next", resumed: true } }), 0);
  connection.acknowledgeToken();
  assert.deepEqual(
    written,
    lines.map(({ hex }) => hex),
  );
});
