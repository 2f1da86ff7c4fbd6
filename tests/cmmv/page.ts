// A page with a client of CMMV: the client's own code, in a global scope of its own, with what a browser would give it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createContext, runInContext } from "node:vm";
import protobuf from "protobufjs";
import { WebSocket } from "ws";

const require = createRequire(import.meta.url);

/** How long an answer may take, in milliseconds. What comes decides; the time is only when to give up. */
const PATIENCE_MS = 30_000;

/** What a message is once it is decoded. */
// biome-ignore lint/suspicious/noExplicitAny: these are whatever the server has announced
export type Message = Record<string, any>;

/** As much of the client as pages use. */
export interface Client {
  socket: WebSocket;
  /** Makes functions of requests, such as `AddTaskRequest`. */
  [request: string]: unknown;
  rpc: {
    get(contract: string, message: string): void;
    add(contract: string, message: string, data: Message): void;
    update(contract: string, message: string, data: Message): void;
    delete(contract: string, message: string, data: Message): void;
    on(contract: string, message: string, callback: (data: Message) => void): void;
  };
}

/** A published version of `@cmmv/view`, by the name that package.json gives it. */
export function published(name: string): { version: string; code: string } {
  const file = require.resolve(`${name}/package.json`);
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  return { version, code: readFileSync(join(dirname(file), "lib/cmmv.frontend.cjs"), "utf8") };
}

/** A page at an address. */
export class Page implements Disposable {
  /** What the client has sent, in hexadecimal. */
  readonly sent: string[] = [];
  /** What it has said went wrong. */
  readonly errors: unknown[][] = [];
  /** What it wants to do later: to connect again. */
  readonly later: (() => void)[] = [];
  readonly #scope: Record<string, unknown>;

  /** Runs the client; it connects at once. */
  constructor(href: string, code: string) {
    const { sent } = this;
    class Recorded extends WebSocket {
      override send(data: Uint8Array): void {
        sent.push(Buffer.from(data).toString("hex"));
        super.send(data);
      }
    }
    const scope: Record<string, unknown> = {
      WebSocket: Recorded,
      protobuf,
      location: { href },
      document: { addEventListener() {} },
      localStorage: { getItem: () => null, setItem() {} },
      performance,
      console: { error: (...what: unknown[]) => this.errors.push(what), warn() {}, log() {}, table() {} },
      setTimeout: (then: () => void) => this.later.push(then),
      // One kind of bytes for the page and for what it is given.
      ArrayBuffer,
      Uint8Array,
      // As a page of CMMV's has it, rendered by its server.
      cmmvSetup: { __data: { config: { rpc: { enabled: true } } } },
    };
    scope["window"] = scope;
    this.#scope = createContext(scope);
    runInContext("window = globalThis", this.#scope);
    this.run(code);
  }

  /** Runs a script of the page. */
  run(script: string): void {
    runInContext(script, this.#scope);
  }

  get client(): Client {
    return this.#scope["cmmv"] as Client;
  }

  /** Waits until the socket is open. */
  async opened(): Promise<void> {
    const { socket } = this.client;
    if (socket.readyState === WebSocket.OPEN) return;
    await within("the connection", (resolve) => socket.once("open", resolve));
  }

  /** Waits until the socket is closed. */
  async closed(): Promise<void> {
    await within("the end of the connection", (resolve) => this.client.socket.once("close", resolve));
  }

  /** The next message of a type, which is asked for by `ask`. */
  async next(contract: string, message: string, ask: () => void): Promise<Message> {
    return await within(`${contract}.${message}`, (resolve: (message: Message) => void) => {
      this.client.rpc.on(contract, message, resolve);
      ask();
    });
  }

  [Symbol.dispose](): void {
    this.client.socket.terminate();
  }
}

async function within<T>(what: string, begin: (resolve: (value: T) => void) => void): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} does not come`)), PATIENCE_MS);
    begin((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
