// Calls that stream, either way and both: order, ends, flow control, giving up.

import { Code, ConnectError } from "@connectrpc/connect";
import { subscribe } from "rpc-websocket";
import { equal, fails, ok } from "../src/assert.js";
import type { Number as Numbered } from "../src/gen/cases/cases_pb.js";
import { test } from "../src/harness.js";
import { Queue } from "../src/queue.js";
import { bytes } from "./calls.js";

/** What a stream gives until it ends, and how it has failed. */
async function readAll<T>(stream: AsyncIterable<T>): Promise<{ items: T[]; error: ConnectError | undefined }> {
  const items: T[] = [];
  try {
    for await (const item of stream) items.push(item);
  } catch (error) {
    ok(error instanceof ConnectError, `${String(error)} is a ConnectError`);
    return { items, error };
  }
  return { items, error: undefined };
}

/** A stream of requests that a case writes as it goes. */
class Requests<T> {
  private readonly queue = new Queue<T | undefined>();
  /** How many the transport has taken. */
  taken = 0;
  /** Whether the transport has said that it wants no more. */
  returned = false;

  send(message: T): void {
    this.queue.push(message);
  }

  end(): void {
    this.queue.push(undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (let next = await this.queue.next(); next !== undefined; next = await this.queue.next()) {
        this.taken += 1;
        yield next;
      }
    } finally {
      this.returned = true;
    }
  }
}

const values = (items: readonly Numbered[]) => items.map(({ value }) => value);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => BigInt(index));

test("a server stream gives its messages in order with metadata and trailers", async (t) => {
  const { cases } = t.client(await t.world());
  const told: Record<string, string | null> = {};
  const stream = cases.numbers(
    { count: 2_000n },
    {
      headers: { "x-front": "in front", "x-behind": "behind" },
      onHeader: (headers) => {
        told.front = headers.get("x-front");
      },
      onTrailer: (headers) => {
        told.behind = headers.get("x-behind");
      },
    },
  );
  const { items, error } = await readAll(stream);
  equal(error, undefined);
  equal(values(items), upTo(2_000));
  equal(told, { front: "in front", behind: "behind" });
});

test("an empty stream ends, either way and both", async (t) => {
  const { cases } = t.client(await t.world());
  equal(await readAll(cases.numbers({})), { items: [], error: undefined });
  equal((await cases.sum((async function* () {})())).count, 0n);
  equal(await readAll(cases.converse((async function* () {})())), { items: [], error: undefined });
});

test("a stream that fails gives its messages and then the status", async (t) => {
  const { cases } = t.client(await t.world());
  const { items, error } = await readAll(cases.numbers({ count: 3n, fails: true }));
  equal(values(items), upTo(3));
  equal(error?.code, Code.Aborted);
});

test("a stream that is refused before it opens fails with the status", async (t) => {
  const { cases } = t.client(await t.world());
  const { items, error } = await readAll(cases.numbers({ count: 1n, bytes: 5 << 20 }));
  equal(items.length, 0);
  equal(error?.code, Code.InvalidArgument);
});

test("a client stream is read to its end and answered once", async (t) => {
  const { cases } = t.client(await t.world());
  const numbers = async function* () {
    for (const value of upTo(3_000)) yield { value };
  };
  equal(await cases.sum(numbers()), { count: 3_000n, total: 4_498_500n });
});

test("a bidirectional call goes to and fro", async (t) => {
  const { cases } = t.client(await t.world());
  const requests = new Requests<{ text: string }>();
  const answers = cases.converse(requests)[Symbol.asyncIterator]();
  for (const text of ["one", "two", "three"]) {
    requests.send({ text });
    const answer = await answers.next();
    equal(answer.value?.text, `re: ${text}`);
  }
  requests.end();
  equal((await answers.next()).done, true);
});

test("large messages pass on streams of both directions", async (t) => {
  const { cases } = t.client(await t.world());
  const bodies = [bytes(600_000), bytes(0), bytes(1_300_000), bytes(7)];
  const requests = async function* () {
    for (const body of bodies) yield { text: "large", body };
  };
  const { items, error } = await readAll(cases.converse(requests()));
  equal(error, undefined);
  equal(
    items.map(({ body }) => body),
    bodies,
  );
});

test("many calls of all kinds run at a time on one connection", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  const texts = async function* (name: string) {
    for (let index = 0; index < 20; index += 1) yield { text: `${name} ${index}` };
  };
  const numbers = async function* () {
    for (const value of upTo(100)) yield { value };
  };
  const kinds = Array.from({ length: 20 }, async (_, index) => {
    const [echo, stream, sum, talk] = await Promise.all([
      cases.echo({ text: `call ${index}` }),
      readAll(cases.numbers({ count: 200n, bytes: 1_000 })),
      cases.sum(numbers()),
      readAll(cases.converse(texts(`talk ${index}`))),
    ]);
    equal(echo.text, `call ${index}`);
    equal(values(stream.items), upTo(200));
    equal(sum.total, 4_950n);
    equal(talk.items[19]?.text, `re: talk ${index} 19`);
  });
  await Promise.all(kinds);
  equal((await world.see()).passed.connections, 1, "connections");
});

test("a slow reader holds back its own server stream and nothing else", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  const [count, size] = [400, 16_384];
  const stream = cases.numbers({ count: BigInt(count), bytes: size })[Symbol.asyncIterator]();
  equal((await stream.next()).value?.value, 0n);
  // The server goes on until the window is shut, and no further: what it has given stays as it is while other calls are answered.
  let given = -1;
  await t.until(async () => {
    const last = given;
    await cases.echo({ text: "meanwhile" });
    given = (await world.see()).counts.given;
    return given === last;
  });
  // The window, the message that takes it below zero, one that is encoded, and those that were read.
  const most = (2 * (256 << 10)) / size + 4;
  ok(given <= most, `${given} messages were given, at most ${most} for a stream that is not read`);
  for (let value = 1; value < count; value += 1) equal((await stream.next()).value?.value, BigInt(value));
  equal((await stream.next()).done, true);
});

test("many streams that are not read leave room for other calls", async (t) => {
  const { cases } = t.client(await t.world());
  const streams = Array.from({ length: 50 }, () =>
    cases.numbers({ count: 100n, bytes: 16_384 })[Symbol.asyncIterator](),
  );
  await Promise.all(streams.map((stream) => stream.next()));
  // Longer than a window of the connection, all together.
  for (let index = 0; index < 20; index += 1) {
    equal((await cases.echo({ body: bytes(200_000) })).body.length, 200_000);
  }
  for (const stream of streams) {
    let last: bigint | undefined = 0n;
    for (let next = await stream.next(); !next.done; next = await stream.next()) last = next.value.value;
    equal(last, 99n);
  }
});

test("a server that reads nothing holds back the requests", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  let taken = 0;
  const numbers = async function* () {
    for (const value of upTo(200)) {
      taken += 1;
      yield { value, body: bytes(16_384) };
    }
  };
  const sum = cases.sumLater(numbers());
  let last = -1;
  await t.until(async () => {
    if (taken === last && taken > 0) return true;
    last = taken;
    await cases.echo({});
    return false;
  });
  // The window, the message that takes it below zero, and those that are encoded already.
  const most = (256 << 10) / 16_384 + 4;
  ok(taken <= most, `${taken} messages were taken, at most ${most} while the server reads none`);
  await world.gate(true);
  equal((await sum).count, 200n);
});

test("a server that drops its input stops the requests and the call goes on", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  const requests = new Requests<{ text: string }>();
  const answers = cases.deaf(requests)[Symbol.asyncIterator]();
  requests.send({ text: "heard" });
  const first = answers.next();
  await t.until(async () => (await world.see()).counts.read === 1);
  // A request that nobody reads any more lets the transport see that it need not be sent.
  await t.until(() => {
    if (!requests.returned) requests.send({ text: "not heard" });
    return requests.returned;
  });
  await world.gate(true);
  equal((await first).value?.text, "heard");
  equal([(await answers.next()).value?.text, (await answers.next()).value?.text], ["heard", "heard"]);
  equal((await answers.next()).done, true);
});

test("a client stream may be answered before its requests have ended", async (t) => {
  const { cases } = t.client(await t.world());
  const requests = new Requests<{ value: bigint }>();
  requests.send({ value: 7n });
  equal(await cases.first(requests), { count: 1n, total: 7n });
  await t.until(() => {
    if (!requests.returned) requests.send({ value: 8n });
    return requests.returned;
  });
});

test("requests that fail cancel the call", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  const numbers = async function* () {
    yield { value: 1n };
    await t.until(async () => (await world.see()).counts.begun === 1);
    throw new Error("no more of these");
  };
  const outcome = await cases.sum(numbers()).then(
    () => undefined,
    (error: unknown) => error,
  );
  ok(ConnectError.from(outcome).message.includes("no more of these"), `${String(outcome)} says why`);
  await t.until(async () => (await world.see()).counts.dropped === 1);
  await cases.echo({});
});

test("leaving the loop of subscribe drops the handler", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  for await (const number of subscribe((options) => cases.numbers({ count: 10n, waits: true }, options))) {
    if (number.value === 4n) break;
  }
  await t.until(async () => (await world.see()).counts.dropped === 1);
});

test("unsubscribing ends a stream that waits, without an error", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  const numbers = subscribe((options) => cases.numbers({ count: 2n, waits: true }, options));
  const reading = readAll(numbers);
  await t.until(async () => (await world.see()).counts.given === 2);
  await numbers.unsubscribe();
  const { items, error } = await reading;
  equal(error, undefined);
  ok(items.length <= 2, "no more than were given");
  await t.until(async () => (await world.see()).counts.dropped === 1);
});

test("a subscription that is used and disposed of is unsubscribed", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  {
    await using numbers = subscribe((options) => cases.numbers({ count: 2n, waits: true }, options));
    equal((await numbers[Symbol.asyncIterator]().next()).value?.value, 0n);
  }
  await t.until(async () => (await world.see()).counts.dropped === 1);
});

test("a subscription shows the failure of its call, and ends with the signal that it was given", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  const failing = await readAll(subscribe((options) => cases.numbers({ count: 1n, fails: true }, options)));
  equal([failing.items.length, failing.error?.code], [1, Code.Aborted]);
  const giving = new AbortController();
  const numbers = subscribe((options) => cases.numbers({ count: 1n, waits: true }, options), { signal: giving.signal });
  const iterator = numbers[Symbol.asyncIterator]();
  await iterator.next();
  const next = iterator.next();
  giving.abort();
  await fails(next, Code.Canceled);
  await t.until(async () => (await world.see()).counts.dropped === 1);
});

test("a stream whose loop was left takes no more than its window until its signal is aborted", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  const giving = new AbortController();
  const stream = cases.numbers({ count: 1_000_000n, bytes: 1_024 }, { signal: giving.signal });
  for await (const _ of stream) break;
  let given = -1;
  await t.until(async () => {
    const last = given;
    for (let index = 0; index < 5; index += 1) await cases.echo({});
    given = (await world.see()).counts.given;
    return given === last;
  });
  ok(given <= 1_000, `${given} messages were given to a stream that nobody reads`);
  giving.abort();
  await t.until(async () => (await world.see()).counts.dropped === 1);
});

test("a timeout ends a stream that was opened and drops its handler", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  // On a busy machine the time may be over before the stream was opened: then there is more of it.
  let timeoutMs = 100;
  await t.until(async () => {
    timeoutMs *= 2;
    const { items, error } = await readAll(cases.numbers({ count: 3n, waits: true }, { timeoutMs }));
    equal(error?.code, Code.DeadlineExceeded);
    equal(values(items), upTo(items.length));
    return items.length === 3;
  });
  await t.until(async () => {
    const { begun, dropped } = (await world.see()).counts;
    return begun === dropped;
  });
});

test("aborting ends streams of every kind and drops their handlers", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  const giving = new AbortController();
  const { signal } = giving;
  const numbers = new Requests<{ value: bigint }>();
  const texts = new Requests<{ text: string }>();
  const running = [
    readAll(cases.numbers({ count: 1n, waits: true }, { signal })).then(({ error }) => error?.code),
    cases.sum(numbers, { signal }).catch((error: ConnectError) => error.code),
    readAll(cases.converse(texts, { signal })).then(({ error }) => error?.code),
  ];
  await t.until(async () => (await world.see()).counts.begun === 3);
  giving.abort();
  equal(await Promise.all(running), [Code.Canceled, Code.Canceled, Code.Canceled]);
  await t.until(async () => (await world.see()).counts.dropped === 3);
});

test("a lost connection ends streams with UNAVAILABLE behind what had come", async (t) => {
  const world = await t.world();
  const { cases } = t.client(world);
  const stream = cases.numbers({ count: 5n, waits: true })[Symbol.asyncIterator]();
  equal((await stream.next()).value?.value, 0n);
  await t.until(async () => (await world.see()).counts.given === 5);
  await cases.echo({ text: "behind them" });
  await world.cut();
  for (const value of [1n, 2n, 3n, 4n]) equal((await stream.next()).value?.value, value);
  await fails(stream.next(), Code.Unavailable);
  await cases.echo({ text: "on the next connection" });
});
