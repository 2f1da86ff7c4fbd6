// One connection: a WebSocket, the protocol's state on it, and the time that passes for it.

import { Code, ConnectError } from "@connectrpc/connect";
import type { Event, GoAway, Greeting, Identity as IdentityFrame } from "../gen/rpc/v1/frame_pb.js";
import type { WebSocketLike } from "../options.js";
import type { Call } from "../protocol/call.js";
import { ClientConnection, type ConnectionEvents } from "../protocol/client.js";
import { CloseCode, ConnectionFault, closeText } from "../protocol/close.js";
import type { Limits } from "../protocol/limits.js";
import type { Environment } from "./environment.js";
import { statusError } from "./errors.js";
import type { Return } from "./session.js";

/** The protocol's name, and the one that says that a client comes back. */
export const SUBPROTOCOL = "rpc.v1";
export const RESUMES = "rpc.v1.resume";

/** So many bytes wait in the WebSocket at most before others wait outside, where they can be taken back. */
const MOST_BUFFERED = 256 << 10;

/** A WebSocket does not tell when it has sent: it is looked at again after so many milliseconds. */
const LOOK_AGAIN = 10;

/** What a link tells the connection that it belongs to. */
export interface LinkEvents {
  onGreeted(link: Link, greeting: Greeting): void;
  onClosed(link: Link, code: number, reason: string): void;
  onGoAway(link: Link, goAway: GoAway, notRun: Call[]): void;
  /** The server says who the client is; `answers`: to what it was shown. */
  onIdentity(link: Link, identity: IdentityFrame, answers: Shown | undefined): void;
  onEvent(link: Link, event: Event): void;
}

/** A token that was shown on a live connection, or a sign-out. */
interface Shown {
  readonly token: string;
  /** Which of the program's changes it is; 0 where it is none. */
  readonly change: number;
  readonly resolve: (identity: IdentityFrame) => void;
  readonly reject: (error: ConnectError) => void;
}

/** One connection. */
export class Link implements ConnectionEvents {
  readonly protocol: ClientConnection;
  /** The WebSocket was opened. */
  isOpened = false;
  /** It was made to come back to a session, and its handshake shows who the client is, too. */
  isProvenReturn = false;
  /** When the server has greeted. */
  greetedAt: number | undefined;
  /** No calls go here any more: it is closed when its calls are over. */
  draining = false;

  readonly #shown = new Map<bigint, Shown>();
  #closed = false;
  #stopTimer = () => {};
  #timerAt = Number.POSITIVE_INFINITY;
  #looksAgain = false;

  constructor(
    readonly socket: WebSocketLike,
    limits: Limits,
    keepAlive: number,
    readonly world: Environment,
    readonly link: LinkEvents,
    back: Return | undefined,
    /** What is to be shown once the server has greeted. */
    readonly token: string,
  ) {
    this.protocol = new ClientConnection(limits, this, keepAlive, world.now());
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.isOpened = true;
      if (socket.protocol === SUBPROTOCOL) this.#run(() => this.protocol.greet(back?.token, back?.received));
    };
    socket.onmessage = ({ data }: { data: unknown }) => {
      this.#run(() => {
        if (typeof data === "string")
          throw new ConnectionFault(CloseCode.protocolViolated, "the server has sent a text message");
        this.protocol.handleMessage(new Uint8Array(data as ArrayBuffer), this.world.now());
      });
    };
    let problem = "";
    socket.onerror = ({ message }: { message?: unknown }) => {
      // Browsers say nothing here; others do.
      if (typeof message === "string") problem = message;
    };
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => this.#end(code, reason || problem);
  }

  /** Runs what may break the protocol, and arms the timer for what it has changed. */
  #run(work: () => void): void {
    if (this.#closed) return;
    try {
      work();
    } catch (error) {
      if (!(error instanceof ConnectionFault)) throw error;
      this.close(error.code, error.message);
      return;
    }
    this.arm();
    if (this.draining && this.isIdle) this.close(CloseCode.normal, "");
  }

  /** Sees to it that what is due is done. */
  arm(): void {
    const { deadline } = this.protocol;
    if (this.#closed || this.#timerAt <= deadline) return;
    this.#stopTimer();
    this.#timerAt = deadline;
    this.#stopTimer = this.world.later(() => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#run(() => this.protocol.handleTimeout(this.world.now()));
    }, deadline - this.world.now());
  }

  /** Asks the server whether it is still there. */
  probe(): void {
    this.#run(() => this.protocol.probe(this.world.now()));
    // The answer is awaited for less time than silence was.
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.arm();
  }

  /** Its calls, sent or not. */
  get calls(): Call[] {
    return [...this.protocol.sender.open.values(), ...this.protocol.sender.pending];
  }

  /** Whether nothing is awaited here. */
  get isIdle(): boolean {
    return this.protocol.sender.open.size === 0 && this.protocol.sender.pending.length === 0 && this.#shown.size === 0;
  }

  /** Whether the program has asked for another identity, of which the server may have heard or not. */
  get isUnsettled(): boolean {
    return [...this.#shown.values()].some((shown) => shown.change > 0);
  }

  /** Nothing new goes here. */
  drain(): void {
    this.draining = true;
    this.#run(() => {});
  }

  /** Gives a call up. */
  cancel(call: Call): void {
    this.#run(() => this.protocol.receiver.cancel(call));
  }

  /** Shows a token, or signs out without one. Resolves when the server has accepted it. */
  authenticate(purpose: number, token: string, change: number): Promise<IdentityFrame> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new ConnectError("the connection was lost", Code.Unavailable);
      const id = this.protocol.authenticate(purpose, token);
      this.#shown.set(id, { token, change, resolve, reject });
    });
  }

  /**
   * Closes, and ends everything that is awaited here. A browser sends no other codes than 1000 and those from 3000 on. Where the server does
   * not answer, no close frame is sent: it would end the session if it arrived after all.
   */
  close(code: number, reason: string): void {
    if (this.#closed) return;
    if (code !== CloseCode.abnormal) this.hangUp(code, reason);
    this.#end(code, reason);
  }

  /** Closes the WebSocket, of which nothing is awaited any more. */
  hangUp(code: number = CloseCode.normal, reason = ""): void {
    this.socket.close(
      code,
      new TextDecoder().decode(new TextEncoder().encode(reason).subarray(0, 120)).replace(/\ufffd$/, ""),
    );
  }

  #end(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopTimer();
    const error = new ConnectError(closeText(code, reason), Code.Unavailable);
    for (const shown of this.#shown.values()) shown.reject(error);
    this.link.onClosed(this, code, reason);
  }

  // What the protocol tells.

  write(message: Uint8Array<ArrayBuffer>): void {
    if (!this.#closed) this.socket.send(message);
  }

  room(): number {
    return MOST_BUFFERED - this.socket.bufferedAmount;
  }

  onBlocked(): void {
    if (this.#looksAgain) return;
    this.#looksAgain = true;
    this.world.later(() => {
      this.#looksAgain = false;
      this.#run(() => this.protocol.sender.flush());
    }, LOOK_AGAIN);
  }

  onGreeting(greeting: Greeting): void {
    this.greetedAt = this.world.now();
    this.link.onGreeted(this, greeting);
  }

  onGoAway(goAway: GoAway, notRun: Call[]): void {
    this.link.onGoAway(this, goAway, notRun);
  }

  onIdentity(identity: IdentityFrame): void {
    const shown = this.#shown.get(identity.requestId);
    this.#shown.delete(identity.requestId);
    const error = identity.status?.code ? statusError(identity.status) : undefined;
    this.link.onIdentity(this, identity, error ? undefined : shown);
    if (error) shown?.reject(error);
    else shown?.resolve(identity);
  }

  onEvent(event: Event): void {
    this.link.onEvent(this, event);
  }
}
