// Where events wait until a program reads them, and the callbacks that need no waiting.

import type { DescMessage } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { onAsyncDispose } from "../dispose.js";
import { Emitter } from "../emitter.js";
import type { EventKind, Gap, Item, Position } from "./event.js";
import { costOf, type Raw, read, skipped } from "./raw.js";
import type { EventStream, SubscriptionEvents, SubscriptionStatus } from "./subscription.js";

/** How much may wait to be read. */
export interface Capacity {
  readonly events: number;
  readonly bytes: number;
}

interface Waiting {
  readonly raw: Raw;
  readonly epoch: bigint | undefined;
  readonly kind: EventKind;
  /** It is none of what the program reads, which was told. */
  isSkipped?: boolean;
}

/** What waits. `before`: up to where the program was given everything, once it has read what is ahead of this. */
interface Queued {
  readonly item: Waiting | Gap;
  readonly before: Position | undefined;
}

type Schemas = readonly DescMessage[];

/** Events as a program reads them. Whoever puts them in knows whether they can be had again. */
export class EventQueue implements EventStream<Schemas> {
  unknown = 0;
  undecodable = 0;
  status: SubscriptionStatus = "subscribing";
  declare [Symbol.asyncDispose]: () => Promise<void>;

  /** Up to where everything was put in. `undefined` in a channel without history, and before there is an answer. */
  cursor: Position | undefined;
  /** What the program reads. Of a server's subscription that is not known before it is accepted. */
  #schemas: Map<string, DescMessage> | undefined;
  readonly #emitter = new Emitter<SubscriptionEvents<Schemas>>();
  #items: Queued[] = [];
  /** How many of them are events. Gaps take no room: what is behind one has that which there was in front of it. */
  #events = 0;
  #bytes = 0;
  /** So many were left out behind the last item, and will not come. */
  #missed = 0;
  /** Something was left out behind the last item that is to be asked for once everything was read. */
  #behind = false;
  #isRead = false;
  /** Items go to them at once. */
  #hasCallbacks = false;
  #end: { error: ConnectError | undefined } | undefined;
  #wake = () => {};
  #unlisten = () => {};

  constructor(
    readonly channel: string,
    schemas: Schemas | undefined,
    public capacity: Capacity,
    signal: AbortSignal | undefined,
  ) {
    if (schemas) this.expect(schemas);
    onAsyncDispose(this, () => this.unsubscribe());
    const stop = () => void this.unsubscribe();
    if (signal?.aborted) queueMicrotask(stop);
    else signal?.addEventListener("abort", stop);
    this.#unlisten = () => signal?.removeEventListener("abort", stop);
  }

  /** Which events the program reads. */
  expect(schemas: Schemas): void {
    this.#schemas = new Map(schemas.map((schema) => [schema.typeName, schema]));
  }

  /** The full names of these events. */
  get types(): string[] {
    return [...(this.#schemas?.keys() ?? [])];
  }

  /** Up to where the program was given everything. */
  get position(): Position | undefined {
    const [first] = this.#items;
    return first ? first.before : this.cursor;
  }

  get unread(): number {
    return this.#items.length;
  }

  /** Whether there are callbacks that take items. */
  get #isTaken(): boolean {
    return this.#emitter.has("item") || this.types.some((type) => this.#emitter.has(type));
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  // What is put in.

  /** Whether an event fits in; one always fits into an empty queue. Where it does not, it is asked for once everything was read. */
  hasRoom(raw: Raw): boolean {
    const { events, bytes } = this.capacity;
    const isFree = this.hasEnded || (this.#hasCallbacks && !this.#isRead) || this.#isUnknown(raw);
    const fits = isFree || this.#events === 0 || (this.#events < events && this.#bytes + costOf(raw) <= bytes);
    this.#behind ||= !fits;
    return fits;
  }

  /** Puts an event in, if there is room. */
  put(raw: Raw, epoch: bigint | undefined, kind: EventKind): boolean {
    if (this.#end) return true;
    if (!this.hasRoom(raw)) return false;
    const item: Waiting = { raw, epoch, kind };
    // Where nobody is to be told of it now, its body is read when the program reads it.
    const isTold = this.#isUnknown(raw) || this.#hasCallbacks || this.#emitter.has("skipped");
    const decoded = isTold && this.#decoded(item);
    if (decoded !== undefined) this.#add(item, costOf(raw), decoded);
    return true;
  }

  /** Whether it is none of the events that the program reads. */
  #isUnknown({ type }: Raw): boolean {
    return this.#schemas?.has(type) === false;
  }

  /** Puts an event in that cannot be had again. What does not fit is counted, and so is what follows until that was told. */
  putOrMiss(raw: Raw, kind: EventKind): void {
    const behind = this.#behind;
    if (this.#missed === 0 && this.put(raw, undefined, kind)) return;
    this.#behind = behind;
    this.#missed += 1;
    this.#wakeAll();
  }

  /** Says that events are missing here. There is always room for that: gaps do not follow each other. */
  putGap(gap: Gap): void {
    if (this.#end) return;
    const last = this.#items.at(-1);
    if (last?.item.kind === "gap") {
      const item = { ...gap, last: last.item.last, missed: undefined };
      this.#items[this.#items.length - 1] = { item, before: last.before };
    } else {
      this.#add(gap, 0, gap);
    }
  }

  #add(item: Waiting | Gap, cost: number, decoded: Item<Schemas> | false): void {
    // A callback may take itself off, or begin a loop: what it was given is not given again.
    const isGiven = this.#hasCallbacks && !this.#isRead;
    if (this.#hasCallbacks) this.#deliver(decoded);
    if (isGiven) return;
    this.#items.push({ item, before: this.cursor });
    this.#events += item.kind === "gap" ? 0 : 1;
    this.#bytes += cost;
    this.#wakeAll();
  }

  #wakeAll(): void {
    const wake = this.#wake;
    this.#wake = () => {};
    wake();
  }

  setStatus(status: SubscriptionStatus): void {
    if (this.status === status || this.status === "ended") return;
    this.status = status;
    this.#emitter.emit("status", status);
  }

  /** Nothing more comes; what waits can be read still. */
  finish(error: ConnectError | undefined): void {
    if (this.#end) return;
    this.#end = { error };
    this.#unlisten();
    this.setStatus("ended");
    this.#emitter.emit("end", error);
    this.#wakeAll();
  }

  // What is read.

  /** The item for the program; `undefined` where it is none, which is told once. */
  #decoded(item: Waiting | Gap): Item<Schemas> | undefined {
    if (item.kind === "gap") return item;
    if (item.isSkipped) return undefined;
    const { raw, epoch, kind } = item;
    const schema = this.#schemas?.get(raw.type);
    try {
      if (schema) return read(raw, schema, this.channel, epoch, kind);
    } catch {
      // Its body is no such message.
    }
    item.isSkipped = true;
    this[schema ? "undecodable" : "unknown"] += 1;
    this.#emitter.emit("skipped", skipped(raw, this.channel, epoch, kind));
    return undefined;
  }

  #deliver(decoded: Item<Schemas> | false | undefined): void {
    if (!decoded) return;
    this.#emitter.emit("item", decoded);
    if (decoded.kind === "gap") this.#emitter.emit("gap", decoded);
    else this.#emitter.call(decoded.type, decoded.message, decoded);
  }

  /** Everything was read: what was left out meanwhile is asked for. */
  protected onDrained(): void {}

  #take(): Waiting | Gap | undefined {
    const item = this.#items.shift()?.item;
    if (item && item.kind !== "gap") {
      this.#events -= 1;
      this.#bytes -= costOf(item.raw);
    }
    if (item && this.unread === 0 && this.#behind) {
      this.#behind = false;
      this.onDrained();
    }
    if (item || this.#missed === 0) return item;
    const missed = this.#missed;
    this.#missed = 0;
    return gap(this.channel, this.channel ? "no-history" : "unread", undefined, undefined, missed);
  }

  async #next(): Promise<IteratorResult<Item<Schemas>>> {
    for (;;) {
      const item = this.#take();
      if (item) {
        const value = this.#decoded(item);
        // Where items go to callbacks, gaps do so too, in their order.
        if (value?.kind === "gap" && !this.#hasCallbacks) this.#emitter.emit("gap", value);
        if (value) return { done: false, value };
      } else if (this.#end) {
        const { error } = this.#end;
        this.#end = { error: undefined };
        if (error) throw error;
        return { done: true, value: undefined };
      } else {
        await new Promise<void>((resolve) => {
          const before = this.#wake;
          this.#wake = () => {
            before();
            resolve();
          };
        });
      }
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<Item<Schemas>> {
    this.#isRead = true;
    return {
      next: () => this.#next(),
      return: async () => {
        await this.unsubscribe();
        return { done: true, value: undefined };
      },
    };
  }

  on(what: DescMessage | string, callback: (...values: never[]) => void): () => void {
    this.#emitter.add(typeof what === "string" ? what : what.typeName, callback);
    // Others may be added beside it before what waits is given to all.
    queueMicrotask(() => this.#flush());
    return () => this.off(what, callback);
  }

  off(what: DescMessage | string, callback: (...values: never[]) => void): void {
    this.#emitter.off(typeof what === "string" ? what : what.typeName, callback);
    if (!this.#isTaken) this.#hasCallbacks = false;
  }

  /** Gives what waits to callbacks, which from now on are given everything at once, and tells of what is skipped. */
  #flush(): void {
    const isFirst = !this.#hasCallbacks && this.#isTaken;
    this.#hasCallbacks ||= isFirst;
    if (isFirst && !this.#isRead) {
      // The last callback may be taken off meanwhile: what waits behind goes on waiting.
      while (this.#hasCallbacks) {
        const item = this.#take();
        if (!item) break;
        this.#deliver(this.#decoded(item));
      }
    } else if (isFirst || this.#emitter.has("skipped")) {
      for (const { item } of [...this.#items]) {
        const decoded = this.#decoded(item);
        if (isFirst) this.#deliver(decoded);
      }
    }
  }

  /** It ends with its transport. */
  close(error: ConnectError): void {
    this.finish(error);
    void this.leave();
  }

  async unsubscribe(): Promise<void> {
    // What is thrown away here was not given.
    this.cursor = this.position;
    this.#items = [];
    this.#events = 0;
    this.#bytes = 0;
    this.#missed = 0;
    this.finish(undefined);
    // Nobody is told of an end that came before.
    this.#end = { error: undefined };
    await this.leave();
  }

  /** Whoever puts events in does so no more. */
  protected async leave(): Promise<void> {}
}

/** That events are missing. */
export function gap(channel: string, cause: Gap["cause"], last: Gap["last"], next: Gap["next"], missed?: number): Gap {
  return { kind: "gap", type: undefined, channel, cause, last, next, missed };
}
