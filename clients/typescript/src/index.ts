// What is public, and nothing else.

export { mayHaveRun } from "./errors.js";
export type { EventAmong, EventKind, EventOf, Gap, Item, Position, SkippedEvent } from "./hub/event.js";
export type {
  HistoryOptions,
  HistoryPage,
  Hub,
  HubCallOptions,
  HubEvents,
  Member,
  Presence,
  PresenceOptions,
  PublishOptions,
  Receipt,
} from "./hub/hub.js";
export type {
  EventStream,
  ServerSubscription,
  SubscribeOptions,
  Subscription,
  SubscriptionEvents,
  SubscriptionStatus,
  Typed,
} from "./hub/subscription.js";
export type {
  ReconnectOptions,
  TokenResult,
  TokenSource,
  WebSocketConstructor,
  WebSocketLike,
  WebSocketTransportOptions,
} from "./options.js";
export { methodNumber } from "./protocol/method.js";
export type { ClosedState, ConnectingState, ConnectionState, Identity, OpenState, WaitingState } from "./state.js";
export type { StreamSubscription } from "./subscribe.js";
export { subscribe } from "./subscribe.js";
export type { CallTransport, TransportEvents } from "./transport.js";
export type { WebSocketTransport } from "./with-hub.js";
export { createWebSocketTransport } from "./with-hub.js";
