// The channels that a client hears, over all its connections: what frames name each by on this one, and what the server is asked for them.
// It knows nothing of what is sent directly.

import type { DescMessage } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { Calls } from "../calls.js";
import type { Connection } from "../connection/connection.js";
import type { Environment } from "../connection/environment.js";
import { HubService, type SubscribeAnswer } from "../gen/rpc/hub/v1/hub_pb.js";
import type { Event } from "../gen/rpc/v1/frame_pb.js";
import { type Answer, ChannelSubscription, type Keeper } from "./channel.js";
import type { Position } from "./event.js";
import { Feed, Held, type Question, type Says } from "./feed.js";
import type { Capacity } from "./queue.js";
import type { Typed } from "./subscription.js";
import { positionOf, refusal, typed } from "./wire.js";

/** One call asks for so many channels at most: more are refused by the contract. */
const MOST_IN_A_CALL = 100;

/** A call of the hub's own is given so long, in milliseconds. */
const TIMEOUT = 30_000;

const RETRY_LONGEST = 20_000;

interface Asked extends Question {
  readonly feed: Feed;
}

/** The channels of one connection. */
export class Feeds implements Keeper {
  readonly #world: Environment;
  readonly #client: Client<typeof HubService>;
  readonly #feeds = new Map<string, Feed>();
  /** Feeds by what frames name them by, on this connection. */
  readonly #numbers = new Map<bigint | undefined, Feed>();
  /** Frames of numbers that are not known yet. */
  #early = new Held();
  /** Aborts the calls of the connection that there is; `undefined` without one. */
  #link: AbortController | undefined;
  #error: ConnectError | undefined;
  #isScheduled = false;
  #stopTimer = () => {};

  constructor(
    connection: Connection,
    /** What of a subscription is kept until it is read. */
    readonly capacity: Capacity,
  ) {
    this.#world = connection.world;
    this.#client = createClient(HubService, new Calls(connection, {}));
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
      const feed = this.of(channel);
      feed.presence = says ?? feed.presence;
      feed.subs.push(sub);
      // Who has left the channel has left it: it is not the last one's any more.
      for (const resolve of feed.leaving.splice(0)) resolve();
      this.schedule();
    }
    return sub;
  }

  leave(sub: ChannelSubscription): Promise<void> {
    const feed = this.#feeds.get(sub.channel);
    if (!feed?.subs.includes(sub)) return Promise.resolve();
    feed.subs = feed.subs.filter((other) => other !== sub);
    this.schedule();
    // Without a connection there is nobody to be told now.
    if (feed.subs.length > 0 || !(feed.entangled || feed.asking) || !this.#link) return Promise.resolve();
    return new Promise((resolve) => feed.leaving.push(resolve));
  }

  onDrained(sub: ChannelSubscription): void {
    if (sub.isDrained()) this.schedule();
  }

  /** This client has published what is not for itself. */
  skip(channel: string, position: Position): void {
    this.#feeds.get(channel)?.skips.add(position);
  }

  // What comes.

  /** A link is there, or gone. `resumed`: its session goes on. */
  begin(isOpen: boolean, resumed?: boolean): void {
    this.#link?.abort();
    this.#link = isOpen ? new AbortController() : undefined;
    this.#numbers.clear();
    this.#early = new Held();
    for (const feed of this.#feeds.values()) feed.begin(isOpen && !resumed);
    this.schedule();
  }

  /** An event of a channel has come. */
  onEvent(event: Event): void {
    const { channel, channelName } = event;
    const feed = channel === 0n ? this.#feeds.get(channelName) : this.#numbers.get(channel);
    const now = this.#world.now();
    if (!feed) {
      if (channel !== 0n && this.#isUnsettled) this.#early.push(channel, event);
    } else if (feed.onEvent(event, now)) {
      this.schedule();
    }
  }

  /** There will be no link any more. */
  close(error: ConnectError): void {
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
  }

  // One channel.

  get(name: string): Feed | undefined {
    return this.#feeds.get(name);
  }

  /** The channel of that name, from now on if not from before. */
  of(name: string): Feed {
    let feed = this.#feeds.get(name);
    if (!feed) {
      feed = new Feed(name);
      this.#feeds.set(name, feed);
    }
    return feed;
  }

  /** Nobody hears it any more. */
  remove(feed: Feed): void {
    this.#feeds.delete(feed.name);
    this.#numbers.delete(feed.number);
    feed.hasLeft();
  }

  get #isUnsettled(): boolean {
    return [...this.#feeds.values()].some((feed) => feed.isUnsettled);
  }

  /** A feed has a number now, or another one. Gives what came of that number before. */
  isNumbered(feed: Feed, number: bigint, epoch: bigint | undefined): Event[] {
    this.#numbers.delete(feed.number);
    feed.isNumbered(number, epoch);
    this.#numbers.set(number, feed);
    return this.#early.take(number) as Event[];
  }

  // What the server is asked.

  /** Looks soon at what the server is to be asked. */
  schedule(): void {
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
    const unsubscribes: Feed[] = [];
    const now = this.#world.now();
    let due = Number.POSITIVE_INFINITY;
    for (const feed of [...this.#feeds.values()]) {
      const next = feed.next(now);
      if (next === "gone") this.remove(feed);
      else if (typeof next === "number") due = Math.min(due, next);
      else if (next === "unsubscribe") unsubscribes.push(feed);
      else if (next !== "nothing") subscribes.push({ feed, ...next });
    }
    const link = this.#link;
    if (!link) return;
    if (due < Number.POSITIVE_INFINITY) this.#stopTimer = this.#world.later(() => this.schedule(), due - now);
    while (subscribes.length > 0) void this.#subscribe(subscribes.splice(0, MOST_IN_A_CALL), link.signal);
    while (unsubscribes.length > 0) void this.#unsubscribe(unsubscribes.splice(0, MOST_IN_A_CALL), link.signal);
  }

  async #subscribe(asked: readonly Asked[], signal: AbortSignal): Promise<void> {
    const channels = asked.map(({ feed, since, says }) => ({
      channel: feed.name,
      ...(since && { since }),
      ...(says && { presence: says }),
    }));
    for (const { feed } of asked) feed.asking = asked;
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
      if (error) this.#refused(feed, error, undefined, says);
      else if (answer.refused) this.#refused(feed, refusal(answer.refused), answer.number, says);
      else {
        feed.taken = says;
        this.#answered(feed, since, answer);
      }
    });
    if (!this.#isUnsettled) this.#early = new Held();
    this.schedule();
  }

  #answered(feed: Feed, since: Position | undefined, told: SubscribeAnswer): void {
    const { number, framesEpoch } = told;
    const answer: Answer = { ...told, position: positionOf(told.position), recovered: told.recovered === true };
    const hadNumber = feed.number !== undefined;
    const early = this.isNumbered(feed, number, framesEpoch ?? answer.position?.epoch);
    // Frames of a number that is known are held elsewhere.
    const isLost = this.#early.overrun && !hadNumber;
    feed.answered(since, answer, early, isLost);
  }

  #refused(feed: Feed, error: ConnectError, heard: bigint | undefined, says: Says): void {
    feed.refused(error, heard, says);
    this.#putOff(feed);
  }

  /** It was asked in vain, and is asked again later. */
  #putOff(feed: Feed): void {
    feed.failures += 1;
    const { now, random } = this.#world;
    const most = Math.min(200 * 2 ** Math.min(feed.failures, 30), RETRY_LONGEST);
    feed.notBefore = now() + 200 + random() * Math.max(most - 200, 0);
  }

  async #unsubscribe(asked: readonly Feed[], signal: AbortSignal): Promise<void> {
    for (const feed of asked) feed.asking = asked;
    let error: ConnectError | undefined;
    try {
      await this.#client.unsubscribe({ channels: asked.map(({ name }) => name) }, { signal, timeoutMs: TIMEOUT });
    } catch (reason) {
      error = ConnectError.from(reason);
    }
    if (signal.aborted) return;
    for (const feed of asked) {
      if (feed.asking !== asked) continue;
      feed.asking = undefined;
      if (error) {
        feed.notLeft(error);
        this.#putOff(feed);
        continue;
      }
      this.#numbers.delete(feed.number);
      feed.hasLeft();
    }
    this.schedule();
  }
}
