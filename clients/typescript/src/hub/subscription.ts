// What a program holds of a subscription.

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { EventOf, Gap, Item, Position, SkippedEvent } from "./event.js";

/** A message of a schema, as something to publish or to show. */
export interface Typed<Schema extends DescMessage = DescMessage> {
  readonly schema: Schema;
  readonly message: MessageInitShape<Schema>;
}

/** What a program chooses for a subscription. */
export interface SubscribeOptions<Schemas extends readonly DescMessage[]> {
  /** The schemas of the events that the program reads. Events of other types are skipped and counted: with none, all of them. */
  readonly events: Schemas;
  /** The last position that the program knows: it wants everything that came after it. */
  readonly since?: Position | undefined;
  /** What presence says of this client, where the channel has presence. The server may refuse it, and with it the subscription. */
  readonly presence?: Typed | undefined;
  /** Ends the subscription when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * How a subscription stands: `subscribing` until the server has first answered, `live`, `recovering` while the connection is away or
 * the server is asked for what was missed, and `ended`.
 */
export type SubscriptionStatus = "subscribing" | "live" | "recovering" | "ended";

/** What a stream of events tells a program, by name. */
export interface SubscriptionEvents<Schemas extends readonly DescMessage[]> {
  /** An event of any of its types, or a gap. */
  item: Item<Schemas>;
  /** Events are missing. */
  gap: Gap;
  /** An event was skipped. It is told as soon as it has come, whatever waits to be read. */
  skipped: SkippedEvent;
  /** It stands otherwise. */
  status: SubscriptionStatus;
  /** It has ended; with the reason, where that was not the program. */
  end: ConnectError | undefined;
}

/**
 * Events as they come: by async iteration, by callbacks, or both. What comes before there is either waits.
 *
 * It is iterated once; leaving the loop ends it. A loop ends without an error when the program has ended the subscription, and throws
 * a `ConnectError` when the server or the closing of the transport has.
 */
export interface EventStream<Schemas extends readonly DescMessage[]>
  extends AsyncIterable<Item<Schemas>>,
    AsyncDisposable {
  /** How it stands. */
  readonly status: SubscriptionStatus;
  /** How many items wait for the loop. */
  readonly unread: number;
  /** How many events were skipped because their type is none of the schemas. */
  readonly unknown: number;
  /** How many events were skipped because their bodies are no such messages. */
  readonly undecodable: number;

  /**
   * Calls `callback` for each event of a schema, until the returned function is called. A callback that throws does not stop the others:
   * the error is reported like an uncaught one.
   */
  on<Schema extends Schemas[number]>(
    schema: Schema,
    callback: (message: MessageShape<Schema>, event: EventOf<Schema>) => void,
  ): () => void;
  /** Calls `callback` for each thing of a name, until the returned function is called. */
  on<Name extends keyof SubscriptionEvents<Schemas>>(
    name: Name,
    callback: (value: SubscriptionEvents<Schemas>[Name]) => void,
  ): () => void;

  /** Does not call `callback` any more. */
  off(what: DescMessage | keyof SubscriptionEvents<Schemas>, callback: (...values: never[]) => void): void;

  /** Ends it. Resolves when the server knows, or there is nothing to tell it. Never rejects. */
  unsubscribe(): Promise<void>;
}

/**
 * A subscription to a channel: its events in their order, each once, over any number of reconnects. What the client has missed is asked
 * for by position, and what cannot be had any more is a {@link Gap}, never silence.
 *
 * **What the program does not read** waits, up to `maxUnreadEvents` and `maxUnreadBytes`. What comes then is left out; once the program has
 * read what waits, the server is asked for the rest. In a channel without history that is a gap. Callbacks are called at once and
 * let nothing wait.
 */
export interface Subscription<Schemas extends readonly DescMessage[]> extends EventStream<Schemas> {
  /** The channel's name. */
  readonly channel: string;
  /** Resolves when the server has first answered; rejects with its status when it refuses. */
  readonly ready: Promise<void>;
  /**
   * Up to where the program was given everything, for `since` of a later one. At first `since`; `undefined` in a channel without history.
   */
  readonly position: Position | undefined;
}

/** The server has subscribed this client to a channel by itself; told by `hub.on("subscribed", …)`. */
export interface ServerSubscription {
  /** The channel's name. */
  readonly channel: string;
  /**
   * Reads it. What has come meanwhile has waited, within bounds. To be called in the callback: a subscription that nobody accepts is ended.
   */
  accept<const Schemas extends readonly DescMessage[]>(options: { readonly events: Schemas }): Subscription<Schemas>;
}
