// Runs the cases: the same code in Node and in a browser. Each case has a server of its own, so that they run beside each other.

import { type Client, createClient } from "@connectrpc/connect";
import {
  createWebSocketTransport,
  type WebSocketConstructor,
  type WebSocketTransport,
  type WebSocketTransportOptions,
} from "rpc-websocket";
import { HandServer } from "./by-hand.js";
import type { Environment } from "./environment.js";
import { CasesService } from "./gen/cases/cases_pb.js";
import { type Ask, ServerProcess, type Wishes, World } from "./world.js";

/** A case that is still running then hangs. No case passes or fails by how long anything takes. */
const HANGS_AFTER_MS = 60_000;
/** So many cases run beside each other. */
const AT_ONCE = 8;

/** How a case is run. */
export interface CaseOptions {
  /** Runs by itself, behind the others: it changes what all of them see. */
  readonly alone?: boolean;
  /** Runs there only. */
  readonly only?: Environment["platform"];
}

interface Case {
  readonly name: string;
  readonly options: CaseOptions;
  readonly body: (t: Test) => Promise<void>;
}

const cases: Case[] = [];

/** Adds a case. Its name says what it proves. */
export function test(name: string, body: (t: Test) => Promise<void>, options: CaseOptions = {}): void {
  if (cases.some((other) => other.name === name)) throw new Error(`two cases are called ${name}`);
  cases.push({ name, options, body });
}

/** What a case works with. What it has made ends with it. */
export class Test {
  private readonly ends: (() => unknown)[] = [];
  private readonly transports: WebSocketTransport[] = [];
  /** What errors that nothing catches are expected to say. */
  readonly expected: string[] = [];

  constructor(readonly environment: Environment) {}

  /** A server of its own. */
  async world(wishes: Wishes = {}, ask?: Ask): Promise<World> {
    const world = await World.make(this.environment.control, wishes, ask);
    this.ends.push(() => world.end());
    return world;
  }

  /** A server in a process of its own. */
  async process(): Promise<ServerProcess> {
    const started = await ServerProcess.start(this.environment.control);
    this.ends.push(() => started.kill().catch(() => {}));
    return started;
  }

  /** A server that the case plays. */
  async byHand(): Promise<HandServer> {
    const server = await HandServer.open(this.webSocket, this.environment.byHand);
    this.ends.push(() => server.end());
    return server;
  }

  get webSocket(): WebSocketConstructor {
    return this.environment.webSocket ?? (globalThis.WebSocket as unknown as WebSocketConstructor);
  }

  /** A transport to a server, which comes back soon after its connection was lost. */
  transport(to: { readonly url: string }, options: Partial<WebSocketTransportOptions> = {}): WebSocketTransport {
    const webSocket = this.environment.webSocket;
    const transport = createWebSocketTransport({
      url: to.url,
      reconnect: { firstMs: 5, longestMs: 100 },
      ...(webSocket === undefined ? {} : { webSocket }),
      ...options,
    });
    this.transports.push(transport);
    this.ends.push(() => transport.close());
    return transport;
  }

  /** A client of the cases' service, with the transport that it has. */
  client(
    to: { readonly url: string },
    options: Partial<WebSocketTransportOptions> = {},
  ): { transport: WebSocketTransport; cases: Client<typeof CasesService> } {
    const transport = this.transport(to, options);
    return { transport, cases: createClient(CasesService, transport) };
  }

  /** An error with this text is thrown, and not caught by anybody. */
  expectUncaught(text: string): void {
    this.expected.push(text);
  }

  /** Asks again and again until something is there, and gives it. */
  async until<T>(get: () => T | PromiseLike<T>): Promise<Exclude<T, false | null | undefined>> {
    for (;;) {
      const value = await get();
      if (value) return value as Exclude<T, false | null | undefined>;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** What its connections have come to, for who reads why it has failed. */
  get seen(): string {
    const states = this.transports.map(({ state }) =>
      "reason" in state ? `${state.status}: ${state.reason.message}` : state.status,
    );
    return `seen: ${states.join("; ") || "no connection"}`;
  }

  /** Ends what the case has made, the last first. */
  async end(): Promise<void> {
    for (const end of this.ends.reverse()) await end();
  }
}

/** Runs all cases; gives how many have failed. */
export async function runCases(environment: Environment): Promise<number> {
  const wanted = cases.filter(
    ({ name, options }) =>
      name.includes(environment.filter) && (options.only === undefined || options.only === environment.platform),
  );
  const running = new Set<Test>();
  const uncaught: string[] = [];
  environment.onUncaught((error) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    for (const test of running) {
      const index = test.expected.findIndex((expected) => text.includes(expected));
      if (index >= 0) {
        test.expected.splice(index, 1);
        return;
      }
    }
    uncaught.push(text);
    environment.report(`uncaught: ${text}`);
  });

  const outcome = { passed: 0, failed: 0 };
  const runOne = async ({ name, body }: Case) => {
    const test = new Test(environment);
    running.add(test);
    try {
      await Promise.race([body(test), hang()]);
      // Whoever reports errors that nobody has caught may do so a moment later.
      await Promise.race([test.until(() => test.expected.length === 0), hang()]).catch(() => {
        throw new Error(`nobody was told of ${test.expected.join(", ")}`);
      });
      outcome.passed += 1;
      environment.report(`ok    ${name}`);
    } catch (error) {
      outcome.failed += 1;
      environment.report(
        `FAIL  ${name}\n      ${error instanceof Error ? error.stack : String(error)}\n      ${test.seen}`,
      );
    }
    await test.end().catch((error: unknown) => {
      uncaught.push(String(error));
      environment.report(`FAIL  the end of: ${name}\n      ${String(error)}`);
    });
    running.delete(test);
  };
  const beside = wanted.filter(({ options }) => !options.alone);
  const worker = async () => {
    for (let next = beside.shift(); next; next = beside.shift()) await runOne(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  for (const alone of wanted.filter(({ options }) => options.alone)) await runOne(alone);
  // An error that nothing catches is a failure, whosever it is.
  outcome.failed += uncaught.length;
  environment.report(`${outcome.passed} passed, ${outcome.failed} failed`);
  return outcome.failed;
}

function hang(): Promise<never> {
  return new Promise((_, reject) => {
    const hangs = () => reject(new Error(`hangs: not over after ${HANGS_AFTER_MS / 1000} s`));
    const timer = setTimeout(hangs, HANGS_AFTER_MS);
    // In Node a timer keeps the process alive unless it is told not to.
    (timer as { unref?: () => void }).unref?.();
  });
}
