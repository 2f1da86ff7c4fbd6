// What one tab of a browser gets done: calls and streams over the WebSocket, the same over Connect and HTTP, and events.

import { createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { createWebSocketTransport } from "rpc-websocket";
import { CasesService, SaidSchema } from "../src/gen/cases/cases_pb.js";
import { World } from "../src/world.js";

/** So long each thing is measured, three times in turn, after it has run for as long once. */
const MEASURED_MS = 2_000;
const ROUNDS = 3;

/** Something that is done again and again: gives how much was done by the time that is over. */
type Work = (until: number) => Promise<number>;

/** Calls one after the other, so many beside each other. */
function calls(transport: Transport, atOnce: number): Work {
  const client = createClient(CasesService, transport);
  return async (until) => {
    let done = 0;
    const caller = async () => {
      while (performance.now() < until) {
        const { text } = await client.echo({ text: "a text of thirty-two characters." });
        if (text.length !== 32) throw new Error("the answer is another");
        done += 1;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, caller));
    return done;
  };
}

/** Server streams of ten thousand short messages, one after the other. */
function messages(transport: Transport): Work {
  const client = createClient(CasesService, transport);
  return async (until) => {
    let done = 0;
    while (performance.now() < until) {
      for await (const { value } of client.numbers({ count: 10_000n, bytes: 32 })) {
        if (value !== BigInt(done % 10_000)) throw new Error("the message is another");
        done += 1;
      }
    }
    return done;
  };
}

/** Events that the server publishes in a channel as fast as they are heard, ten thousand at a time. */
function events(transport: ReturnType<typeof createWebSocketTransport>, world: World): Work {
  return async (until) => {
    await using room = transport.hub.subscribe("quiet:bench", { events: [SaidSchema] });
    let done = 0;
    let heard = () => {};
    room.on(SaidSchema, () => {
      done += 1;
      if (done % 10_000 === 0) heard();
    });
    room.on("gap", () => {
      throw new Error("events are missing");
    });
    await room.ready;
    while (performance.now() < until) {
      const all = new Promise<void>((resolve) => {
        heard = resolve;
      });
      await world.publish({ channel: "quiet:bench" }, "a text of thirty-two characters", { times: 10_000 });
      await all;
    }
    return done;
  };
}

/** Measures everything in turn, and says the medians. */
export async function measure(control: string, connect: string, report: (line: string) => void): Promise<void> {
  const world = await World.make(control, { eventQueueBytes: 16 << 20 });
  const socket = createWebSocketTransport({ url: world.direct });
  const http = createConnectTransport({ baseUrl: connect, useBinaryFormat: true });
  const works: [string, Work][] = [];
  for (const atOnce of [1, 8, 64]) {
    works.push([`unary calls, ${atOnce} at once, over the WebSocket`, calls(socket, atOnce)]);
    works.push([`unary calls, ${atOnce} at once, by Connect over HTTP/1.1`, calls(http, atOnce)]);
  }
  works.push(["messages of a server stream, over the WebSocket", messages(socket)]);
  works.push(["messages of a server stream, by Connect over HTTP/1.1", messages(http)]);
  works.push(["events of a channel, over the WebSocket", events(socket, world)]);
  const rates = new Map<string, number[]>(works.map(([name]) => [name, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, work] of works) {
      const begun = performance.now();
      const done = await work(begun + MEASURED_MS);
      // The first round warms up.
      if (round > 0) rates.get(name)?.push((done / (performance.now() - begun)) * 1_000);
    }
  }
  for (const [name, all] of rates) {
    const sorted = all.sort((a, b) => a - b).map(Math.round);
    report(`${name}: ${sorted[Math.floor(sorted.length / 2)]} per second (${sorted[0]} to ${sorted.at(-1)})`);
  }
  socket.close();
  await world.end();
}
