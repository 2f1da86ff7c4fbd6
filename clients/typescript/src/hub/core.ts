// What a client's hub knows, over all its connections: the channels that the program hears, who listens for what is sent directly, and
// to whom an event goes; and what the server is asked for that.

import { type DescMessage, fromBinary } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { Calls } from "../calls.js";
import type { Connection } from "../connection/connection.js";
import type { Listener } from "../connection/listener.js";
import { Emitter } from "../emitter.js";
import { HubService, type SubscribeAnswer, SubscribedSchema, UnsubscribedSchema } from "../gen/rpc/hub/v1/hub_pb.js";
import type { Event } from "../gen/rpc/v1/frame_pb.js";
import { type Answer, ChannelSubscription, type Keeper } from "./channel.js";
import type { Position } from "./event.js";
import { Feed, Held, type Says } from "./feed.js";
import type { HubEvents } from "./hub.js";
import type { Capacity, EventQueue } from "./queue.js";
import type { Typed } from "./subscription.js";
import { positionOf, refusal, typed } from "./wire.js";

/** One call asks for so many channels at most: more are refused by the contract. */
const MOST_IN_A_CALL = 100;

/** A call of the hub's own is given so long, in milliseconds. */
const TIMEOUT = 30_000;

/** So many subscriptions of the server's are kept that no program has accepted, and so much of each. */
const MOST_UNTAKEN = 128;
const UNTAKEN: Capacity = { events: 64, bytes: 64 << 10 };

const RETRY_LONGEST = 20_000;

interface Asked {
  readonly feed: Feed;
  readonly since: Position | undefined;
  readonly says: Says;
}

/** The hub of one connection, for all transports that share it. */
export class HubCore implements Listener, Keeper {
  readonly events = new Emitter<HubEvents>();
  /** Events that were sent directly, and for which nobody listened. */
  unheard = 0;
  readonly capacity: Capacity;

  readonly #client: Client<typeof HubService>;
  readonly #feeds = new Map<string, Feed>();
  /** Feeds by what frames name them by, on this connection. */
  readonly #numbers = new Map<bigint, Feed>();
  /** Frames of numbers that are not known yet. */
  #early = new Held();
  readonly #listeners = new Set<EventQueue>();
  /** Subscriptions of the server's that no program has accepted. */
  #untaken: ChannelSubscription[] = [];
  /** Aborts the calls of the connection that there is; `undefined` without one. */
  #link: AbortController | undefined;
  /** So many of the direct events that come next were sent on the link before. */
  #again = 0;
  #error: ConnectError | undefined;
  #isScheduled = false;
  #stopTimer = () => {};

  constructor(readonly connection: Connection) {
    const { maxUnreadEvents, maxUnreadBytes } = connection.options;
    this.capacity = { events: maxUnreadEvents ?? 1_024, bytes: maxUnreadBytes ?? 1 << 20 };
    this.#client = createClient(HubService, new Calls(connection, {}));
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

  subscribe(
    channel: string,
    schemas: readonly DescMessage[],
    since?: Position,
    presence?: Typed,
    signal?: AbortSignal,
  ): ChannelSubscription {
    const says = presence && typed(presence);
    const sub = new ChannelSubscription(channel, schemas, this.capacity, this, since, signal);
    if (this.#error) {
      sub.fail(this.#error);
    } else {
      const feed = this.#feed(channel);
      feed.presence = says ?? feed.presence;
      feed.subs.push(sub);
      // Who has left the channel has left it: it is not the last one's any more.
      for (const resolve of feed.leaving.splice(0)) resolve();
      this.#schedule();
    }
    return sub;
  }

  leave(sub: ChannelSubscription): Promise<void> {
    const feed = this.#feeds.get(sub.channel);
    if (!feed?.subs.includes(sub)) return Promise.resolve();
    feed.subs = feed.subs.filter((other) => other !== sub);
    this.#schedule();
    // Without a connection there is nobody to be told now.
    if (feed.subs.length > 0 || !feed.entangled || !this.#link) return Promise.resolve();
    return new Promise((resolve) => feed.leaving.push(resolve));
  }

  onDrained(sub: ChannelSubscription): void {
    if (sub.isDrained()) this.#schedule();
  }

  /** This client has published what is not for itself. */
  skip(channel: string, position: Position): void {
    this.#feeds.get(channel)?.skips.add(position);
  }

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

  onLink(isOpen: boolean, eventsAgain: number): void {
    this.#link?.abort();
    this.#again = eventsAgain;
    this.#link = isOpen ? new AbortController() : undefined;
    this.#numbers.clear();
    this.#early = new Held();
    for (const feed of this.#feeds.values()) feed.begin();
    this.#schedule();
  }

  onEvent(event: Event): void {
    const { channel, channelName } = event;
    const isAgain = channel === 0n && this.#again > 0;
    if (isAgain) this.#again -= 1;
    if (channel === 0n && !channelName) {
      this.#onDirect(event, isAgain);
      return;
    }
    const feed = channel === 0n ? this.#feeds.get(channelName) : this.#numbers.get(channel);
    const now = this.connection.world.now();
    if (!feed) {
      if (channel !== 0n && this.#isUnsettled) this.#early.push(channel, event);
    } else if (feed.onEvent(event, now)) {
      this.#schedule();
    }
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
    const known = this.#feeds.get(told.channel);
    const isHeard = known?.byServer !== undefined && known.subs.includes(known.byServer);
    if (!isHeard && this.#untaken.length >= MOST_UNTAKEN) return false;
    const feed = this.#feed(told.channel);
    const early = this.#name(feed, told.number, told.position?.epoch);
    const isNew = feed.subs.length === 0 && !feed.asking;
    feed.entangled = true;
    feed.confirmed ||= isNew;
    if (!isHeard) {
      const position = positionOf(told.position);
      const sub = new ChannelSubscription(told.channel, [], UNTAKEN, this, undefined, undefined);
      if (told.snapshot) sub.put(told.snapshot, position?.epoch, "snapshot");
      sub.isLive(position);
      // What came behind it then is gone with the connection.
      if (isAgain) sub.lose();
      feed.subs.push(sub);
      feed.byServer = sub;
      this.#untaken.push(sub);
    }
    for (const raw of early) feed.onEvent(raw, this.connection.world.now());
    this.offer();
    this.#schedule();
    return true;
  }

  #onUnsubscribed(body: Uint8Array): boolean {
    const { channel, reason } = fromBinary(UnsubscribedSchema, body);
    const feed = this.#feeds.get(channel);
    if (!feed) return true;
    // One that is being asked for is asked for again, because the answer may be older; what was live before has ended.
    if (feed.asking) feed.doubtful = true;
    else if (!feed.confirmed) return true;
    const error = refusal(reason);
    for (const sub of feed.subs.filter(({ begun }) => begun || !feed.asking)) feed.drop(sub, error);
    if (!feed.asking) this.#remove(feed);
    this.#schedule();
    return true;
  }

  onClosed(error: ConnectError): void {
    this.#error = error;
    this.#link?.abort();
    this.#link = undefined;
    this.#stopTimer();
    for (const feed of this.#feeds.values()) {
      for (const sub of feed.subs) sub.fail(error);
      feed.hasLeft();
    }
    this.#feeds.clear();
    this.#numbers.clear();
    this.#untaken = [];
    for (const queue of this.#listeners) queue.finish(error);
    this.#listeners.clear();
  }

  // Channels.

  #feed(name: string): Feed {
    let feed = this.#feeds.get(name);
    if (!feed) {
      feed = new Feed(name);
      this.#feeds.set(name, feed);
    }
    return feed;
  }

  #remove(feed: Feed): void {
    this.#feeds.delete(feed.name);
    if (feed.number !== undefined) this.#numbers.delete(feed.number);
    feed.hasLeft();
  }

  get #isUnsettled(): boolean {
    return [...this.#feeds.values()].some((feed) => feed.isUnsettled);
  }

  /** A feed has a number now, or another one. Gives what came of that number before. */
  #name(feed: Feed, number: bigint, epoch: bigint | undefined): Event[] {
    if (feed.number !== undefined && feed.number !== number) this.#numbers.delete(feed.number);
    feed.isNumbered(number, epoch);
    this.#numbers.set(number, feed);
    return this.#early.take(number) as Event[];
  }

  // What the server is asked.

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#ask();
    });
  }

  #ask(): void {
    this.#stopTimer();
    const subscribes: Asked[] = [];
    const unsubscribes: Asked[] = [];
    const now = this.connection.world.now();
    let due = Number.POSITIVE_INFINITY;
    for (const feed of [...this.#feeds.values()]) {
      const next = feed.next(now);
      if (next === "gone") this.#remove(feed);
      else if (typeof next === "number") due = Math.min(due, next);
      else if (next === "unsubscribe") unsubscribes.push({ feed, since: undefined, says: undefined });
      else if (next !== "nothing") subscribes.push({ feed, since: next.since, says: feed.presence });
    }
    const link = this.#link;
    if (!link) return;
    if (due < Number.POSITIVE_INFINITY)
      this.#stopTimer = this.connection.world.later(() => this.#schedule(), due - now);
    while (subscribes.length > 0) void this.#subscribe(subscribes.splice(0, MOST_IN_A_CALL), link.signal);
    while (unsubscribes.length > 0) void this.#unsubscribe(unsubscribes.splice(0, MOST_IN_A_CALL), link.signal);
  }

  async #subscribe(asked: readonly Asked[], signal: AbortSignal): Promise<void> {
    const channels = asked.map(({ feed, since, says }) => ({
      channel: feed.name,
      ...(since && { since }),
      ...(says && { presence: says }),
    }));
    for (const { feed } of asked) {
      feed.asking = asked;
      feed.entangled = true;
    }
    let answers: SubscribeAnswer[] = [];
    let error: ConnectError | undefined;
    try {
      ({ answers } = await this.#client.subscribe({ channels }, { signal, timeoutMs: TIMEOUT }));
      if (answers.length !== asked.length)
        error = new ConnectError("the server has answered for another number of channels", Code.Internal);
    } catch (reason) {
      error = ConnectError.from(reason);
    }
    // Numbers are those of one connection.
    if (signal.aborted) return;
    asked.forEach(({ feed, since, says }, at) => {
      if (feed.asking !== asked) return;
      feed.asking = undefined;
      const answer = answers[at] as SubscribeAnswer;
      if (!error) feed.told = says;
      if (error) this.#refused(feed, error, false, says);
      else if (answer.refused) this.#refused(feed, refusal(answer.refused), true, says);
      else {
        feed.taken = says;
        this.#answered(feed, since, answer);
      }
    });
    if (!this.#isUnsettled) this.#early = new Held();
    this.#schedule();
  }

  #answered(feed: Feed, since: Position | undefined, told: SubscribeAnswer): void {
    const { number, snapshot, types, framesEpoch } = told;
    const recovered = told.recovered === true;
    const answer: Answer = {
      number,
      position: positionOf(told.position),
      recovered,
      snapshot,
      events: told.events,
      types,
      framesEpoch,
    };
    const hadNumber = feed.number !== undefined;
    const early = this.#name(feed, number, framesEpoch ?? answer.position?.epoch);
    // Frames of a number that is known are held elsewhere.
    const isLost = this.#early.overrun && !hadNumber;
    feed.answered(since, answer, early, isLost);
  }

  #refused(feed: Feed, error: ConnectError, certain: boolean, says?: Says): void {
    feed.refused(error, certain, says);
    const { now, random } = this.connection.world;
    const most = Math.min(200 * 2 ** Math.min(feed.failures, 30), RETRY_LONGEST);
    feed.notBefore = now() + 200 + random() * Math.max(most - 200, 0);
  }

  async #unsubscribe(asked: readonly Asked[], signal: AbortSignal): Promise<void> {
    for (const { feed } of asked) feed.asking = asked;
    let error: ConnectError | undefined;
    try {
      await this.#client.unsubscribe({ channels: asked.map(({ feed }) => feed.name) }, { signal, timeoutMs: TIMEOUT });
    } catch (reason) {
      error = ConnectError.from(reason);
    }
    if (signal.aborted) return;
    for (const { feed } of asked) {
      if (feed.asking !== asked) continue;
      feed.asking = undefined;
      if (error) {
        this.#refused(feed, error, false);
        continue;
      }
      if (feed.number !== undefined) this.#numbers.delete(feed.number);
      feed.hasLeft();
    }
    this.#schedule();
  }
}
