// One subscription of the program: up to where it was given everything, and what an event or an answer means for it.

import type { DescMessage } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Position } from "./event.js";
import { type Capacity, EventQueue, gap } from "./queue.js";
import type { Raw } from "./raw.js";
import type { Skips } from "./skips.js";
import type { Subscription } from "./subscription.js";
import { droppedOf, isDropped } from "./wire.js";

/** How the server answers for one channel. */
export interface Answer {
  readonly number: bigint;
  readonly position: Position | undefined;
  readonly recovered: boolean;
  readonly snapshot?: Raw | undefined;
  readonly events: readonly Raw[];
  readonly types: readonly string[];
  /** Of which history those events are that tell none, where it is not that of `position`. */
  readonly framesEpoch?: bigint | undefined;
}

/** What a subscription asks of the hub. */
export interface Keeper {
  /** It has read everything, and has missed something meanwhile. */
  onDrained(subscription: ChannelSubscription): void;
  /** It is not read any more. Resolves when the server knows. */
  leave(subscription: ChannelSubscription): Promise<void>;
}

/**
 * One subscription.
 *
 * ```text
 *   needs ──── answered ────▶ live ◀─┐
 *     ▲ ▲                      │ │   │ the next event, by its offset
 *     │ └─ lost, or a jump ────┘ └───┘
 *     │                        │ the program does not read
 *     └──── it has read ───── full
 * ```
 */
export class ChannelSubscription extends EventQueue implements Subscription<readonly DescMessage[]> {
  readonly ready: Promise<void>;
  stage: "needs" | "live" | "full" | "ended" = "needs";
  /** It has been live. */
  begun = false;

  readonly #keeper: Keeper;
  #resolve = () => {};
  #reject: (error: ConnectError) => void = () => {};

  constructor(
    channel: string,
    schemas: readonly DescMessage[] | undefined,
    capacity: Capacity,
    keeper: Keeper,
    since: Position | undefined,
    signal: AbortSignal | undefined,
  ) {
    super(channel, schemas, capacity, signal);
    this.#keeper = keeper;
    this.cursor = since;
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Who does not wait for it reads of the refusal elsewhere.
    this.ready.catch(() => {});
  }

  /** What comes next may not be the next: it is to be asked for. */
  lose(): void {
    if (this.stage === "live") this.#needs();
  }

  #needs(): void {
    this.stage = "needs";
    if (this.begun) this.setStatus("recovering");
  }

  /** The program has read everything; what it has missed is to be asked for. Whether it has missed something. */
  isDrained(): boolean {
    const isFull = this.stage === "full";
    if (isFull) this.#needs();
    return isFull;
  }

  /** It is live already: the server has subscribed the client. */
  isLive(position: Position | undefined): void {
    this.cursor = position;
    this.stage = "live";
    this.#begin();
  }

  #begin(): void {
    this.begun = true;
    this.#resolve();
    if (this.stage !== "needs") this.setStatus("live");
  }

  /** Gives an event, if it is the next. `epoch`: of which history those are that tell none; 0: of none. */
  offer(raw: Raw, epoch: bigint, skips: Skips): void {
    const { cursor } = this;
    if (this.stage !== "live") return;
    const own = raw.epoch || epoch;
    if (cursor && own !== 0n && own !== cursor.epoch) {
      // Of another history, which is over or has begun: the server knows.
      this.#needs();
    } else if (isDropped(raw)) {
      // The server has left events out here.
      if (cursor) this.#needs();
      else this.putGap(gap(this.channel, "no-history", undefined, undefined, droppedOf(raw)));
    } else if (!cursor || raw.offset === 0n) {
      // It has no place among others.
      this.putOrMiss(raw, "live");
    } else if (raw.offset > cursor.offset) {
      // What lies between may have been for others, or may have been dropped: the server knows.
      if (skips.have(cursor, raw.offset)) this.#give(raw, cursor.epoch, "live");
      else this.#needs();
    }
  }

  /** Gives an event of a channel with history. */
  #give(raw: Raw, epoch: bigint, kind: "live" | "recovered"): void {
    if (this.put(raw, epoch, kind)) this.cursor = { epoch, offset: raw.offset };
    else this.stage = "full";
  }

  /** Whether something may come that the program reads. One that has begun is not asked any more: servers change. */
  mayHear({ types }: Answer): boolean {
    const isOpen = this.begun || types.length === 0 || this.types.length === 0;
    return isOpen || this.types.some((type) => types.includes(type));
  }

  /**
   * Whether an answer to what was asked since a position is one for this subscription: another's may be older than what this one was given
   * meanwhile, and then says nothing of what it has lost.
   */
  isAnsweredBy(since: Position | undefined, { recovered, position }: Answer): boolean {
    const { cursor } = this;
    if (!cursor || !since) return cursor === since;
    if (cursor.epoch !== since.epoch) return false;
    if (cursor.offset === since.offset) return true;
    return recovered && cursor.offset > since.offset && cursor.offset <= (position?.offset ?? 0n);
  }

  /** Takes the answer, and what came behind it. `lost`: some of that was lost. */
  answered(
    since: Position | undefined,
    answer: Answer,
    late: readonly Raw[],
    lost: boolean,
    epoch: bigint,
    skips: Skips,
  ): void {
    this.stage = "live";
    const { position, snapshot } = answer;
    if (position) {
      if (!(since && answer.recovered) && !this.#startsOver(answer, position)) return;
      for (const raw of answer.events) {
        if (this.stage === "live" && raw.offset > (this.cursor?.offset ?? -1n))
          this.#give(raw, position.epoch, "recovered");
      }
      if (this.stage === "live") this.cursor = position;
    } else {
      if (this.begun || since) this.#missAll(undefined);
      this.cursor = undefined;
      if (snapshot) this.putOrMiss(snapshot, "snapshot");
      for (const raw of answer.events) this.putOrMiss(raw, "live");
    }
    for (const raw of late) this.offer(raw, epoch, skips);
    if (lost && this.cursor) this.lose();
    else if (lost) this.#missAll(undefined);
    this.#begin();
  }

  /** Begins at a position: with the snapshot, and behind a gap where something was known before. `false`: not before there is room. */
  #startsOver({ events, snapshot }: Answer, position: Position): boolean {
    const start = { epoch: position.epoch, offset: events[0] ? events[0].offset - 1n : position.offset };
    if (snapshot && !this.hasRoom(snapshot)) {
      this.stage = "full";
      return false;
    }
    if (this.begun || this.cursor) this.#missAll(start);
    if (snapshot) this.put(snapshot, position.epoch, "snapshot");
    this.cursor = start;
    return true;
  }

  #missAll(next: Position | undefined): void {
    this.putGap(gap(this.channel, this.cursor ? "unrecoverable" : "no-history", this.cursor, next));
  }

  /** It is given nothing more, and so goes no further: a program may end it in a callback, while more is there to be given. */
  override finish(error: ConnectError | undefined): void {
    this.stage = "ended";
    super.finish(error);
  }

  /** It ends, with an error. */
  fail(error: ConnectError): void {
    this.#reject(error);
    this.finish(error);
  }

  protected override onDrained(): void {
    this.#keeper.onDrained(this);
  }

  protected override leave(): Promise<void> {
    this.#reject(new ConnectError("the subscription was ended before the server had answered", Code.Canceled));
    return this.#keeper.leave(this);
  }
}
