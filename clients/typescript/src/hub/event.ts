// What a program reads of a channel, or of what is sent to it directly: events, typed by the schemas it names, and gaps.

import type { DescMessage, MessageShape } from "@bufbuild/protobuf";

/** A place in a channel's history. It may be kept, and given as `since` later, also by another client. */
export interface Position {
  /** Which history: another after history was lost. Never a time. */
  readonly epoch: bigint;
  /** How many events had been published in it. */
  readonly offset: bigint;
}

/**
 * How an event has come: `live` as it was published, `recovered` because the client had missed it, or as the `snapshot` of what the
 * channel is about, with which a subscription begins.
 */
export type EventKind = "live" | "recovered" | "snapshot";

/** An event whose message is of one schema. */
export interface EventOf<Schema extends DescMessage> {
  readonly kind: EventKind;
  /** The full name of the message's type, which tells the events of a subscription apart. */
  readonly type: Schema["typeName"];
  readonly message: MessageShape<Schema>;
  /** The channel's name; empty for what was sent directly. */
  readonly channel: string;
  /** Unique, made by the server. */
  readonly id: string;
  /** When it was published, by the server's clock. */
  readonly time: Date;
  /** Where it is in the channel's history; `undefined` where the channel has none. */
  readonly position: Position | undefined;
  /** The client that published it, where the channel tells. Set by the server, never by the publisher. */
  readonly clientId: string | undefined;
  /** Who that was known as, where the channel tells. Set by the server, never by the publisher. */
  readonly userId: string | undefined;
}

/** An event that was skipped: its type is none of the schemas, or its body no such message. */
export interface SkippedEvent extends Omit<EventOf<DescMessage>, "message"> {
  /** The encoded message. */
  readonly body: Uint8Array;
}

/** An event of one of several schemas: a closed union, which `type` tells apart. */
export type EventAmong<Schemas extends readonly DescMessage[]> = {
  [Index in keyof Schemas]: EventOf<Schemas[Index]>;
}[number];

/**
 * Events are missing here and cannot be had any more. What comes behind it is complete again. A program that shows state reads it
 * anew, unless a snapshot follows.
 */
export interface Gap {
  readonly kind: "gap";
  readonly type: undefined;
  readonly channel: string;
  /**
   * `unrecoverable`: history does not reach back that far, or begins anew. `no-history`: the channel keeps none, and the connection
   * was away, or the program did not read in time. `unread`: what was sent directly had no room because the program did not read.
   */
  readonly cause: "unrecoverable" | "no-history" | "unread";
  /** The last event that was given before; `undefined` where the channel has no history. */
  readonly last: Position | undefined;
  /** Behind which position it goes on; `undefined` where the channel has no history. */
  readonly next: Position | undefined;
  /** How many events are missing, where that is known. */
  readonly missed: number | undefined;
}

/** What a subscription gives. */
export type Item<Schemas extends readonly DescMessage[]> = EventAmong<Schemas> | Gap;
