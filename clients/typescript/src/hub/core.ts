// What a client's hub knows, over all its connections: to whom an event goes. That is a channel's, or who listens for what is sent
// directly; and what the server says directly of subscriptions that it has made or ended by itself.

import { fromBinary } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { Connection } from "../connection/connection.js";
import type { Listener } from "../connection/listener.js";
import { Emitter } from "../emitter.js";
import { SubscribedSchema, UnsubscribedSchema } from "../gen/rpc/hub/v1/hub_pb.js";
import type { Event } from "../gen/rpc/v1/frame_pb.js";
import { ChannelSubscription } from "./channel.js";
import { Feeds } from "./feeds.js";
import type { HubEvents } from "./hub.js";
import type { Capacity, EventQueue } from "./queue.js";
import { positionOf, refusal } from "./wire.js";

/** So many subscriptions of the server's are kept that no program has accepted, and so much of each. */
const MOST_UNTAKEN = 128;
const UNTAKEN: Capacity = { events: 64, bytes: 64 << 10 };

/** The hub of one connection, for all transports that share it. */
export class HubCore implements Listener {
  readonly events = new Emitter<HubEvents>();
  /** Events that were sent directly, and for which nobody listened. */
  unheard = 0;
  readonly capacity: Capacity;
  /** The channels. */
  readonly feeds: Feeds;

  readonly #listeners = new Set<EventQueue>();
  /** Subscriptions of the server's that no program has accepted. */
  #untaken: ChannelSubscription[] = [];
  /** So many of the direct events that come next were sent on the link before. */
  #again = 0;
  #error: ConnectError | undefined;

  constructor(connection: Connection) {
    const { maxUnreadEvents, maxUnreadBytes } = connection.options;
    this.capacity = { events: maxUnreadEvents ?? 1_024, bytes: maxUnreadBytes ?? 1 << 20 };
    this.feeds = new Feeds(connection, this.capacity);
    connection.listener = this;
    const { state } = connection;
    if (state.status === "closed") this.onClosed(state.reason);
    else if (state.status === "open") this.onLink(true, 0);
  }

  /** The hub of a connection. */
  static of(connection: Connection): HubCore {
    return connection.listener instanceof HubCore ? connection.listener : new HubCore(connection);
  }

  // What the program does.

  /** Has what is sent directly put into a queue. */
  listen(queue: EventQueue): void {
    if (this.#error) queue.finish(this.#error);
    else this.#listeners.add(queue);
  }

  deafen(queue: EventQueue): void {
    this.#listeners.delete(queue);
  }

  /** Tells of subscriptions of the server's, also of those from before. */
  offer(): void {
    if (this.events.isEmpty) return;
    for (const sub of this.#untaken.splice(0)) this.#tell(sub);
  }

  #tell(sub: ChannelSubscription): void {
    const { channel } = sub;
    let isTaken = false;
    this.events.emit("subscribed", {
      channel,
      accept: ({ events }) => {
        if (isTaken) throw new TypeError(`the subscription to ${channel} was accepted before`);
        isTaken = true;
        sub.capacity = this.capacity;
        sub.expect(events);
        return sub as never;
      },
    });
    // Who does not want it now does not want it.
    if (!isTaken) void sub.unsubscribe();
  }

  // What comes.

  onLink(isOpen: boolean, eventsAgain: number, resumed?: boolean): void {
    this.#again = eventsAgain;
    this.feeds.begin(isOpen, resumed);
  }

  onEvent(event: Event): void {
    const { channel, channelName } = event;
    const isAgain = channel === 0n && this.#again > 0;
    if (isAgain) this.#again -= 1;
    if (channel !== 0n || channelName) this.feeds.onEvent(event);
    else this.#onDirect(event, isAgain);
  }

  #onDirect(event: Event, isAgain: boolean): void {
    const { type, body } = event;
    let isHeard = false;
    try {
      if (type === SubscribedSchema.typeName) isHeard = this.#onSubscribed(body, isAgain);
      else if (type === UnsubscribedSchema.typeName) isHeard = this.#onUnsubscribed(body);
    } catch {
      // What the server says of subscriptions does not decode: nobody hears it.
    }
    for (const queue of this.#listeners) {
      if (!queue.types.includes(type)) continue;
      queue.putOrMiss(event, "live");
      isHeard = true;
    }
    if (!isHeard) this.unheard += 1;
  }

  #onSubscribed(body: Uint8Array, isAgain: boolean): boolean {
    const told = fromBinary(SubscribedSchema, body);
    const { feeds } = this;
    const known = feeds.get(told.channel);
    const isHeard = known?.byServer !== undefined && known.subs.includes(known.byServer);
    if (!isHeard && this.#untaken.length >= MOST_UNTAKEN) return false;
    const feed = feeds.of(told.channel);
    const early = feeds.isNumbered(feed, told.number, told.position?.epoch);
    const isNew = feed.subs.length === 0 && !feed.asking;
    feed.entangled = true;
    feed.granted ||= !!feed.asking;
    feed.confirmed ||= isNew;
    if (!isHeard) {
      const position = positionOf(told.position);
      const sub = new ChannelSubscription(told.channel, undefined, UNTAKEN, feeds, undefined, undefined);
      if (told.snapshot) sub.put(told.snapshot, position?.epoch, "snapshot");
      sub.isLive(position);
      // What came behind it then is gone with the connection.
      if (isAgain) sub.lose();
      feed.subs.push(sub);
      feed.byServer = sub;
      this.#untaken.push(sub);
    }
    // By now its number leads there.
    for (const event of early) feeds.onEvent(event);
    this.offer();
    feeds.schedule();
    return true;
  }

  #onUnsubscribed(body: Uint8Array): boolean {
    const { channel, reason } = fromBinary(UnsubscribedSchema, body);
    const feed = this.feeds.get(channel);
    if (!feed) return true;
    // One that is being asked for is asked for again, because the answer may be older; what was live before has ended.
    feed.granted = false;
    feed.still = undefined;
    if (feed.asking) feed.doubtful = true;
    else if (!feed.confirmed) return true;
    const error = refusal(reason);
    for (const sub of feed.subs.filter(({ begun }) => begun || !feed.asking)) feed.drop(sub, error);
    if (feed.unanswered) feed.confirmed = false;
    else if (!feed.asking) this.feeds.remove(feed);
    this.feeds.schedule();
    return true;
  }

  onClosed(error: ConnectError): void {
    this.#error = error;
    this.feeds.close(error);
    this.#untaken = [];
    for (const queue of this.#listeners) queue.finish(error);
    this.#listeners.clear();
  }
}
