// Servers that mean ill, or are broken: what they send ends a call or the connection, and nothing more.

import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { equal, fails, ok } from "../src/assert.js";
import type { HandConnection, HandServer } from "../src/by-hand.js";
import { NumberSchema } from "../src/gen/cases/cases_pb.js";
import { type Test, test } from "../src/harness.js";

type Sent = Parameters<HandConnection["send"]>[0];

/** A client with an open server stream, and the server's end of it. */
async function opened(t: Test, server: HandServer) {
  const { transport, cases } = t.client(server);
  const stream = cases.numbers({ count: 1n })[Symbol.asyncIterator]();
  const next = stream.next();
  next.catch(() => {});
  const connection = await server.greeted();
  const { streamId } = await connection.frameOf("request");
  connection.send({ streamId, kind: { case: "response", value: { open: true } } });
  return { transport, cases, stream, next, connection, streamId };
}

/** A data frame with a message of so many bytes, and some more. */
const data = (streamId: bigint, bytes: number): Sent => {
  const body = toBinary(NumberSchema, create(NumberSchema, { body: new Uint8Array(bytes) }));
  return { streamId, kind: { case: "data", value: { body } } };
};

/** What no good server sends, on a connection with one open stream, and the code with which that closes it. */
const FAULTS: [string, number, (connection: HandConnection, streamId: bigint) => void][] = [
  ["bytes that are no frame", 4501, (c) => c.sendBytes(Uint8Array.of(0xff, 0xff, 0xff))],
  ["a frame that ends in the middle", 4501, (c) => c.sendBytes(Uint8Array.of(0x08))],
  ["a text message", 4502, (c) => c.sendText("hello")],
  [
    "data over the window",
    4502,
    (c, id) => {
      for (let count = 0; count < 40; count += 1) c.send(data(id, 100_000));
    },
  ],
  ["data for a stream that was never opened", 4502, (c, id) => c.send(data(id + 20n, 1))],
  ["an answer on stream 0", 4502, (c) => c.send({ kind: { case: "response", value: {} } })],
  ["a second greeting", 4502, (c) => c.greet()],
  ["a request", 4502, (c, id) => c.send({ streamId: id + 1n, kind: { case: "request", value: {} } })],
  ["an authentication", 4502, (c) => c.send({ kind: { case: "authenticate", value: { requestId: 1n } } })],
  ["a second answer", 4502, (c, id) => c.send({ streamId: id, kind: { case: "response", value: { open: true } } })],
];

for (const [what, code, send] of FAULTS) {
  test(`${what} is answered with ${code}, and the call and the transport end`, async (t) => {
    const server = await t.byHand();
    const { transport, stream, next, connection, streamId } = await opened(t, server);
    send(connection, streamId);
    equal((await connection.left).code, code);
    await t.until(() => transport.state.status === "closed");
    // What had come before is given still.
    const reading = (async () => {
      for (let item = await next; !item.done; ) item = await stream.next();
    })();
    const end = await reading.catch((error: unknown) => error);
    ok(end instanceof ConnectError, `the stream fails with what is no ConnectError: ${String(end)}`);
    equal(server.connectionCount, 1, "connections");
  });
}

test("answers of another kind than asked for fail their call only", async (t) => {
  const server = await t.byHand();
  const { cases } = t.client(server);
  const connection = await server.greeted();
  const unary = cases.echo({});
  const first = await connection.frameOf("request");
  connection.send({ streamId: first.streamId, kind: { case: "response", value: { open: true } } });
  await fails(unary, Code.Unimplemented);
  const stream = cases.numbers({})[Symbol.asyncIterator]().next();
  const second = await connection.frameOf("request");
  connection.send({ streamId: second.streamId, kind: { case: "response", value: {} } });
  await fails(stream, Code.Unimplemented);
  const empty = cases.echo({});
  const third = await connection.frameOf("request");
  connection.send({ streamId: third.streamId, kind: { case: "end", value: {} } });
  const error = await empty.catch((error: ConnectError) => error);
  ok("code" in error, "an end without an answer is a failure");
  const good = cases.echo({});
  const fourth = await connection.frameOf("request");
  connection.send({ streamId: fourth.streamId, kind: { case: "response", value: {} } });
  await good;
});

test("a stream may fail in the middle of a message", async (t) => {
  const server = await t.byHand();
  const { next, connection, streamId } = await opened(t, server);
  connection.send({ streamId, kind: { case: "data", value: { more: true, body: new Uint8Array(9) } } });
  connection.send({ streamId, kind: { case: "end", value: { status: { code: Code.Aborted, message: "no more" } } } });
  await fails(next, Code.Aborted, "no more");
});

test("messages that do not decode end their stream and cancel the call", async (t) => {
  const server = await t.byHand();
  const { stream, next, connection, streamId } = await opened(t, server);
  connection.send({ streamId, kind: { case: "data", value: { body: Uint8Array.of(8, 1) } } });
  connection.send({ streamId, kind: { case: "data", value: { body: new Uint8Array(9).fill(0xff) } } });
  equal((await next).value?.value, 1n);
  await fails(stream.next(), Code.Internal);
  equal((await connection.frameOf("reset")).streamId, streamId);
});

test("a body that grows without end fails its call and takes no more than the limit", async (t) => {
  const server = await t.byHand();
  const { cases, next, connection, streamId } = await opened(t, server);
  let room = 256 << 10;
  const feeding = (async () => {
    for (;;) {
      for (; room > 0; room -= 100_032) {
        connection.send({ streamId, kind: { case: "data", value: { more: true, body: new Uint8Array(100_000) } } });
      }
      // Everything that the client says of it, until it gives the call up.
      const frame = await connection.any();
      if (frame.kind.case === "reset") return;
      if (frame.kind.case === "credit" && frame.streamId === streamId) room += Number(frame.kind.value.bytes);
    }
  })();
  await fails(next, Code.ResourceExhausted);
  await feeding;
  const echo = cases.echo({});
  const request = await connection.frameOf("request");
  connection.send({ streamId: request.streamId, kind: { case: "response", value: {} } });
  await echo;
});

test("what comes behind the end of a stream is ignored", async (t) => {
  const server = await t.byHand();
  const { cases, next, connection, streamId } = await opened(t, server);
  for (let round = 0; round < 3; round += 1) {
    connection.send({ streamId, kind: { case: "end", value: {} } });
    connection.send(data(streamId, 0));
    connection.send({ streamId, kind: { case: "response", value: { open: true } } });
    connection.send({ streamId, kind: { case: "reset", value: {} } });
  }
  equal((await next).done, true);
  const echo = cases.echo({});
  const request = await connection.frameOf("request");
  connection.send({ streamId: request.streamId, kind: { case: "response", value: {} } });
  await echo;
});

test("a stream of the server that ends with a status nobody knows fails as UNKNOWN", async (t) => {
  const server = await t.byHand();
  const { next, connection, streamId } = await opened(t, server);
  connection.send({ streamId, kind: { case: "end", value: { status: { code: 4_711, message: "odd" } } } });
  await fails(next, Code.Unknown, "odd");
});

test("a frame of a kind that is not known yet closes nothing", async (t) => {
  const server = await t.byHand();
  const { next, connection, streamId } = await opened(t, server);
  // Field 100 of `Frame`, a message without fields.
  connection.sendBytes(Uint8Array.of(0xa2, 0x06, 0x00));
  connection.send({ streamId, kind: { case: "end", value: {} } });
  equal((await next).done, true);
});

test("a ping of the server is answered with its payload", async (t) => {
  const server = await t.byHand();
  const { connection } = await opened(t, server);
  connection.send({ kind: { case: "ping", value: { payload: 0xfeed_0000_0000_beefn } } });
  equal((await connection.frameOf("pong")).value.payload, 0xfeed_0000_0000_beefn);
});

test("every call ends whatever a row of servers sends", async (t) => {
  const server = await t.byHand();
  const { transport, cases } = t.client(server, { reconnect: { firstMs: 1, longestMs: 2, attempts: 30 } });
  const calls = Array.from({ length: 30 }, (_, index) =>
    (index % 2 === 0 ? cases.look({}, { timeoutMs: 20_000 }) : cases.sum(one(), { timeoutMs: 20_000 })).then(
      () => "answered",
      () => "failed",
    ),
  );
  // Bytes by a fixed rule, so that a failure can be seen again.
  let seed = 42;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  let over = false;
  const serving = (async () => {
    while (!over) {
      const connection = await Promise.race([server.connection(), t.until(() => over).then(() => undefined)]);
      if (connection === undefined) return;
      if (random(4) > 0) connection.greet();
      for (let frame = 0; frame < 5; frame += 1) {
        const streamId = BigInt(1 + random(40));
        const body = Uint8Array.from({ length: random(20) }, () => random(256));
        const kinds: Sent[] = [
          { streamId, kind: { case: "response", value: { open: random(2) === 0, body } } },
          { streamId, kind: { case: "end", value: { status: { code: random(20), message: "so" } } } },
          { streamId, kind: { case: "reset", value: {} } },
          { streamId, kind: { case: "credit", value: { bytes: BigInt(random(1_000)) } } },
          { kind: { case: "goAway", value: { lastStreamId: BigInt(random(40)) } } },
        ];
        const chosen = kinds[random(kinds.length)];
        if (chosen !== undefined) connection.send(chosen);
      }
      if (random(3) > 0) connection.drop();
      else connection.close(1012, "next");
    }
  })();
  const outcomes = await Promise.all(calls);
  over = true;
  await serving;
  equal(outcomes.filter((outcome) => outcome === "answered" || outcome === "failed").length, 30);
  transport.close();
});

async function* one() {
  yield { value: 1n };
}
