// The entry `rpc-websocket/calls`: for programs that make calls and hear no events. They do not take the hub on, which is a third of the client.

import type { WebSocketTransportOptions } from "./options.js";
import { type CallTransport, SocketTransport } from "./transport.js";

/** Makes a transport for Connect's `createClient`, like the one of the main entry but for the hub. It begins to connect at once. */
export function createWebSocketTransport(options: WebSocketTransportOptions): CallTransport {
  return new SocketTransport(options);
}

export { mayHaveRun } from "./errors.js";
export type {
  ReconnectOptions,
  TokenResult,
  TokenSource,
  WebSocketConstructor,
  WebSocketLike,
  WebSocketTransportOptions,
} from "./options.js";
export type { ClosedState, ConnectingState, ConnectionState, Identity, OpenState, WaitingState } from "./state.js";
export type { StreamSubscription } from "./subscribe.js";
export { subscribe } from "./subscribe.js";
export type { CallTransport, TransportEvents } from "./transport.js";
