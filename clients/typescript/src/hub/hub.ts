// The hub as a program uses it.

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { EventAmong, Position, SkippedEvent } from "./event.js";
import type { EventStream, ServerSubscription, SubscribeOptions, Subscription } from "./subscription.js";

/** For how long a call may wait, and what gives it up. */
export interface HubCallOptions {
  readonly signal?: AbortSignal | undefined;
  /** In milliseconds; the transport's `defaultTimeoutMs` where it is left out. */
  readonly timeoutMs?: number | undefined;
}

/** How an event is published. */
export interface PublishOptions extends HubCallOptions {
  /**
   * An idempotency key of at most 128 printable characters of ASCII, which is this user's own: published again with it after an error, the
   * event is stored and delivered once, while the channel's history has it. Another event with the same key is refused with ALREADY_EXISTS.
   */
  readonly key?: string | undefined;
  /** The event is not for this client. */
  readonly exceptSelf?: boolean | undefined;
}

/** What publishing came to. */
export interface Receipt {
  readonly id: string;
  /** Where the event is in the channel's history; `undefined` where the channel has none. */
  readonly position: Position | undefined;
  /** How many clients were reached, where that is known and the channel tells. */
  readonly reached: number | undefined;
  /** The same event with the same key had been published before: nothing was published now. */
  readonly duplicate: boolean;
}

/** Who is in a channel. */
export interface Presence<Schema extends DescMessage = DescMessage> {
  /** In the order of their client ids. */
  readonly members: readonly Member<Schema>[];
  /** How many clients there are. */
  readonly clients: number;
  /** How many users there are, and anonymous clients. */
  readonly users: number;
  /** There are more behind the last of these: ask with its client id as `after`. */
  readonly more: boolean;
}

/** One client in a channel. */
export interface Member<Schema extends DescMessage = DescMessage> {
  readonly clientId: string;
  /** Who it is known as; `undefined`: anonymous. */
  readonly userId: string | undefined;
  /** Since when it is there. */
  readonly since: Date | undefined;
  /** What it says of itself, where that is of the schema that was asked for. */
  readonly presence: MessageShape<Schema> | undefined;
}

/** Whose presence is asked for, and how much of it. */
export interface PresenceOptions<Schema extends DescMessage> extends HubCallOptions {
  /** As what to read what members say of themselves. */
  readonly presence?: Schema | undefined;
  /** Only how many there are: `members` is empty. */
  readonly countsOnly?: boolean | undefined;
  /** Those whose client ids come after this one, to read on. */
  readonly after?: string | undefined;
  /** How many at most: 1,000 by default, and never more. */
  readonly limit?: number | undefined;
}

/** Which part of a history. All that is set holds. */
export interface HistoryOptions<Schemas extends readonly DescMessage[]> extends HubCallOptions {
  /** The schemas of the events that the program reads. Events of other types are skipped, and told beside. */
  readonly events: Schemas;
  /** Events after this position. */
  readonly after?: Position | undefined;
  /** Events before this offset. */
  readonly before?: bigint | undefined;
  /** Events published then or later. */
  readonly since?: Date | undefined;
  /** Events published before then. */
  readonly until?: Date | undefined;
  /** How many at most: 100 by default, and never more than 1,000. */
  readonly limit?: number | undefined;
  /** The latest first. */
  readonly newestFirst?: boolean | undefined;
}

/** A part of a history. */
export interface HistoryPage<Schemas extends readonly DescMessage[]> {
  /** In the direction that was asked for. */
  readonly events: readonly EventAmong<Schemas>[];
  /** In the same direction, what was skipped because its type is none of the schemas or its body no such message. */
  readonly skipped: readonly SkippedEvent[];
  /** Where the channel is now; `undefined` where it has no history. */
  readonly position: Position | undefined;
  /** With `after`: no event that is for this client is missing between that position and those that are given. */
  readonly complete: boolean;
  /** There are more in that direction: a page may be empty all the same. */
  readonly more: boolean;
  /** The position of the last event that was looked at, whatever its type: where to read on by `after`, or by `before` its offset. */
  readonly end: Position | undefined;
}

/** What the hub tells a program, by name. */
export interface HubEvents {
  /** The server has subscribed this client to a channel. Those of before the first callback are told to it. */
  subscribed: ServerSubscription;
}

/**
 * The hub of the server: channels, users and clients. Its calls fail with UNIMPLEMENTED where the server has none, and reject with
 * `ConnectError`s as any call.
 *
 * ```ts
 * const room = transport.hub.subscribe("room:5", { events: [SaidSchema, TypingSchema] });
 * room.on(SaidSchema, (said, event) => show(event.userId, said.text));
 * await transport.hub.publish("room:5", TypingSchema, {});
 * ```
 */
export interface Hub {
  /**
   * Subscribes to a channel, now and after each reconnect. Subscriptions that are begun together are one call, also to several channels;
   * several to one channel are one to the server.
   */
  subscribe<const Schemas extends readonly DescMessage[]>(
    channel: string,
    options: SubscribeOptions<Schemas>,
  ): Subscription<Schemas>;

  /**
   * What is sent to this client, to its user or to all clients, from now on. What does not fit while the program does not read is lost,
   * and a gap says how many that were.
   */
  events<const Schemas extends readonly DescMessage[]>(options: {
    readonly events: Schemas;
    readonly signal?: AbortSignal;
  }): EventStream<Schemas>;

  /**
   * Publishes an event to the subscribers of a channel. Where the server names the channel's events, it is validated as a request is:
   * INVALID_ARGUMENT with the violations where it breaks the rules of its fields.
   */
  publish<Schema extends DescMessage>(
    channel: string,
    schema: Schema,
    message: MessageInitShape<Schema>,
    options?: PublishOptions,
  ): Promise<Receipt>;

  /** Sends an event to all connections of users; gives its id. It is validated where the server names what may be sent. */
  sendToUsers<Schema extends DescMessage>(
    users: readonly string[],
    schema: Schema,
    message: MessageInitShape<Schema>,
    options?: HubCallOptions & { readonly exceptSelf?: boolean | undefined },
  ): Promise<string>;

  /** Sends an event to clients, by the ids that presence or events give; gives its id. Whether they are there is not told. It is validated as what is sent to users. */
  sendToClients<Schema extends DescMessage>(
    clients: readonly string[],
    schema: Schema,
    message: MessageInitShape<Schema>,
    options?: HubCallOptions,
  ): Promise<string>;

  /** Who is in a channel. */
  presence<Schema extends DescMessage = DescMessage>(
    channel: string,
    options?: PresenceOptions<Schema>,
  ): Promise<Presence<Schema>>;

  /** What was published in a channel. */
  history<const Schemas extends readonly DescMessage[]>(
    channel: string,
    options: HistoryOptions<Schemas>,
  ): Promise<HistoryPage<Schemas>>;

  /** Calls `callback` on each, until the returned function is called or the transport is closed, which ends what was accepted by it, too. */
  on<Name extends keyof HubEvents>(name: Name, callback: (value: HubEvents[Name]) => void): () => void;

  /** How many events were sent to this client, its user or all for which nobody listened. */
  readonly unheard: number;
}
