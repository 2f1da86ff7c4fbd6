// The client's end of a connection, without any IO: what is sent, and what frames that come mean.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Data, End, Event, GoAway, Greeting, GreetingSchema, Identity, Response } from "../gen/rpc/v1/frame_pb.js";
import type { Call } from "./call.js";
import { CloseCode, ConnectionFault } from "./close.js";
import { creditTo, Flow, violated } from "./flow.js";
import { decode, ended, type Incoming, RESOURCE_EXHAUSTED } from "./frame.js";
import { allowsMetadata, DATA_FRAME_COST, DEFAULTS, type Limits, peerLimits, toNumber } from "./limits.js";
import { Liveness } from "./liveness.js";
import { Receipts } from "./receipts.js";
import { type Output, Sender } from "./sender.js";

const CANCELLED = 1;
const INTERNAL = 13;

/** What a connection is told, and where its frames go. */
export interface ConnectionEvents extends Output {
  onGreeting(greeting: Greeting): void;
  /** The server drains. These calls have not run and will not run. */
  onGoAway(goAway: GoAway, notRun: Call[]): void;
  onIdentity(identity: Identity): void;
  onEvent(event: Event): void;
}

/**
 * The client's end of a connection. Calls are started any time and leave when the server has greeted, in their order, as streams become
 * free and windows open. After an error nothing more is to be fed to it.
 */
export class ClientConnection {
  /** What it sends. */
  readonly sender: Sender;
  /** The server has said that it goes away. */
  goingAway = false;
  /** Where the server keeps the session. */
  receipts: Receipts | undefined;

  readonly #liveness: Liveness;
  readonly #flow: Flow;
  #greeted = false;
  /** The server requires that somebody is known, and nobody ever was. */
  #nobody = false;
  #cameBackWith = 0;
  #lastAuthentication = 0n;
  #pings = 0n;

  constructor(
    readonly limits: Limits,
    readonly events: ConnectionEvents,
    keepAlive: number,
    now: number,
  ) {
    this.#liveness = new Liveness(keepAlive, now);
    this.#flow = new Flow(limits.maxPendingBytes, (bytes) => this.#credit(0, bytes));
    this.sender = new Sender(events, this.#flow);
  }

  // What is sent.

  #credit(streamId: number, bytes: number): void {
    this.sender.write(streamId, { case: "credit", value: { bytes: BigInt(bytes) } });
  }

  /**
   * Introduces this client, where there is something to say: a session to come back to, or limits that are not the protocol's. Before the
   * server has greeted nothing else is sent.
   */
  greet(resumeToken = "", receivedFrames = 0): void {
    this.#cameBackWith = receivedFrames;
    const { maxBodyBytes, maxPendingBytes } = this.limits;
    const usual = maxBodyBytes === DEFAULTS.maxBodyBytes;
    if (usual && !resumeToken) return;
    const value: MessageInitShape<typeof GreetingSchema> = { resumeToken, receivedFrames: BigInt(receivedFrames) };
    if (!usual) value.limits = { maxBodyBytes: BigInt(maxBodyBytes), maxPendingBytes: BigInt(maxPendingBytes) };
    this.sender.write(0, { case: "greeting", value });
  }

  /** Sends a credential, or signs out. Gives the id by which the answer comes. */
  authenticate(purpose: number, token: string): bigint {
    this.#lastAuthentication += 1n;
    const requestId = this.#lastAuthentication;
    // What goes out behind a token that is accepted may be long, and need not wait for the answer.
    this.sender.isUnknown = false;
    const credential = new TextEncoder().encode(token);
    this.sender.write(0, {
      case: "authenticate",
      value: { requestId, scheme: token && "bearer", credential, purpose },
    });
    return requestId;
  }

  /** Says that the last resume token is stored. */
  acknowledgeToken(): void {
    this.#acknowledge(true);
  }

  #acknowledge(resumeToken: boolean): void {
    if (this.receipts)
      this.sender.write(0, { case: "acknowledgement", value: { receivedFrames: this.receipts.tell(), resumeToken } });
  }

  /** Sends a message of a call that is open: one at a time, `onWritable` says when there may be another. */
  send(call: Call, body: Uint8Array): void {
    const why = this.sender.send(call, body);
    if (why !== undefined) this.#giveUp(call, RESOURCE_EXHAUSTED, why);
  }

  /** Gives a call up: it is told nothing more. It may have run. */
  cancel(call: Call, code = CANCELLED): void {
    if (call.phase === "pending") {
      this.sender.pending = this.sender.pending.filter((other) => other !== call);
      this.#close(call);
    } else if (call.phase !== "over") {
      this.#close(call);
      this.sender.write(call.id, { case: "reset", value: { code } });
      this.#flow.widen();
      this.sender.flush();
    }
  }

  /** The program has taken messages of a call that cost so much together. */
  consumed(call: Call, cost: number): void {
    const taken = Math.min(cost, call.unconsumed);
    call.unconsumed -= taken;
    this.#flow.release(taken);
    this.#widen(call);
    this.#flow.widen();
  }

  #widen(call: Call): void {
    const size = DEFAULTS.streamWindowBytes;
    const credit = creditTo(size - call.unconsumed, call.receiveWindow, size);
    if (credit > 0 && call.phase !== "over") {
      call.receiveWindow += credit;
      this.#credit(call.id, credit);
    }
  }

  /** Forgets a call, with what it has waiting and what was not taken. */
  #close(call: Call): void {
    call.phase = "over";
    this.sender.open.delete(call.id);
    this.sender.abandon(call);
    this.#flow.release(call.unconsumed, call.partBytes);
    call.unconsumed = 0;
    call.partBytes = 0;
    call.parts = undefined;
  }

  // What comes.

  /** Takes one binary WebSocket message. Throws a {@link ConnectionFault} where the connection is to be closed. */
  handleMessage(message: Uint8Array, now: number): void {
    this.#liveness.onMessage(now);
    const frame = decode(message);
    if (this.receipts?.onFrame(frame.kind, now)) this.#acknowledge(false);
    const { id } = frame;
    if (id > this.sender.lastId) unexpected(frame);
    if (id === 0) this.#onConnectionFrame(frame, now);
    else this.#onStreamFrame(frame, this.sender.open.get(id));
    this.sender.flush();
  }

  #onConnectionFrame(frame: Incoming, now: number): void {
    const { kind } = frame;
    switch (kind.case) {
      case "greeting":
        if (this.#greeted) unexpected(frame);
        this.#greeted = true;
        this.sender.isOpen = true;
        this.#nobody = kind.value.authenticationRequired && !kind.value.userId;
        this.sender.isUnknown = this.#nobody && this.#lastAuthentication === 0n;
        this.sender.peer = peerLimits(kind.value);
        this.#flow.send = this.sender.peer.connectionWindowBytes;
        if (kind.value.resumeToken) {
          this.receipts = new Receipts(kind.value.resumed ? this.#cameBackWith : 0);
        }
        this.events.onGreeting(kind.value);
        return;
      case "credit":
        this.#flow.send = Math.min(this.#flow.send + toNumber(kind.value.bytes), Number.MAX_SAFE_INTEGER);
        return;
      case "ping":
        this.#liveness.onPing(now);
        this.sender.pong ??= kind.value.payload;
        return;
      case "goAway":
        this.#onGoAway(kind.value);
        return;
      case "identity":
        if (kind.value.requestId > this.#lastAuthentication) unexpected(frame);
        if (kind.value.userId || (kind.value.requestId > 0n && !kind.value.status?.code)) this.#nobody = false;
        // A token that is refused leaves nobody known, unless another one was shown behind it.
        this.sender.isUnknown = this.#nobody && kind.value.requestId === this.#lastAuthentication;
        this.events.onIdentity(kind.value);
        return;
      case "event":
        this.events.onEvent(kind.value);
        return;
      case "pong":
      case "acknowledgement":
      case undefined:
        return;
      default:
        unexpected(frame);
    }
  }

  #onGoAway(goAway: GoAway): void {
    this.goingAway = true;
    this.sender.isOpen = false;
    const notRun = [...this.sender.open.values()].filter(
      (call) => call.phase === "waiting" && BigInt(call.id) > goAway.lastStreamId,
    );
    for (const call of notRun) this.#close(call);
    notRun.push(...this.sender.pending);
    this.sender.pending = [];
    this.events.onGoAway(goAway, notRun);
  }

  #onStreamFrame(frame: Incoming, call: Call | undefined): void {
    const { kind } = frame;
    switch (kind.case) {
      case "response":
        this.#onResponse(frame, kind.value, call);
        return;
      case "data":
        this.#onData(frame, kind.value, call);
        return;
      case "end":
        if (call) this.#onEnd(frame, kind.value, call);
        return;
      case "reset":
        if (call) {
          const tell = call.sending === "open";
          this.sender.abandon(call);
          if (tell) call.events.onStopSending();
        }
        return;
      case "credit":
        if (call) {
          call.sendWindow = Math.min(call.sendWindow + toNumber(kind.value.bytes), Number.MAX_SAFE_INTEGER);
          this.sender.turn(call);
        }
        return;
      case undefined:
        return;
      default:
        unexpected(frame);
    }
  }

  #onResponse(frame: Incoming, response: Response, call: Call | undefined): void {
    const { body, open, more } = response;
    if (body.length > 0) this.#flow.take(body.length);
    if (open && (more || body.length > 0)) unexpected(frame);
    if (call && call.phase !== "waiting") unexpected(frame);
    if (!call || !allowsMetadata(response.metadata) || !allowsMetadata(response.trailers)) {
      if (call) this.#giveUp(call, RESOURCE_EXHAUSTED, "the metadata are longer than this client takes");
    } else if (open) {
      call.phase = "opened";
      call.events.onOpened(response);
    } else if (more) {
      call.phase = "assembling";
      call.response = response;
      this.#addPart(call, body, response.compression);
    } else if (this.#accepts(call, body.length, response.compression)) {
      this.#close(call);
      call.events.onResponse(response);
    }
    this.#flow.widen();
  }

  #onData(frame: Incoming, data: Data, call: Call | undefined): void {
    const cost = data.body.length + DATA_FRAME_COST;
    if (call?.phase === "waiting") unexpected(frame);
    if (call) {
      if (call.receiveWindow <= 0) violated();
      call.receiveWindow -= cost;
    }
    this.#flow.take(cost);
    if (!call) {
      this.#flow.widen();
      return;
    }
    let body = data.body;
    if (data.more || call.parts) {
      if (!this.#addPart(call, body, data.compression)) return;
      if (data.more) {
        this.#widen(call);
        this.#flow.widen();
        return;
      }
      body = join(call.parts as Uint8Array[], call.partBytes);
      call.parts = undefined;
      call.partBytes = 0;
      this.#flow.complete(body.length);
    } else if (this.#accepts(call, body.length, data.compression)) {
      this.#flow.hold(cost);
    } else {
      return;
    }
    call.unconsumed += body.length + DATA_FRAME_COST;
    if (call.response) {
      // What the program is given with the outcome counts as taken.
      this.#close(call);
      call.events.onResponse({ ...call.response, body });
    } else {
      call.events.onMessage(body, body.length + DATA_FRAME_COST);
    }
    this.#widen(call);
    this.#flow.widen();
  }

  /** Holds a part of a message. Whether it is wanted; else the call is over. */
  #addPart(call: Call, part: Uint8Array, compression: number): boolean {
    if (!this.#accepts(call, call.partBytes + part.length, compression)) return false;
    if (!this.#flow.holdPart(part.length)) {
      this.#giveUp(call, RESOURCE_EXHAUSTED, "too many long messages come at a time for this client");
      return false;
    }
    call.parts ??= [];
    call.parts.push(part);
    call.partBytes += part.length;
    return true;
  }

  /** Whether a message of so many bytes is wanted; else the call is over. */
  #accepts(call: Call, length: number, compression: number): boolean {
    if (length > this.limits.maxBodyBytes) {
      this.#giveUp(
        call,
        RESOURCE_EXHAUSTED,
        `a message is longer than this client takes: ${this.limits.maxBodyBytes} bytes`,
      );
    } else if (compression !== 0) {
      this.#giveUp(call, INTERNAL, "a message is compressed, which this client does not read");
    }
    return call.phase !== "over";
  }

  #giveUp(call: Call, code: number, message: string): void {
    this.cancel(call, code);
    call.events.onEnd(ended(code, message), true);
  }

  #onEnd(frame: Incoming, end: End, call: Call): void {
    const { phase } = call;
    // A call may fail in the middle of a message, but not go well.
    if (call.parts && !end.status?.code) unexpected(frame);
    this.#close(call);
    this.#flow.widen();
    if (!allowsMetadata(end.trailers)) {
      call.events.onEnd(ended(RESOURCE_EXHAUSTED, "the metadata are longer than this client takes"), true);
    } else if (phase !== "opened" && !end.status?.code) {
      call.events.onEnd(ended(INTERNAL, "the call ended without a response"), true);
    } else {
      call.events.onEnd(end);
    }
  }

  // Time.

  /** When {@link handleTimeout} has something to do. Messages only move it to later. */
  get deadline(): number {
    return Math.min(this.#liveness.deadline, this.receipts?.deadline ?? Number.POSITIVE_INFINITY);
  }

  /** Does what is due. Throws a {@link ConnectionFault} when the server is gone. */
  handleTimeout(now: number): void {
    if (now >= (this.receipts?.deadline ?? Number.POSITIVE_INFINITY)) this.#acknowledge(false);
    if (this.#liveness.onTimeout(now)) this.#ping();
  }

  /** Asks the server whether it is there: something suggests that it is not. */
  probe(now: number): void {
    if (this.#liveness.probe(now)) this.#ping();
  }

  #ping(): void {
    this.#pings += 1n;
    this.sender.write(0, { case: "ping", value: { payload: this.#pings } });
  }
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function unexpected(frame: Incoming): never {
  throw new ConnectionFault(
    CloseCode.protocolViolated,
    `the server has sent an unexpected ${frame.kind.case ?? "frame"}`,
  );
}
