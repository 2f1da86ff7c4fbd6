// What a program sees of the connection and of who the client is.

import type { ConnectError } from "@connectrpc/connect";

/**
 * How the connection stands. A new object for each change, so that it can be compared by identity.
 *
 * ```text
 *   connecting ──── greeted ────▶ open ──── lost ────▶ waiting
 *       ▲  │ failed                 │                    │ ▲
 *       │  └──────────────────────────────────────────────▶│
 *       └───────────────── the wait is over ─────────────┘
 *   any ──── close(), or a reason for which coming back is of no use ────▶ closed
 * ```
 */
export type ConnectionState = ConnectingState | OpenState | WaitingState | ClosedState;

/** A connection is being made. */
export interface ConnectingState {
  readonly status: "connecting";
  /** How many attempts have failed in a row before this one. */
  readonly failedAttempts: number;
}

/** There is a connection, and the server has greeted. */
export interface OpenState {
  readonly status: "open";
  /** The client's public name on this server; never a credential. */
  readonly clientId: string;
  /** The session of the connection before goes on: same client id, and what was sent directly meanwhile arrives. */
  readonly resumed: boolean;
}

/** The connection was lost, or could not be made, and is made again later. Calls that are made meanwhile wait for it. */
export interface WaitingState {
  readonly status: "waiting";
  /** How many attempts have failed in a row. */
  readonly failedAttempts: number;
  /** When the next attempt begins; sooner where the page becomes visible or the network comes back. */
  readonly retryAt: Date;
  /** Why there is no connection, with the code UNAVAILABLE. */
  readonly reason: ConnectError;
  /** The code of the close frame; 1006 where none was seen. */
  readonly closeCode: number;
}

/** It is over for good: the program has closed it, or the server has refused it for a reason that stays. */
export interface ClosedState {
  readonly status: "closed";
  /** Why. Calls that are made now fail with the same. */
  readonly reason: ConnectError;
  /** The code of the close frame; 1000 where the program has closed. */
  readonly closeCode: number;
}

/** Who the client is, as the server has said last. A new object for each change. */
export interface Identity {
  /** `undefined`: anonymous. */
  readonly userId: string | undefined;
  /** When the identity ends, by this machine's clock; `undefined`: never, or there is none. */
  readonly expiresAt: Date | undefined;
  /** The server has warned that it ends soon. A transport whose `token` is a function refreshes it by itself. */
  readonly expiresSoon: boolean;
  /** Calls are refused while the client is anonymous. */
  readonly authenticationRequired: boolean;
}
