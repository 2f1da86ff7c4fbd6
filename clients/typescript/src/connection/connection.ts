// The connection behind transports: one at a time, made again when it is lost.
//
// Owns which link there is, what is seen of it from outside, and when it ends for good.

import { base64Encode } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";
import { Emitter } from "../emitter.js";
import type { Event, GoAway, Greeting, Identity as IdentityFrame } from "../gen/rpc/v1/frame_pb.js";
import type { WebSocketConstructor, WebSocketLike, WebSocketTransportOptions } from "../options.js";
import type { Call } from "../protocol/call.js";
import { CloseCode, mayReturn } from "../protocol/close.js";
import { DEFAULTS, type Limits } from "../protocol/limits.js";
import type { ConnectionState, Identity } from "../state.js";
import type { TransportEvents } from "../transport.js";
import { Awaiting } from "./awaiting.js";
import { Backoff } from "./backoff.js";
import { Credentials, refusalCode } from "./credentials.js";
import { Dispatch, type Standing } from "./dispatch.js";
import type { Environment } from "./environment.js";
import { closeError, closeStatus } from "./errors.js";
import type { Exchange } from "./exchange.js";
import { identityOf, Purpose } from "./identity.js";
import { Link, type LinkEvents, RESUMES, SUBPROTOCOL } from "./link.js";
import type { Listener } from "./listener.js";
import { Refresher } from "./refresh.js";
import { Session } from "./session.js";

/** A connection that has lived so long was a success, and waiting begins anew after it. */
const SUCCESS = 5_000;

const CONNECT_TIMEOUT = 10_000;
const KEEP_ALIVE = 25_000;
const MAX_PENDING_BYTES = 16 << 20;

/** The connection. It begins to connect at once. */
export class Connection implements LinkEvents, Standing {
  readonly events = new Emitter<TransportEvents>();
  state: ConnectionState = { status: "connecting", failedAttempts: 0 };
  identity: Identity = { userId: undefined, expiresAt: undefined, expiresSoon: false, authenticationRequired: false };
  /** The hub, once there is one. */
  listener: Listener | undefined;
  readonly calls = new Dispatch(this);
  /** Where calls go. */
  link: Link | undefined;

  readonly #limits: Limits;
  readonly #credentials: Credentials;
  readonly #session: Session;
  readonly #backoff: Backoff;
  readonly #connectTimeout: number;
  #dialling: Link | undefined;
  /** The next connection shows its token behind the handshake, and not in it. */
  #inBand = false;
  /** Old links that finish their calls, or that are kept from sending a close frame. */
  readonly #old = new Set<Link>();
  /** What waits for a link and is no call. */
  readonly #awaiting = new Awaiting();
  /** Counts attempts: what belongs to an older one does not count. */
  #attempt = 0;
  #stopTimer = () => {};
  /** The server has said that it answers nobody whom it does not know. */
  #mustBeKnown = false;
  readonly #unwatch: () => void;
  /** Shows fresh tokens where calls go. */
  #refresher: Refresher | undefined;

  constructor(
    readonly url: string,
    readonly options: WebSocketTransportOptions,
    readonly webSocket: WebSocketConstructor,
    readonly world: Environment,
  ) {
    const maxBodyBytes = options.maxMessageBytes ?? DEFAULTS.maxBodyBytes;
    this.#limits = { maxBodyBytes, maxPendingBytes: Math.max(MAX_PENDING_BYTES, 4 * maxBodyBytes) };
    this.#connectTimeout = options.connectTimeoutMs ?? CONNECT_TIMEOUT;
    this.#credentials = new Credentials(options.token, this.#connectTimeout, world);
    this.#session = new Session(options.resume ?? true);
    this.#backoff = new Backoff(options.reconnect, world);
    this.#unwatch = world.watch(
      () => this.#wake(),
      () => this.link?.probe(),
    );
    void this.#dial();
  }

  /** Whether there is another connection behind one that is lost. */
  get comesBack(): boolean {
    return this.#backoff.comesBack && this.state.status !== "closed";
  }

  /** Resolves when the connection is open; rejects when it is closed for good, or one of the signals aborts. */
  ready(...signals: (AbortSignal | undefined)[]): Promise<void> {
    return this.#whenOpen(async () => {}, signals);
  }

  #whenOpen<T>(work: (link: Link) => Promise<T>, signals: readonly (AbortSignal | undefined)[]): Promise<T> {
    const { state, link } = this;
    return this.#awaiting.add(work, signals, state.status === "closed" ? state.reason : link);
  }

  // Making connections.

  async #dial(): Promise<void> {
    this.#attempt += 1;
    const attempt = this.#attempt;
    const begun = this.world.now();
    this.#setState({ status: "connecting", failedAttempts: this.#backoff.failed });
    let token: string;
    try {
      token = await this.#credentials.show();
    } catch (error) {
      this.events.emit("error", error);
      if (attempt === this.#attempt)
        this.#wait(closeError(CloseCode.abnormal, `there is no token: ${ConnectError.from(error).rawMessage}`));
      return;
    }
    if (attempt !== this.#attempt) return;
    const back = this.#session.toReturn(this.world.now());
    const protocols = [SUBPROTOCOL];
    if (back) protocols.push(RESUMES);
    if (token && !this.#inBand) protocols.push(`bearer.${base64Encode(new TextEncoder().encode(token), "url")}`);
    let socket: WebSocketLike;
    try {
      socket = new this.webSocket(this.url, protocols);
    } catch (error) {
      // Such as a page of https that would use ws: it will not go better another time.
      this.#finish(ConnectError.from(error, Code.FailedPrecondition), CloseCode.abnormal);
      return;
    }
    const keepAlive = this.options.keepAliveMs ?? KEEP_ALIVE;
    const link = new Link(socket, this.#limits, keepAlive, this.world, this, back, this.#inBand ? token : "");
    link.isProvenReturn = back !== undefined && token !== "" && !this.#inBand;
    this.#dialling = link;
    // A handshake that is refused for its token looks like a server that is not there: shown next time behind it, the token is answered.
    this.#inBand = token !== "";
    this.#stopTimer = this.world.later(
      () => link.close(CloseCode.abnormal, `no answer within ${this.#connectTimeout} ms`),
      Math.max(begun + this.#connectTimeout - this.world.now(), 0),
    );
  }

  onGreeted(link: Link, greeting: Greeting): void {
    this.#mustBeKnown = greeting.authenticationRequired;
    if (link.token && !greeting.resumed) {
      link.authenticate(Purpose.refresh, link.token, 0).then(
        ({ userId, expiresInUs }) => this.#open(link, { ...greeting, userId, identityExpiresInUs: expiresInUs }),
        (error) => link.close(refusalCode(error), `the token was refused: ${error.rawMessage}`),
      );
    } else {
      this.#open(link, greeting);
    }
  }

  #open(link: Link, greeting: Greeting): void {
    if (link !== this.#dialling) return;
    this.#stopTimer();
    this.#inBand = false;
    this.#dialling = undefined;
    // What was kept from sending close frames may do so now: the server knows which connection is the session's.
    for (const old of this.#old) if (!old.draining) this.#old.delete(old) && old.hangUp();
    if (this.#session.greeted(greeting)) link.protocol.acknowledgeToken();
    this.link = link;
    this.#refresher = new Refresher(
      this.#credentials,
      this.world,
      () => link === this.link,
      (token) => link.authenticate(Purpose.refresh, token, 0),
      (error) => this.events.emit("error", error),
    );
    this.#setIdentity({
      ...identityOf(this, greeting.userId, greeting.identityExpiresInUs, false),
      authenticationRequired: greeting.authenticationRequired,
    });
    // Whatever the program has called behind an authentication goes out behind it.
    this.#awaiting.open(link);
    this.listener?.onLink(true, Number(greeting.eventsAgain), greeting.resumed);
    this.#setState({ status: "open", clientId: greeting.clientId, resumed: greeting.resumed });
    this.calls.open();
  }

  onClosed(link: Link, code: number, reason: string): void {
    const isCurrent = link === this.link || link === this.#dialling;
    this.#old.delete(link);
    if (code === CloseCode.abnormal) {
      // A close frame that arrives before the client is back would end the session, which only a link that was open has.
      if (link === this.link && this.state.status !== "closed") this.#old.add(link);
      else link.hangUp();
    }
    // Where there is no token but the one that has expired, the server would not hear who comes back.
    const isOver = code === CloseCode.tokenExpired && this.#mustBeKnown && !this.#credentials.isAsked;
    // The session is another's, or the token another user's: that user comes without it.
    const comesAlone = code === CloseCode.resumeRefused && link.isProvenReturn;
    if (comesAlone) this.#session.forget();
    const comesBack = this.comesBack && (!isCurrent || comesAlone || (mayReturn(code) && !isOver));
    this.calls.lose(link.calls, { code, reason }, comesBack);
    if (!isCurrent) return;
    const now = this.world.now();
    this.#session.ended(code, link.protocol.receipts?.received ?? 0, !link.isUnsettled, now);
    if (link.isOpened) this.#inBand = false;
    if (code === CloseCode.tokenExpired) this.#credentials.expired();
    this.#forgive(link);
    this.#stopTimer();
    this.link = undefined;
    this.#dialling = undefined;
    this.#refresher?.stop();
    this.listener?.onLink(false, 0);
    const error = closeError(code, reason);
    if (comesBack) this.#wait(error, code);
    else this.#finish(closeError(code, reason, "", closeStatus(code)), code);
  }

  onGoAway(link: Link, goAway: GoAway, notRun: Call[]): void {
    const comesBack = this.comesBack;
    const isCurrent = (link === this.link || link === this.#dialling) && comesBack;
    const error = closeError(CloseCode.goingAway, goAway.reason);
    const asked = Number(goAway.returnAfterUs) / 1_000;
    if (isCurrent) {
      // The session ends with the connection that drains: no attempt that fails meanwhile makes it one to come back to.
      if (link === this.link) this.#session.forget();
      this.link = undefined;
      this.#dialling = undefined;
      this.#old.add(link);
    }
    this.calls.lose(notRun, "not-run", comesBack);
    if (!isCurrent) return;
    this.#refresher?.stop();
    this.listener?.onLink(false, 0);
    this.#forgive(link);
    this.#wait(error, CloseCode.goingAway, asked);
    link.drain();
  }

  /** Attempts that failed before a connection that has lived do not count any more. */
  #forgive(link: Link): void {
    if (link.greetedAt !== undefined && this.world.now() - link.greetedAt >= SUCCESS) this.#backoff.failed = 0;
  }

  /** Comes back after a while, unless it has tried often enough. */
  #wait(reason: ConnectError, closeCode: number = CloseCode.abnormal, atLeast = 0): void {
    const wait = this.#backoff.next(atLeast);
    if (wait === undefined) {
      this.#finish(reason, closeCode);
      return;
    }
    this.#retry(wait);
    const retryAt = new Date(this.world.date() + wait);
    this.#setState({ status: "waiting", failedAttempts: this.#backoff.failed, retryAt, reason, closeCode });
  }

  #retry(wait: number): void {
    this.#stopTimer();
    this.#stopTimer = this.world.later(() => void this.#dial(), wait);
  }

  /** Begins the next attempt now, where one is waited for. */
  reconnect(): void {
    if (this.state.status !== "waiting") return;
    this.#stopTimer();
    void this.#dial();
  }

  /** There is new hope for the network, or somebody looks. */
  #wake(): void {
    if (this.state.status === "waiting") {
      const wait = this.#backoff.soon();
      const retryAt = new Date(this.world.date() + wait);
      if (retryAt < this.state.retryAt) {
        this.#retry(wait);
        this.#setState({ ...this.state, retryAt });
      }
    } else {
      this.link?.probe();
    }
  }

  // Who the client is.

  onIdentity(link: Link, told: IdentityFrame, answers: { token: string; change: number } | undefined): void {
    if (answers?.change && answers.token) this.#credentials.accepted(answers.token, answers.change);
    if (link !== this.link) return;
    if (this.#session.renewed(told.resumeToken)) link.protocol.acknowledgeToken();
    this.#setIdentity(identityOf(this, told.userId, told.expiresInUs, told.expiresSoon));
    if (told.requestId === 0n && told.expiresSoon) void this.#refresher?.run();
  }

  #setIdentity(identity: Identity): void {
    const before = this.identity;
    this.identity = identity;
    if (JSON.stringify(before) !== JSON.stringify(identity)) this.events.emit("identity", identity);
  }

  /** Shows a token that the program gives, or signs out. */
  prove(purpose: number, token: string, change: number, signal?: AbortSignal): Promise<Identity> {
    return this.#whenOpen((link) => link.authenticate(purpose, token, change).then(() => this.identity), [signal]);
  }

  /** Shows a token, unless the signal aborts before there is a connection. */
  authenticate(purpose: number, token: string, signal?: AbortSignal): Promise<Identity> {
    return this.prove(purpose, token, this.#credentials.changes(), signal);
  }

  async signOut(): Promise<void> {
    this.#credentials.signOut();
    // The next connection shows nothing, and does not go on with who the session was.
    if (!this.link) this.#session.forget();
    if (!this.link && !this.#dialling) return;
    try {
      await this.prove(Purpose.signOut, "", this.#credentials.changes());
    } catch (error) {
      // Without a connection it holds all the same: the next one shows nothing, and the session is not asked for.
      if (this.link) throw error;
    }
  }

  // The end.

  /** Closes for good. */
  close(code: number, reason: string): void {
    const links = [this.link, this.#dialling, ...this.#old];
    this.#finish(
      new ConnectError(reason ? `the transport was closed: ${reason}` : "the transport was closed", Code.Canceled),
      code,
    );
    for (const link of links) link?.close(code, reason);
  }

  #finish(reason: ConnectError, closeCode: number): void {
    if (this.state.status === "closed") return;
    this.#attempt += 1;
    this.#stopTimer();
    this.#unwatch();
    this.#refresher?.stop();
    for (const old of this.#old) if (!old.draining) old.hangUp();
    const links = [this.link, this.#dialling, ...this.#old];
    this.link = undefined;
    this.#dialling = undefined;
    this.#setState({ status: "closed", reason, closeCode });
    this.calls.fail(reason);
    this.#awaiting.fail(reason);
    if (reason.code === Code.Canceled) {
      for (const link of links) for (const call of link?.calls ?? []) (call.events as Exchange).fail(reason);
    }
    this.listener?.onClosed(reason);
  }

  #setState(state: ConnectionState): void {
    this.state = state;
    this.events.emit("state", state);
  }

  onEvent(link: Link, event: Event): void {
    // One that drains is heard until there is another.
    if (link === (this.link ?? link)) this.listener?.onEvent(event);
  }
}
