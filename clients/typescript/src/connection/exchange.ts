// One call as the program makes it, over all the times that it is sent.

import { Code, ConnectError } from "@connectrpc/connect";
import { markAsUncertain } from "../errors.js";
import type { End, Metadata, Response } from "../gen/rpc/v1/frame_pb.js";
import { type Budget, Call, type CallEvents, type CallRequest } from "../protocol/call.js";
import { CloseCode } from "../protocol/close.js";
import { closeError, statusError } from "./errors.js";
import type { Link } from "./link.js";

/** So often a call is sent again because its connection was lost. */
const MOST_LOST = 3;

/** What kind of call it is. */
export interface Shape {
  /** The response is a stream. */
  readonly responses: boolean;
  /** It may be sent again although it may have run. */
  readonly idempotent: boolean;
}

/** Why a call has no answer. */
export type Loss = { readonly code: number; readonly reason: string } | "not-run";

/** What a call asks of the connection. */
export interface Keeper {
  readonly budget: Budget;
  /** It waits for a link, and is given up. */
  forget(exchange: Exchange): void;
  /** It has ended because the server goes away. Whether it is sent again. */
  sendAgain(exchange: Exchange, loss: Loss): boolean;
}

/**
 * One call. It begins at once, and is read by `opened`, `next` and `trailers`. An unary response is read as a stream of one message.
 */
export class Exchange implements CallEvents {
  /** The attempt that counts. */
  call: Call;
  /** Where it was given to; `undefined` while it waits for a connection. */
  link: Link | undefined;
  /** Initial metadata, once `opened` has resolved. */
  header: Metadata[] = [];
  /** Trailing metadata, once everything was read. */
  trailers: Metadata[] = [];

  readonly #inbox: { readonly body: Uint8Array; readonly cost: number }[] = [];
  #isOpened = false;
  #isOver = false;
  #error: ConnectError | undefined;
  #lost = 0;
  /** It has ended on this side, and the server may have run it. */
  #mayHaveRun = false;
  /** So many wait for messages. */
  #readers = 0;
  /** Wakes whoever waits for something to come, or to leave. */
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  constructor(
    readonly keeper: Keeper,
    readonly request: CallRequest,
    readonly shape: Shape,
  ) {
    this.call = new Call(request, this, keeper.budget);
  }

  // What the program does.

  /** Resolves when the response begins; rejects where there is none. */
  async opened(): Promise<void> {
    while (!this.#isOpened && !this.#isOver) await this.#comes();
    if (!this.#isOpened && this.#error) throw this.#error;
  }

  /** The next message, if it has come and nobody waits for it. */
  take(): Uint8Array | undefined {
    return this.#readers === 0 ? this.#shift() : undefined;
  }

  #shift(): Uint8Array | undefined {
    const item = this.#inbox.shift();
    if (item) this.link?.protocol.receiver.consumed(this.call, item.cost);
    return item?.body;
  }

  /** The next message; `undefined` at the end. */
  async next(): Promise<Uint8Array | undefined> {
    this.#readers += 1;
    try {
      return await this.#next();
    } finally {
      this.#readers -= 1;
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const body = this.#shift();
      if (body) return body;
      if (this.#error) throw this.#error;
      if (this.#isOver) return undefined;
      await this.#comes();
    }
  }

  #comes(): Promise<void> {
    return new Promise((resolve) => {
      const before = this.#wakeReader;
      this.#wakeReader = () => {
        before?.();
        resolve();
      };
    });
  }

  /** Sends a message, and resolves when it has left: whether there may be another one. */
  async send(body: Uint8Array): Promise<boolean> {
    if (!this.#takesMore) return false;
    await new Promise<void>((resolve) => {
      this.#wakeWriter = resolve;
      if (this.link) {
        this.link.protocol.send(this.call, body);
      } else {
        // It waits for a connection with its call.
        this.call.rest = body;
        this.call.queue(body.length);
      }
    });
    return this.#takesMore;
  }

  get #takesMore(): boolean {
    return this.call.sending === "open" && !this.#isOver;
  }

  /** What the program gives next; `undefined` as soon as no more is taken, whatever it gives then. Not while a message is being sent. */
  orShut<T>(given: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const wake = () => {
        if (!this.#takesMore) resolve(undefined);
      };
      this.#wakeWriter = wake;
      wake();
      given.then(resolve, reject);
    });
  }

  /** Half-closes. */
  finish(): void {
    if (this.link) this.link.protocol.sender.finish(this.call);
    else if (this.call.sending === "open") this.call.sending = "finishing";
  }

  /** Gives the call up, for a reason that is mostly an error. */
  cancel(reason: unknown): void {
    if (this.#isOver) return;
    this.#judge();
    if (this.link) this.link.cancel(this.call);
    else this.keeper.forget(this);
    this.#inbox.length = 0;
    this.#end(this.marked(ConnectError.from(reason, Code.Canceled)));
  }

  /** It ends without an answer: it may have run where it was sent, now or to a connection that was lost. */
  #judge(): void {
    const { phase } = this.call;
    this.#mayHaveRun = this.#lost > 0 || (phase !== "pending" && phase !== "over");
  }

  /** An error that it ends with, by which a program learns whether it may have run. */
  marked<E>(error: E): E {
    return this.#mayHaveRun ? markAsUncertain(error) : error;
  }

  // What becomes of it.

  /** The connection is gone, or the server goes away. Whether it is to be sent again, which needs that the client comes back. */
  isLost(loss: Loss, comesBack: boolean): boolean {
    const { call } = this;
    const wasSent = loss !== "not-run" && call.phase !== "pending";
    if (call.phase === "pending" && comesBack) {
      this.link = undefined;
      return true;
    }
    const mayRepeat =
      !this.request.open && (!wasSent || (this.shape.idempotent && !this.#isOpened && this.#lost < MOST_LOST));
    call.shut();
    if (mayRepeat && comesBack) {
      this.#lost += wasSent ? 1 : 0;
      this.link = undefined;
      this.call = new Call(this.request, this, this.keeper.budget);
      return true;
    }
    const { code, reason } = loss === "not-run" ? { code: CloseCode.goingAway, reason: "" } : loss;
    this.#mayHaveRun = wasSent || this.#lost > 0;
    this.#end(
      this.marked(closeError(code, reason, this.#mayHaveRun ? "; the call may have run" : "; the call has not run")),
    );
    return false;
  }

  /** It is over, for a reason of this side's that others may share. */
  fail({ rawMessage, code }: ConnectError): void {
    this.#judge();
    this.call.shut();
    this.#end(this.marked(new ConnectError(rawMessage, code)));
  }

  onOpened(response: Response): void {
    if (!this.shape.responses) {
      this.cancel(
        new ConnectError("the server answers with a stream, which this call does not read", Code.Unimplemented),
      );
      return;
    }
    this.#begin(response);
    this.#wake();
  }

  onMessage(body: Uint8Array, cost: number): void {
    this.#inbox.push({ body, cost });
    this.#wake();
  }

  onResponse(response: Response): void {
    if (this.shape.responses) {
      this.#mayHaveRun = true;
      const error = new ConnectError("the server answers with one message, and not with a stream", Code.Unimplemented);
      this.#end(this.marked(error));
      return;
    }
    this.#begin(response);
    this.trailers = response.trailers;
    this.#inbox.push({ body: response.body, cost: 0 });
    this.#end(undefined);
  }

  onEnd(end: End, givenUp = false): void {
    const { status } = end;
    const stopped = status?.code === Code.Unavailable && this.link?.protocol.goingAway;
    if (stopped && this.shape.idempotent && this.keeper.sendAgain(this, { code: 1001, reason: status.message })) return;
    this.trailers = end.trailers;
    this.#mayHaveRun = givenUp;
    this.#end(status?.code ? this.marked(statusError(status, this.header, end.trailers)) : undefined);
  }

  onStopSending(): void {
    this.#wakeWriter?.();
  }

  onWritable(): void {
    this.#wakeWriter?.();
  }

  #begin(response: Response): void {
    this.header = response.metadata;
    this.#isOpened = true;
  }

  #end(error: ConnectError | undefined): void {
    this.#error ??= error;
    this.#isOver = true;
    this.#wake();
    this.#wakeWriter?.();
  }

  #wake(): void {
    const wake = this.#wakeReader;
    this.#wakeReader = undefined;
    wake?.();
  }
}
