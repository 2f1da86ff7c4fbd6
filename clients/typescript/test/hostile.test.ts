// What a server must not send, and what the client makes of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectError } from "@connectrpc/connect";
import { Exchange } from "../src/connection/exchange.js";
import type { FrameKind } from "../src/protocol/frame.js";
import { bytesOf, type FrameInit, Scene } from "./support/server.js";
import { settled } from "./support/world.js";

const EMPTY = new Uint8Array();

function call(scene: Scene, options: { open?: boolean; responses?: boolean; body?: Uint8Array } = {}): Exchange {
  const { open = false, responses = false, body = EMPTY } = options;
  const request = { method: 1n, metadata: [], body, open, timeoutUs: () => 0n };
  const exchange = new Exchange(scene.connection.calls, request, { responses, idempotent: false });
  scene.connection.calls.start(exchange);
  return exchange;
}

async function readAll(exchange: Exchange): Promise<Uint8Array[]> {
  await exchange.opened();
  const messages: Uint8Array[] = [];
  for (let message = await exchange.next(); message; message = await exchange.next()) messages.push(message);
  return messages;
}

const data = (body: Uint8Array, more = false): FrameKind => ({ case: "data", value: { body, more } });
const opened: FrameKind = { case: "response", value: { open: true } };

/** Frames behind a greeting, while unary call 1 and server stream 2 are open. */
const violations: [string, FrameInit[]][] = [
  ["a second greeting", [{ kind: { case: "greeting", value: {} } }]],
  ["a request", [{ streamId: 1n, kind: { case: "request", value: {} } }]],
  ["an authentication", [{ kind: { case: "authenticate", value: {} } }]],
  ["an answer to an authentication that was never asked", [{ kind: { case: "identity", value: { requestId: 1n } } }]],
  ["a frame of a stream that was never opened", [{ streamId: 3n, kind: { case: "end", value: {} } }]],
  ["a stream id that no number holds", [{ streamId: 2n ** 64n - 1n, kind: { case: "end", value: {} } }]],
  ["data on stream 0", [{ kind: data(EMPTY) }]],
  ["data before a response", [{ streamId: 1n, kind: data(EMPTY) }]],
  [
    "an open response with a body",
    [{ streamId: 2n, kind: { case: "response", value: { open: true, body: new Uint8Array(1) } } }],
  ],
  [
    "an end that went well in the middle of a message",
    [
      { streamId: 2n, kind: opened },
      { streamId: 2n, kind: data(new Uint8Array(9), true) },
      { streamId: 2n, kind: { case: "end", value: {} } },
    ],
  ],
  [
    "a second response",
    [
      { streamId: 2n, kind: opened },
      { streamId: 2n, kind: opened },
    ],
  ],
  [
    "more than the stream's window",
    [
      { streamId: 2n, kind: opened },
      ...Array.from({ length: 3 }, () => ({ streamId: 2n, kind: data(new Uint8Array(130 << 10)) })),
    ],
  ],
];

for (const [name, frames] of violations) {
  test(`${name} closes the connection with 4502, for good`, async () => {
    const scene = await Scene.open();
    const calls = [call(scene), call(scene, { responses: true })];
    await scene.socket.say(...frames);
    assert.equal(scene.socket.closed?.code, 4502);
    assert.equal(scene.connection.state.status, "closed");
    for (const one of calls) await assert.rejects(readAll(one), ConnectError);
    assert.equal(scene.world.timers, 0, "nothing is left running");
  });
}

test("bytes that are no frame close with 4501, and text with 4502, which browsers may send", async () => {
  for (const [message, code] of [
    [new Uint8Array([0xff, 0xff]).buffer, 4501],
    ["hello", 4502],
  ] as const) {
    const scene = await Scene.open();
    scene.socket.onmessage?.({ data: message } as never);
    assert.equal(scene.socket.closed?.code, code);
    assert.equal(scene.connection.state.status, "closed");
  }
});

test("a flood of pings is answered once while there is no room, and closes with 4429", async () => {
  const scene = await Scene.open();
  scene.socket.bufferedAmount = 1 << 20;
  for (let ping = 1n; ping <= 10n; ping += 1n)
    await scene.socket.say({ kind: { case: "ping", value: { payload: ping } } });
  scene.socket.bufferedAmount = 0;
  await scene.world.pass(20);
  assert.deepEqual(scene.socket.kinds(), ["pong"]);
  assert.equal(scene.socket.next("pong").value.payload, 1n, "of the earliest ping");
  await scene.socket.say({ kind: { case: "ping", value: {} } });
  assert.equal(scene.socket.closed?.code, 4429);
  assert.equal(scene.connection.state.status, "waiting", "it comes back after that");
});

test("what is too long, compressed or has too much metadata ends its call alone", async () => {
  const metadata = Array.from({ length: 129 }, () => ({ key: "a", value: "b" }));
  const cases: [FrameKind, string][] = [
    [{ case: "response", value: { body: new Uint8Array(2_000) } }, "resource_exhausted"],
    [{ case: "response", value: { body: new Uint8Array(900), more: true } }, "resource_exhausted"],
    [{ case: "response", value: { compression: 1 } }, "internal"],
    [{ case: "response", value: { metadata } }, "resource_exhausted"],
    [{ case: "end", value: { trailers: metadata } }, "resource_exhausted"],
    [{ case: "end", value: {} }, "internal"],
    [{ case: "response", value: { open: true } }, "unimplemented"],
  ];
  for (const [kind, code] of cases) {
    const scene = await Scene.open({ maxMessageBytes: 1_000 });
    const [bad, good] = [call(scene), call(scene)];
    await scene.socket.say({ streamId: 1n, kind }, { streamId: 1n, kind: data(new Uint8Array(200)) });
    await assert.rejects(bad.next(), new RegExp(`\\[${code}\\]`));
    await scene.socket.say({ streamId: 2n, kind: { case: "response", value: { body: new Uint8Array([7]) } } });
    assert.deepEqual(await good.next(), new Uint8Array([7]), code);
    assert.equal(scene.connection.state.status, "open");
  }
});

test("frames for calls that are over are ignored, and what they count is given back", async () => {
  const scene = await Scene.open();
  const given = call(scene, { responses: true });
  given.cancel(new Error("enough"));
  await assert.rejects(given.next(), /enough/);
  assert.equal(scene.socket.next("reset").id, 1);
  for (let at = 0; at < 20; at += 1) {
    await scene.socket.say({ streamId: 1n, kind: opened }, { streamId: 1n, kind: data(new Uint8Array(100 << 10)) });
  }
  assert.equal(scene.connection.state.status, "open", "2 MB went by, and the window is one");
  const granted = scene.socket.received.reduce(
    (sum, { kind }) => sum + (kind.case === "credit" ? Number(kind.value.bytes) : 0),
    0,
  );
  assert.ok(granted > 1 << 20);
});

test("a server that does not read makes the client hold what it has, up to its bound", async () => {
  const scene = await Scene.open({ maxQueuedBytes: 100_000 });
  scene.socket.bufferedAmount = 1 << 20;
  const calls = Array.from({ length: 60 }, () => call(scene, { body: new Uint8Array(2_000) }));
  assert.deepEqual(scene.socket.kinds(), []);
  const refused = await Promise.all(
    calls.map((one) => Promise.race([one.next().then(String, ({ code }) => code), settled()])),
  );
  assert.equal(refused.filter((code) => code === 8).length, 16, "those behind the bound are RESOURCE_EXHAUSTED");
  scene.socket.bufferedAmount = 0;
  await scene.world.pass(20);
  assert.equal(scene.socket.kinds().length, 44, "the others leave when there is room");
  assert.equal(scene.connection.calls.budget.bytes, 0);
});

test("what no program reads is bounded, however many streams there are", async () => {
  const scene = await Scene.open();
  const streams = Array.from({ length: 90 }, () => call(scene, { responses: true }));
  let granted = 1 << 20;
  let sent = 0;
  for (let id = 1; id <= 90; id += 1) {
    await scene.socket.say({ streamId: BigInt(id), kind: opened });
    for (let at = 0; at < 2 && granted > 0; at += 1) {
      await scene.socket.say({ streamId: BigInt(id), kind: data(new Uint8Array(100 << 10)) });
      sent += (100 << 10) + 32;
      granted -= (100 << 10) + 32;
      for (const { streamId, kind } of scene.socket.received.splice(0)) {
        if (kind.case === "credit" && streamId === 0n) granted += Number(kind.value.bytes);
      }
    }
  }
  assert.equal(scene.connection.state.status, "open");
  assert.ok(sent > 15 << 20 && sent < (16 << 20) + (101 << 10), `${sent} bytes were taken of 18 MB`);
  for (const stream of streams) stream.cancel(new Error("enough"));
  const credit = scene.socket.received.filter(({ streamId, kind }) => streamId === 0n && kind.case === "credit");
  assert.ok(credit.length > 0, "what is given up makes room");
});

test("a reason of a close is cut to what a close frame holds", async () => {
  const scene = await Scene.open();
  scene.connection.close(4_000, "é".repeat(200));
  assert.ok(Buffer.byteLength(scene.socket.closed?.reason ?? "") <= 123);
  assert.match(scene.socket.closed?.reason ?? "", /^é+$/);
});

test("a message of any bytes is refused or read, and never throws beyond the connection", async () => {
  let state = 1;
  const random = (count: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % count;
  };
  const seeds = [
    bytesOf({
      streamId: 1n,
      kind: { case: "response", value: { metadata: [{ key: "k", value: "v" }], body: new Uint8Array(9) } },
    }),
    bytesOf({ kind: { case: "event", value: { channel: 3n, type: "a.B", offset: 2n, body: new Uint8Array(5) } } }),
    bytesOf({ kind: { case: "goAway", value: { lastStreamId: 1n, returnAfterUs: 5n, reason: "x" } } }),
    bytesOf({ kind: { case: "identity", value: { userId: "ann", expiresInUs: 5_000_000n } } }),
    bytesOf({ streamId: 2n, kind: data(new Uint8Array(3), true) }),
  ];
  for (let round = 0; round < 2_000; round += 1) {
    const scene = new Scene();
    await settled();
    await scene.socket.greet({ resumeToken: "t", resumeWithinUs: 1n });
    call(scene)
      .opened()
      .catch(() => {});
    call(scene, { responses: true })
      .opened()
      .catch(() => {});
    const bytes = Uint8Array.from(seeds[random(seeds.length)] as Uint8Array);
    for (let change = random(4); change >= 0; change -= 1) bytes[random(bytes.length)] = random(256);
    scene.socket.onmessage?.({ data: bytes.slice(0, 1 + random(bytes.length)).buffer } as never);
    await settled();
    assert.ok(["open", "closed", "waiting"].includes(scene.connection.state.status));
    scene.connection.close(1000, "");
  }
});

test("the first parts of long responses give their share of the connection's window back", async () => {
  const scene = await Scene.open();
  const calls = Array.from({ length: 8 }, () => call(scene));
  scene.socket.received.length = 0;
  const part = new Uint8Array(128 << 10);
  for (let id = 1n; id <= 8n; id += 1n)
    await scene.socket.say({ streamId: id, kind: { case: "response", value: { body: part, more: true } } });
  const credits = scene.socket.received.filter(({ streamId, kind }) => streamId === 0n && kind.case === "credit");
  assert.ok(credits.length > 0, "the window is used up, and the server waits for credit");
  for (let id = 1n; id <= 8n; id += 1n) await scene.socket.say({ streamId: id, kind: data(new Uint8Array(1)) });
  for (const one of calls) assert.equal((await one.next())?.length, part.length + 1);
});
