// The transport: Connect's calls over one WebSocket, and what belongs to the connection itself.

import type { Transport } from "@connectrpc/connect";
import type { Hub } from "./hub/hub.js";
import type { WebSocketTransportOptions } from "./options.js";
import type { ConnectionState, Identity } from "./state.js";

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
 * A Connect transport over a WebSocket, made by {@link createWebSocketTransport}. All four kinds of calls run over it, also from a
 * browser.
 *
 * **While there is no connection** calls wait for one, as long as their deadlines allow. A call that was on its way when the
 * connection was lost fails with UNAVAILABLE, and {@link mayHaveRun} says whether the server may have run it; one whose method is
 * declared idempotent (`idempotency_level`) is sent again instead, unless something of its answer had come.
 *
 * **Giving a call up**: abort its `signal`. Mind that leaving a `for await` over a stream of Connect's client does *not* end the call:
 * Connect 2 hides `return` from transports. Use {@link subscribe}, or abort a signal.
 */
export interface WebSocketTransport extends Transport {
  /** How the connection stands. */
  readonly state: ConnectionState;
  /** Who the client is. */
  readonly identity: Identity;
  /** The server's hub: channels, presence, history, and what is sent to this client. */
  readonly hub: Hub;

  /** Resolves when the connection is open. Rejects when the transport is closed, or with the signal's reason. */
  ready(signal?: AbortSignal): Promise<void>;

  /**
   * Shows a token on the live connection: an anonymous client becomes known, a known one stays known for longer. Waits for a
   * connection. What is called afterwards runs under the new identity, whether or not the promise was awaited. An accepted token is
   * shown on later connections too, unless `token` is a function, which is asked instead.
   *
   * Rejects with the server's status, mostly UNAUTHENTICATED, when the token is refused: who the client is has not changed then.
   * Another user's token closes the connection for good (4503): that is {@link changeUser}.
   */
  authenticate(token: string): Promise<Identity>;

  /** Becomes another user on the live connection. Otherwise like {@link authenticate}. */
  changeUser(token: string): Promise<Identity>;

  /**
   * Becomes anonymous, on this connection and on later ones: nothing is shown from now on, and a `token` function is not asked, until
   * {@link authenticate} or {@link changeUser} succeeds.
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

/**
 * Makes a transport for Connect's `createClient`. It begins to connect at once.
 *
 * ```ts
 * const transport = createWebSocketTransport({ url: "/rpc" });
 * const tasks = createClient(TaskService, transport);
 * const { items } = await tasks.getAllTask({});
 * ```
 *
 * Throws a `TypeError` where the URL is none, or there is no WebSocket.
 */
export function createWebSocketTransport(options: WebSocketTransportOptions): WebSocketTransport {
  throw new TypeError(`this skeleton has no engine yet, and cannot connect to ${String(options.url)}`);
}
