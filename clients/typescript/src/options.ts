// What a program chooses for a transport, and what each choice is when it says nothing.

import type { BinaryReadOptions, BinaryWriteOptions } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";

/**
 * A token that says who the client is, or a function that gives one. The function is asked for a fresh token before each
 * connection is made, and when the server warns that the identity ends; where it gives `undefined`, `null` or an empty text the
 * client stays anonymous. One that fails, or takes longer than `connectTimeoutMs`, is asked again, after waits that grow.
 *
 * A text cannot be made fresh: when it has expired (4401) the client comes back as nobody, and where the server requires that somebody is
 * known the transport is closed for good, with UNAUTHENTICATED. A page whose users stay for long gives a function.
 */
export type TokenSource = string | (() => TokenResult | PromiseLike<TokenResult>);

/** A token, or that there is none. */
export type TokenResult = string | null | undefined;

/**
 * When a lost connection is made again: before attempt number *n* the client waits a random time between `firstMs` and
 * `firstMs`·2ⁿ, at most `longestMs`, so that the clients of a server that restarts do not all come back at once.
 */
export interface ReconnectOptions {
  /** The shortest wait, and the scale of all, in milliseconds. 200 by default. */
  readonly firstMs?: number;
  /** The longest wait, in milliseconds. 20,000 by default; where the server asks for a wait, up to twice as much. */
  readonly longestMs?: number;
  /**
   * How often to try in a row before the transport is closed for good; 0: not at all. A connection that is lost again within
   * five seconds is no success. By default without end.
   */
  readonly attempts?: number;
}

/** What a transport needs of a WebSocket: the one of a browser, of Node 22, or of the package `ws`. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  readonly protocol: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

/** Makes WebSockets; `globalThis.WebSocket` by default. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/**
 * What a program chooses for a transport.
 *
 * Transports with the same `url`, `token`, `webSocket` and connection options share one connection: the identity, the session and
 * the close are then of all of them. (Functions and objects are the same when they are the same one.)
 */
export interface WebSocketTransportOptions {
  /**
   * Where the server listens: `ws://` or `wss://`, `http://` or `https://`, or, in a page, relative to it, such as `/rpc`. It holds
   * no credential: those travel in `token`.
   */
  readonly url: string | URL;
  /** Who the client is. Without one it is anonymous until {@link WebSocketTransport.authenticate} is called. */
  readonly token?: TokenSource;
  /**
   * Whether the client comes back to its session after its connection was lost, where the server keeps it: what was sent directly to
   * this client meanwhile then arrives, once. The token for it is kept in memory only. True by default.
   */
  readonly resume?: boolean;
  /** When a lost connection is made again. */
  readonly reconnect?: ReconnectOptions;
  /** How long making a connection may take, with asking for the token and the server's greeting, in milliseconds. 10,000 by default. */
  readonly connectTimeoutMs?: number;
  /**
   * A connection is probed when nothing has come for so long, in milliseconds, and given up when the answer takes longer than ten
   * seconds. 25,000 by default.
   */
  readonly keepAliveMs?: number;
  /**
   * How many bytes of requests and messages may wait for being sent, because there is no connection, the server grants no more, or the
   * network is slow. 4 MiB by default. A unary call that goes over it fails with RESOURCE_EXHAUSTED; the messages of a stream wait for
   * each other instead, one at a time.
   */
  readonly maxQueuedBytes?: number;
  /** The longest message that is taken from the server, in bytes. 4 MiB by default; a longer one ends its call with RESOURCE_EXHAUSTED. */
  readonly maxMessageBytes?: number;
  /**
   * How many events of one subscription may wait for being read, 1,024 by default. See {@link Subscription} for what happens then.
   */
  readonly maxUnreadEvents?: number;
  /** The same in bytes of their bodies, 1 MiB by default. */
  readonly maxUnreadBytes?: number;
  /** Makes the WebSockets; `globalThis.WebSocket` by default. Node 20 has none: give it the one of the package `ws`. */
  readonly webSocket?: WebSocketConstructor;

  /** What stands around every call of this transport, in Connect's order: the first is the outermost. */
  readonly interceptors?: readonly Interceptor[];
  /** How long calls that name no `timeoutMs` may take, in milliseconds. None by default: such a call waits without end. */
  readonly defaultTimeoutMs?: number;
  /** How messages are read and written. */
  readonly binaryOptions?: Partial<BinaryReadOptions & BinaryWriteOptions>;
}
