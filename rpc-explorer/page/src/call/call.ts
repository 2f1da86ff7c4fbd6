// One call of a method of any kind, by its descriptor: what was sent, what has come, when, and how it ended.

import type { DescMessage, DescMethod, DescMethodStreaming, DescMethodUnary, Message } from "@bufbuild/protobuf";
import { toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { methodNumber } from "rpc-websocket";
import { Latest } from "../latest.js";
import type { Endpoint } from "../server/endpoint.js";
import type { Stream } from "../server/wire.js";
import { Outbox } from "./outbox.js";

/** So many messages of a call are kept: the latest, */
export const MOST_MESSAGES = 500;

/** as long as they are no more than so many bytes together. The latest one is kept however large it is. */
export const MOST_BYTES = 8 << 20;

/** A message of a call. */
export interface Passed {
  readonly number: number;
  readonly direction: "out" | "in";
  readonly message: Message;
  readonly desc: DescMessage;
  /** In bytes. */
  readonly size: number;
  /** In milliseconds since the call was begun. */
  readonly after: number;
}

/** What a call is given. */
export interface CallOptions {
  readonly header: Headers;
  readonly timeoutMs: number | undefined;
}

/** Whether who calls sends a stream. */
export function streamsRequests(method: DescMethod): boolean {
  return method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
}

export class Call {
  readonly begun = new Date();
  sent = 0;
  received = 0;
  /** In milliseconds since it was begun. */
  firstAfter: number | undefined;
  endedAfter: number | undefined;
  header: Headers | undefined;
  trailer: Headers | undefined;
  /** Of a call that has ended: `undefined` where that was well. */
  error: ConnectError | undefined;
  /** Nothing more is sent. */
  isFinished: boolean;
  /** Where its frames are. */
  readonly streams: Stream[] = [];
  readonly #clock = performance.now();
  readonly #controller = new AbortController();
  readonly #outbox = new Outbox<Message>(() => this.#tell());
  readonly #listeners = new Set<() => void>();
  readonly #unwait: () => void;
  readonly #passed = new Latest<Passed>(MOST_MESSAGES, MOST_BYTES);
  /** Of the messages that have come and are not received yet, in bytes, as the wire has seen them. */
  readonly #sizes: number[] = [];

  /** Begins a call. `first` is the request, of a method that takes one. */
  constructor(
    readonly method: DescMethod,
    endpoint: Endpoint,
    options: CallOptions,
    first?: Message,
  ) {
    this.isFinished = !streamsRequests(method);
    // Also a method with a number of its own is called by that of its name.
    this.#unwait = endpoint.wire.await(methodNumber(`${method.parent.typeName}/${method.name}`), {
      left: (stream) => this.streams.push(stream),
      came: (size) => this.#sizes.push(size),
    });
    if (first) this.#sends(first);
    void this.#run(endpoint, options, first);
  }

  /** Those of its messages that are kept. */
  get passed(): readonly Passed[] {
    return this.#passed.items;
  }

  get isRunning(): boolean {
    return this.endedAfter === undefined;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** So much waits to be sent that nothing more is taken for now. */
  get isFull(): boolean {
    return this.#outbox.isFull;
  }

  /** Sends a message more. */
  send(message: Message): void {
    if (this.isFinished || !this.isRunning || this.isFull) return;
    this.#sends(message);
    this.#outbox.push(message);
  }

  /** Sends no more. */
  finish(): void {
    if (this.isFinished) return;
    this.isFinished = true;
    this.#outbox.end();
    this.#tell();
  }

  /** Gives it up. */
  cancel(): void {
    this.#controller.abort();
  }

  async #run(endpoint: Endpoint, { header, timeoutMs }: CallOptions, first: Message | undefined): Promise<void> {
    const { transport } = endpoint;
    const { signal } = this.#controller;
    try {
      if (this.method.methodKind === "unary") {
        const method = this.method as DescMethodUnary;
        const answer = await transport.unary(method, signal, timeoutMs, header, first as Message);
        this.header = answer.header;
        this.#receives(answer.message);
        this.trailer = answer.trailer;
      } else {
        const method = this.method as DescMethodStreaming;
        if (first) {
          this.#outbox.push(first);
          this.#outbox.end();
        }
        const answer = await transport.stream(method, signal, timeoutMs, header, this.#outbox);
        this.header = answer.header;
        this.#tell();
        for await (const message of answer.message) this.#receives(message);
        this.trailer = answer.trailer;
      }
      this.#end(undefined);
    } catch (error) {
      this.#end(ConnectError.from(error));
    }
  }

  #sends(message: Message): void {
    this.sent += 1;
    // Where they are many, a person has pressed as often.
    this.#add("out", this.method.input, message, toBinary(this.method.input, message).length);
  }

  #receives(message: Message): void {
    this.received += 1;
    this.firstAfter ??= this.#elapsed();
    this.#add("in", this.method.output, message, this.#sizes.shift() ?? 0);
  }

  #add(direction: Passed["direction"], desc: DescMessage, message: Message, size: number): void {
    const number = direction === "out" ? this.sent : this.received;
    this.#passed.add({ number, direction, message, desc, size, after: this.#elapsed() });
    this.#tell();
  }

  #end(error: ConnectError | undefined): void {
    this.endedAfter = this.#elapsed();
    this.error = error;
    if (error) this.trailer ??= error.metadata;
    this.isFinished = true;
    this.#outbox.end();
    this.#unwait();
    this.#tell();
  }

  #elapsed(): number {
    return performance.now() - this.#clock;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
