// The transport without its hub: Connect's calls over one WebSocket, and what belongs to the connection itself.

import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { Calls } from "./calls.js";
import type { Connection } from "./connection/connection.js";
import { Purpose } from "./connection/identity.js";
import { share } from "./connection/shared.js";
import { onDispose } from "./dispose.js";
import { Emitter } from "./emitter.js";
import type { WebSocketTransportOptions } from "./options.js";
import { CloseCode } from "./protocol/close.js";
import type { ClosedState, ConnectionState, Identity } from "./state.js";

/** What a transport tells a program, by name. */
export interface TransportEvents {
  /** The connection stands otherwise. */
  state: ConnectionState;
  /** The client is someone else, or known for longer, or its identity ends soon. */
  identity: Identity;
  /**
   * Something failed that no call waits for: the function that gives tokens, or a refresh of the identity. The transport goes on, and
   * tries again.
   */
  error: unknown;
}

/**
 * A Connect transport over a WebSocket, made by `createWebSocketTransport`. All four kinds of calls run over it, also from a
 * browser.
 *
 * **While there is no connection** calls wait for one, as long as their deadlines allow. A call that was on its way when the
 * connection was lost fails with UNAVAILABLE, and {@link mayHaveRun} says whether the server may have run it; one whose method is
 * declared idempotent (`idempotency_level`) is sent again instead, unless something of its answer had come. Of a call that was given
 * up, by its signal, its timeout or {@link CallTransport.close}, {@link mayHaveRun} says that too.
 *
 * **Giving a call up**: abort its `signal`. Mind that leaving a `for await` over a stream of Connect's client does *not* end the call:
 * Connect 2 hides `return` from transports. Use {@link subscribe}, or abort a signal.
 */
export interface CallTransport extends Transport {
  /** How the connection stands. */
  readonly state: ConnectionState;
  /** Who the client is. */
  readonly identity: Identity;

  /** Resolves when the connection is open. Rejects when the transport is closed, or with the signal's reason. */
  ready(signal?: AbortSignal): Promise<void>;

  /** Begins the next attempt to connect at once, where the transport waits for it; otherwise nothing. */
  reconnect(): void;

  /**
   * Shows a token on the live connection: an anonymous client becomes known, a known one stays known for longer. Waits for a
   * connection. What is called afterwards runs under the new identity, whether or not the promise was awaited. An accepted token is
   * shown on later connections too, unless `token` is a function, which is asked instead.
   *
   * Rejects with the server's status, mostly UNAUTHENTICATED, when the token is refused: who the client is has not changed then. Rejects
   * with CANCELED when the transport is closed: a token that waits for a connection is not shown any more.
   * Another user's token closes the connection for good (4503): that is {@link changeUser}.
   */
  authenticate(token: string): Promise<Identity>;

  /** Becomes another user on the live connection. Otherwise like {@link authenticate}. */
  changeUser(token: string): Promise<Identity>;

  /**
   * Becomes anonymous, on this connection and on later ones: nothing is shown from now on, and a `token` function is not asked, until
   * {@link authenticate} or {@link changeUser} succeeds. Rejects only where the server refuses it; where the connection is lost
   * meanwhile it holds for the next one.
   */
  signOut(): Promise<void>;

  /**
   * Closes the transport for good: its calls end with CANCELED, its subscriptions end. The connection closes with the last transport
   * that shares it, with this code (1000 or 3000 to 4999, 1000 by default) and reason (at most 123 bytes). Closing twice does nothing.
   */
  close(code?: number, reason?: string): void;

  /**
   * Calls `callback` on each change, until the returned function is called. A callback that throws does not stop the others: the
   * error is reported like an uncaught one.
   */
  on<Name extends keyof TransportEvents>(name: Name, callback: (value: TransportEvents[Name]) => void): () => void;

  /** Does not call `callback` any more. */
  off<Name extends keyof TransportEvents>(name: Name, callback: (value: TransportEvents[Name]) => void): void;

  /** Closes the transport: for `using`. */
  [Symbol.dispose](): void;
}

/** The transport. */
export class SocketTransport implements CallTransport {
  protected readonly connection: Connection;
  readonly #release: (code: number, reason: string) => void;
  protected readonly calls: Calls;
  /** This transport's own callbacks: the connection's go on for those that share it. */
  readonly #events = new Emitter<TransportEvents>();
  readonly #offs: (() => void)[];
  /** It was closed, whatever becomes of the connection. */
  #closed: ClosedState | undefined;
  /** Ends what waits for the connection in this transport's name. */
  readonly #closing = new AbortController();

  readonly unary: Transport["unary"];
  readonly stream: Transport["stream"];
  declare [Symbol.dispose]: () => void;

  constructor(options: WebSocketTransportOptions) {
    [this.connection, this.#release] = share(options);
    this.calls = new Calls(this.connection, options);
    this.unary = this.calls.unary.bind(this.calls);
    this.stream = this.calls.stream.bind(this.calls);
    const { events } = this.connection;
    this.#offs = (["state", "identity", "error"] as const).map((name) =>
      events.on(name, (value) => this.#events.call(name, value)),
    );
    onDispose(this, () => this.close());
  }

  get state(): ConnectionState {
    return this.#closed ?? this.connection.state;
  }

  get identity(): Identity {
    return this.connection.identity;
  }

  async ready(signal?: AbortSignal): Promise<void> {
    this.#check();
    await this.connection.ready(signal, this.#closing.signal);
  }

  reconnect(): void {
    if (!this.#closed) this.connection.reconnect();
  }

  async authenticate(token: string): Promise<Identity> {
    this.#check();
    return this.connection.authenticate(Purpose.refresh, token, this.#closing.signal);
  }

  async changeUser(token: string): Promise<Identity> {
    this.#check();
    return this.connection.authenticate(Purpose.changeUser, token, this.#closing.signal);
  }

  async signOut(): Promise<void> {
    this.#check();
    return this.connection.signOut();
  }

  /** Ends what runs in this transport's name. */
  protected end(error: ConnectError): void {
    this.calls.close(error);
  }

  #check(): void {
    if (this.#closed) throw this.#closed.reason;
  }

  close(code: number = CloseCode.normal, reason = ""): void {
    if (this.#closed) return;
    if (code !== CloseCode.normal && !(code >= 3000 && code <= 4999))
      throw new RangeError(`a client closes with 1000 or 3000 to 4999, and not with ${code}`);
    const error = new ConnectError(
      reason ? `the transport was closed: ${reason}` : "the transport was closed",
      Code.Canceled,
    );
    const wasClosed = this.connection.state.status === "closed";
    this.#closed = { status: "closed", reason: error, closeCode: code };
    for (const off of this.#offs) off();
    this.#closing.abort(error);
    this.end(error);
    this.#release(code, reason);
    if (!wasClosed) this.#events.emit("state", this.#closed);
  }

  on<Name extends keyof TransportEvents>(name: Name, callback: (value: TransportEvents[Name]) => void): () => void {
    return this.#events.on(name, callback);
  }

  off<Name extends keyof TransportEvents>(name: Name, callback: (value: TransportEvents[Name]) => void): void {
    this.#events.off(name, callback);
  }
}
