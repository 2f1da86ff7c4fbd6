// The client's end of a connection, without any IO: what is sent of the connection's own, and what frames mean that come. What comes of
// calls is the receiver's.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Event, GoAway, Greeting, GreetingSchema, Identity } from "../gen/rpc/v1/frame_pb.js";
import type { Call } from "./call.js";
import { Flow } from "./flow.js";
import { decode, type Incoming, RESOURCE_EXHAUSTED, unexpected } from "./frame.js";
import { DEFAULTS, type Limits, peerLimits, toNumber } from "./limits.js";
import { Liveness } from "./liveness.js";
import { Receipts } from "./receipts.js";
import { Receiver } from "./receiver.js";
import { type Output, Sender } from "./sender.js";

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
  /** What comes of its calls. */
  readonly receiver: Receiver;
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
    this.#flow = new Flow(limits.maxPendingBytes, (bytes) => this.sender.credit(0, bytes));
    this.sender = new Sender(events, this.#flow);
    this.receiver = new Receiver(limits.maxBodyBytes, this.#flow, this.sender);
  }

  // What is sent.

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
    if (why !== undefined) this.receiver.giveUp(call, RESOURCE_EXHAUSTED, why);
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
    else this.receiver.onFrame(frame, this.sender.open.get(id));
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
    for (const call of notRun) this.receiver.close(call);
    notRun.push(...this.sender.pending);
    this.sender.pending = [];
    this.events.onGoAway(goAway, notRun);
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
