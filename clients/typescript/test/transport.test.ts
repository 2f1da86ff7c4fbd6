// Connect's calls over the transport, and what transports share.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { after, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  HubService,
  type PresenceRequest,
  PresenceRequestSchema,
  PresenceResponseSchema,
} from "../src/gen/rpc/hub/v1/hub_pb.js";
import {
  createWebSocketTransport,
  mayHaveRun,
  subscribe,
  type WebSocketTransport,
  type WebSocketTransportOptions,
} from "../src/index.js";
import { methodNumber } from "../src/protocol/method.js";
import { createWebSocketTransport as createCallTransport } from "../src/without-hub.js";
import { type FrameInit, Socket } from "./support/server.js";
import { settled } from "./support/world.js";

/** A constructor of sockets that go nowhere, which keeps them. */
function sockets() {
  const made: Socket[] = [];
  class Made extends Socket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      made.push(this);
    }
  }
  return { made, Made };
}

const open: { close(): void }[] = [];

// What a test leaves open where it fails would keep the process.
after(() => {
  for (const transport of open) transport.close();
});

/** A transport that ends with the tests. */
function transportOf(options: WebSocketTransportOptions): WebSocketTransport {
  const transport = createWebSocketTransport(options);
  open.push(transport);
  return transport;
}

async function opened(options: Partial<WebSocketTransportOptions> = {}) {
  const { made, Made } = sockets();
  const transport = transportOf({ url: "ws://test/rpc", webSocket: Made, ...options });
  await settled();
  const socket = made[0] as Socket;
  await socket.greet();
  return { transport, socket, made, Made, client: createClient(HubService, transport) };
}

const answer = (id: number, value: Extract<FrameInit["kind"], { case: "response" }>["value"]): FrameInit => ({
  streamId: BigInt(id),
  kind: { case: "response", value },
});

const EMPTY = toBinary(PresenceResponseSchema, create(PresenceResponseSchema, { clients: 3n }));

test("a unary call carries its headers and its deadline, and gives headers, trailers and message back", async () => {
  const { transport, socket, client } = await opened();
  let [header, trailer] = [new Headers(), new Headers()];
  const called = client.presence(
    { channel: "room:5" },
    {
      headers: { "X-Trace": "abc", "x-key-bin": "AQID" },
      timeoutMs: 60_000,
      onHeader: (headers) => {
        header = headers;
      },
      onTrailer: (trailers) => {
        trailer = trailers;
      },
    },
  );
  await settled();
  const { id, value } = socket.next("request");
  assert.equal(value.method, methodNumber("rpc.hub.v1.HubService/Presence"));
  const metadata = value.metadata.map(({ key, value, binary }) => [key, value, [...binary]]);
  assert.deepEqual(metadata, [
    ["x-key-bin", "", [1, 2, 3]],
    ["x-trace", "abc", []],
  ]);
  assert.ok(value.timeoutUs > 50_000_000n && value.timeoutUs <= 60_000_000n);
  assert.deepEqual(value.body, toBinary(PresenceRequestSchema, create(PresenceRequestSchema, { channel: "room:5" })));
  await socket.say(
    answer(id, {
      metadata: [
        { key: "from", value: "here" },
        { key: "wide", value: "日" },
        { key: "bytes-bin", binary: new Uint8Array([255, 0]) },
      ],
      trailers: [
        { key: "took", value: "1" },
        { key: "took", value: "2" },
      ],
      body: EMPTY,
    }),
  );
  assert.equal((await called).clients, 3n);
  assert.deepEqual([header.get("from"), header.get("bytes-bin"), trailer.get("took")], ["here", "/wA", "1, 2"]);
  assert.equal(decodeURIComponent(header.get("wide") ?? ""), "日", "what no header holds is percent-encoded");
  transport.close();
});

test("a status is a ConnectError with typed details and the metadata", async () => {
  const { transport, socket, client } = await opened();
  const called = client.presence({}).then(() => undefined, ConnectError.from);
  await settled();
  const { id } = socket.next("request");
  const value = toBinary(DurationSchema, create(DurationSchema, { seconds: 7n }));
  const details = [{ typeUrl: "type.googleapis.com/google.protobuf.Duration", value }];
  const status = { code: 8, message: "too much", details };
  await socket.say({
    streamId: BigInt(id),
    kind: { case: "end", value: { status, trailers: [{ key: "why", value: "so" }] } },
  });
  const error = await called;
  assert.deepEqual(
    [error?.code, error?.rawMessage, error?.metadata.get("why")],
    [Code.ResourceExhausted, "too much", "so"],
  );
  assert.equal(error?.findDetails(DurationSchema)[0]?.seconds, 7n);
  transport.close();
});

test("an aborted call is reset, and one that was over before it began is not sent", async () => {
  const { transport, socket, client } = await opened();
  const controller = new AbortController();
  const called = client.presence({}, { signal: controller.signal });
  await settled();
  const { id } = socket.next("request");
  controller.abort();
  await assert.rejects(called, (error) => error instanceof ConnectError && error.code === Code.Canceled);
  assert.equal(socket.next("reset").id, id);
  await assert.rejects(client.presence({}, { signal: controller.signal }));
  assert.deepEqual(socket.kinds(), []);
  transport.close();
});

test("a response that does not decode is INTERNAL, and interceptors stand around calls in Connect's order", async () => {
  const order: string[] = [];
  const interceptors = ["outer", "inner"].map(
    (name) => (next: (request: never) => Promise<never>) => (request: never) => {
      order.push(name);
      return next(request);
    },
  );
  const { transport, socket, client } = await opened({ interceptors: interceptors as never });
  const called = assert.rejects(client.presence({}), /\[internal\] the response does not decode/);
  await settled();
  await socket.say(answer(socket.next("request").id, { body: new Uint8Array([0xff]) }));
  await called;
  assert.deepEqual(order, ["outer", "inner"]);
  transport.close();
});

test("a stream that is given up ends without an error, by leaving the loop, by unsubscribing and by a signal with one", async () => {
  const given: string[] = [];
  for (const how of ["leave", "unsubscribe", "abort"]) {
    const source = async function* (signal: AbortSignal | undefined) {
      signal?.addEventListener("abort", () => given.push(how));
      yield 1;
      await new Promise((_, reject) =>
        signal?.addEventListener("abort", () => reject(new ConnectError("gone", Code.Canceled))),
      );
    };
    const controller = new AbortController();
    const stream = subscribe(({ signal }) => source(signal), { signal: controller.signal });
    const seen: number[] = [];
    const reading = (async () => {
      for await (const item of stream) {
        seen.push(item);
        if (how === "leave") break;
        setImmediate(() => (how === "abort" ? controller.abort() : stream.unsubscribe()));
      }
    })();
    if (how === "abort") await assert.rejects(reading, /gone/);
    else await reading;
    assert.deepEqual(seen, [1]);
  }
  assert.deepEqual(given, ["leave", "unsubscribe", "abort"]);
});

test("a stream that ends by itself or fails leaves nothing on the signal it was begun with", async () => {
  const { signal } = new AbortController();
  const source = async function* (fails: boolean) {
    yield 1;
    if (fails) throw new ConnectError("gone", Code.Unavailable);
  };
  const drain = async (fails: boolean) => {
    const stream = subscribe(() => source(fails), { signal });
    assert.equal(getEventListeners(signal, "abort").length, 1, "it can be aborted while it runs");
    for await (const item of stream) assert.equal(item, 1);
  };
  await drain(false);
  assert.equal(getEventListeners(signal, "abort").length, 0, "it has ended");
  await assert.rejects(drain(true), /\[unavailable\] gone/);
  assert.equal(getEventListeners(signal, "abort").length, 0, "it has failed");
});

test("transports with the same options share a connection, which closes with the last of them", async () => {
  const { transport, socket, made, Made } = await opened();
  const share = (options: Partial<WebSocketTransportOptions> = {}) =>
    transportOf({ url: "ws://test/rpc", webSocket: Made, ...options });
  const second = share({ defaultTimeoutMs: 5_000 });
  const other = share({ token: "ann" });
  await settled();
  assert.equal(made.length, 2, "another token is another connection");
  assert.equal(second.state.status, "open");
  const running = createClient(HubService, second).presence({});
  await settled();
  const states: string[] = [];
  second.on("state", ({ status }) => states.push(status));
  second.close();
  await assert.rejects(running, /\[canceled\]/);
  assert.deepEqual(
    [socket.closed, second.state.status, transport.state.status, states],
    [undefined, "closed", "open", ["closed"]],
  );
  await assert.rejects(second.ready(), /closed/);
  await assert.rejects(second.authenticate("x"), /closed/);
  transport.close(4_000, "bye");
  assert.deepEqual(socket.closed, { code: 4_000, reason: "bye" });
  const next = share();
  await settled();
  assert.equal(made.length, 3, "what is closed is not shared");
  for (const one of [other, next]) one.close();
});

test("urls are of ws or wss, and what no client may close with is refused", async () => {
  const { Made } = sockets();
  const make = (url: string): WebSocketTransport => transportOf({ url, webSocket: Made });
  for (const url of ["ftp://x/", "/rpc", "nonsense"]) assert.throws(() => make(url), TypeError, url);
  const { made, transport } = await opened({ url: "https://example.test/rpc#part" });
  assert.equal(made[0]?.url, "wss://example.test/rpc");
  assert.throws(() => transport.close(1001), RangeError);
  transport.close();
  transport.close();
});

/** Reads a server stream to its end. */
async function readStream(
  transport: WebSocketTransport,
  { signal, timeoutMs }: { signal?: AbortSignal; timeoutMs?: number },
): Promise<void> {
  const method = { ...HubService.method.presence, methodKind: "server_streaming" as const };
  const input = (async function* () {
    yield create(PresenceRequestSchema);
  })();
  const { message } = await transport.stream(method, signal, timeoutMs, undefined, input);
  for await (const _ of message);
}

test("a call that was sent and is then given up may have run, and one that was never sent has not", async () => {
  const why: unknown[] = [undefined, new Error("enough"), new ConnectError("enough", Code.Aborted), "timeout", "close"];
  for (const how of why) {
    for (const sent of [true, false]) {
      const { Made, made } = sockets();
      const transport = transportOf({ url: "ws://test/rpc", webSocket: Made });
      const client = createClient(HubService, transport);
      await settled();
      if (sent) await (made[0] as Socket).greet();
      const controller = new AbortController();
      // An error object of the program's is one for all calls: a new one for each.
      const reason = how instanceof ConnectError ? new ConnectError("enough", Code.Aborted) : how;
      const options = how === "timeout" ? { timeoutMs: 5 } : { signal: controller.signal };
      const calls = [client.presence({}, options), readStream(transport, options)].map((called) =>
        called.then(() => undefined, ConnectError.from),
      );
      await settled();
      // On a busy machine the time may be over by now, of which the server is told as well.
      const requests = made[0]?.kinds().filter((kind) => kind === "request");
      assert.equal(requests?.length, sent ? 2 : 0);
      if (sent) await made[0]?.say({ streamId: 2n, kind: { case: "response", value: { open: true } } });
      if (how === "close") transport.close();
      else if (how !== "timeout") controller.abort(reason);
      for (const error of await Promise.all(calls)) {
        assert.ok(error);
        assert.equal(mayHaveRun(error), sent, `${String(how)}, ${sent ? "sent" : "not sent"}`);
      }
      transport.close();
      const later = await client.presence({}).then(() => undefined, ConnectError.from);
      assert.equal(mayHaveRun(later), false, "a call after the close is not another's");
    }
  }
});

test("what waits for a connection in a transport's name ends with it, and is not done for those that share it", async () => {
  const { made, Made } = sockets();
  const [first, second] = [1, 2].map(() => transportOf({ url: "ws://test/rpc", webSocket: Made }));
  assert.ok(first && second);
  const waiting = [second.ready(), second.authenticate("x"), second.changeUser("y")];
  second.close();
  for (const one of waiting) await assert.rejects(one, /\[canceled\] the transport was closed/);
  await settled();
  await made[0]?.greet();
  await first.ready();
  assert.deepEqual(made[0]?.kinds(), [], "no token is shown that nobody waits for");
  first.close();
});

test("what a program streams is ended with the call, also while its next message is awaited", async () => {
  for (const how of ["end", "abort", "close", "refuse"]) {
    const { transport, socket } = await opened();
    const method = { ...HubService.method.presence, methodKind: "bidi_streaming" as const };
    let ended = 0;
    // Connect ends an iterator of its own, which is another one where the iterable is no generator.
    const messages = {
      [Symbol.asyncIterator](): AsyncIterator<PresenceRequest> {
        let isRead = false;
        return {
          next() {
            isRead = true;
            return new Promise(() => {});
          },
          async return() {
            if (isRead) ended += 1;
            return { done: true, value: undefined };
          },
        };
      },
    };
    const controller = new AbortController();
    const { signal } = controller;
    const called = transport.stream(method, signal, undefined, undefined, messages).catch(() => {});
    await settled();
    const { id } = socket.next("request");
    assert.equal(ended, 0);
    const streamId = BigInt(id);
    if (how === "end") await socket.say({ streamId, kind: { case: "end", value: { status: { code: 5 } } } });
    else if (how === "refuse") await socket.say({ streamId, kind: { case: "reset", value: {} } });
    else if (how === "abort") controller.abort();
    else transport.close();
    await settled();
    assert.equal(ended, 1, how);
    transport.close();
    await called;
  }
});

test("a stream that is given up before it is read is nobody's unhandled rejection, and fails for who reads it then", async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", onUnhandled);
  const { transport } = await opened();
  const method = { ...HubService.method.presence, methodKind: "server_streaming" as const };
  const client = createClient({ ...HubService, method: { presence: method }, methods: [method] } as never, transport);
  const call = (client as unknown as Record<string, (request: object, options: object) => AsyncIterable<never>>)[
    "presence"
  ];
  assert.ok(call);
  const unsubscribed = subscribe<never>((options) => call({}, options));
  await unsubscribed.unsubscribe();
  const controller = new AbortController();
  const aborted = subscribe<never>((options) => call({}, options), { signal: controller.signal });
  controller.abort();
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.off("unhandledRejection", onUnhandled);
  assert.deepEqual(unhandled, []);
  for await (const _ of unsubscribed) assert.fail("it was given up");
  await assert.rejects(async () => {
    for await (const _ of aborted);
  }, /\[canceled\]/);
  transport.close();
});

test("an interceptor that throws at once rejects the call, and leaves nothing on its signal", async () => {
  const { signal } = new AbortController();
  const { transport, client } = await opened({
    interceptors: [
      () => () => {
        throw new ConnectError("no", Code.InvalidArgument);
      },
    ],
  });
  await assert.rejects(client.presence({}, { signal, timeoutMs: 60_000 }), /\[invalid_argument\] no/);
  await assert.rejects(readStream(transport, { signal }), /\[invalid_argument\] no/);
  assert.equal(getEventListeners(signal, "abort").length, 0);
  transport.close();
});

test("the entry without the hub makes the same calls over the same connection, and every entry is there", async () => {
  const { transport, socket, made, Made } = await opened();
  const calls = createCallTransport({ url: "ws://test/rpc", webSocket: Made });
  open.push(calls);
  assert.equal("hub" in calls, false);
  const called = createClient(HubService, calls).presence({});
  await settled();
  await socket.say(answer(socket.next("request").id, { body: EMPTY }));
  assert.equal((await called).clients, 3n);
  assert.equal(made.length, 1);
  calls.close();
  assert.deepEqual([calls.state.status, transport.state.status], ["closed", "open"]);
  transport.close();
  const root = new URL("../../", import.meta.url);
  const { exports } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
    exports: Record<string, { default: string }>;
  };
  for (const { default: file } of Object.values(exports)) {
    const source = file.replace("./dist/", "src/").replace("*", "v1/frame").replace(/js$/, "ts");
    assert.ok(existsSync(new URL(source, root)), source);
  }
});
