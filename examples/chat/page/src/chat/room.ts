// One room as this client knows it: what was said in it, who is there, who is writing. It knows no elements.

import { create } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type { EventAmong, Gap, Hub, Subscription } from "rpc-websocket";
import { JoinedSchema, LeftSchema } from "rpc-websocket/protos/hub/v1/hub";
import { CardSchema, type ChatService, KickedSchema, SaidSchema, TypingSchema } from "../gen/chat/chat_pb.js";
import { count } from "../words.js";

/** Everything that happens in a room. */
const EVENTS = [SaidSchema, KickedSchema, JoinedSchema, LeftSchema] as const;
const TYPING = [TypingSchema] as const;

type RoomEvent = EventAmong<typeof EVENTS>;

/** How much of the past is read at once. */
const PAGE = 40;

/** Of what was heard the latest so many lines stay, once there are more than so many, while nobody reads what is older. */
const KEPT = 300;
const MOST = 500;

/** Somebody is writing for so long after it was last heard, in milliseconds; and says so again before that is over. */
const WRITES_MS = 4_000;
const SAYS_AGAIN_MS = 2_500;

/** A line that the server does not take yet is said again after so long, and so often before it has failed. */
const PUT_OFF_MS = 500;
const PUT_OFF_TIMES = 20;

/** A line of the room. */
export type Line = Spoken | Remark;

/** Somebody said something. */
export interface Spoken {
  readonly kind: "spoken";
  readonly key: string;
  readonly user: string;
  readonly text: string;
  readonly time: Date;
  /** `sending`: this client said it, and it was not heard yet. */
  state: "heard" | "sending" | "failed";
  /** Why it failed. */
  error?: unknown;
}

/** Something else happened. */
export interface Remark {
  readonly kind: "remark";
  readonly key: string;
  readonly text: string;
  readonly time: Date;
  /** `mended`: what was missed is there again. `missing`: it is not. */
  readonly about: "people" | "mended" | "missing";
}

/** Somebody who is in the room. */
export interface Person {
  readonly user: string;
  readonly doing: string;
}

/** What the view is told of. */
export interface RoomListener {
  /** The lines have changed; `said` came just now, from somebody else. */
  lines(said?: Spoken): void;
  people(): void;
  /** Others who are writing have changed. */
  typing(): void;
  /** It is over: this client is not in the room any more. */
  ended(reason: ConnectError | undefined): void;
}

/** A room that this client is in, until it {@link leave}s or is put out. */
export class Room {
  /** In their order; what is still being sent stands last. */
  readonly lines: Line[] = [];
  people: readonly Person[] = [];
  /** Since when others write, by their names. */
  readonly #typing = new Map<string, number>();
  /** Whether there is more of the past to be read. */
  hasMore = false;
  isReading = false;

  readonly #events: Subscription<typeof EVENTS>;
  readonly #writing: Subscription<typeof TYPING>;
  /** Where lines stand that were heard, by their keys. */
  readonly #ranks = new Map<string, bigint>();
  /** The histories that there were, in their order: one begins anew with a server that keeps it in its memory. */
  readonly #epochs: bigint[] = [];
  /** The offset of the oldest line that is known of the latest history. */
  #oldest: bigint | undefined;
  #readsAgain = false;
  /** What was said last is known. Until then it is read with each connection. */
  #isRead = false;
  #recovered = 0;
  #saidTyping = 0;
  /** What was said last has its answer. */
  #sent: Promise<void> = Promise.resolve();
  #asksPeople = false;
  #isOver = false;

  constructor(
    readonly name: string,
    private readonly me: string,
    doing: string,
    private readonly hub: Hub,
    private readonly chat: Client<typeof ChatService>,
    private readonly listener: RoomListener,
  ) {
    this.#events = hub.subscribe(`room:${name}`, {
      events: EVENTS,
      presence: { schema: CardSchema, message: { doing } },
    });
    this.#writing = hub.subscribe(`typing:${name}`, { events: TYPING });
    this.#events.on("item", (item) => this.#hear(item));
    this.#events.on("status", (status) => {
      if (status === "live") this.#live();
      // Whoever was writing may have gone meanwhile.
      this.#typing.clear();
      this.listener.typing();
    });
    this.#events.on("end", (reason) => this.#end(reason));
    this.#writing.on(TypingSchema, (_, event) => this.#writes(event.userId));
    // Why it is not let in, `end` says.
    this.#writing.ready.catch(() => {});
    this.#events.ready.catch(() => {});
  }

  /** Whether this client hears the room now. */
  get isLive(): boolean {
    return this.#events.status === "live";
  }

  /** Who is writing, but for this user. */
  get typing(): readonly string[] {
    const since = Date.now() - WRITES_MS;
    for (const [user, last] of this.#typing) if (last < since) this.#typing.delete(user);
    return [...this.#typing.keys()].sort();
  }

  /** Says something. It is a line at once, and waits where there is no connection. */
  async say(text: string): Promise<void> {
    const key = crypto.randomUUID();
    // The server puts the user's name in front, so that nobody says something under another's key.
    const line: Spoken = {
      kind: "spoken",
      key: `${this.me}/${key}`,
      user: this.me,
      text,
      time: new Date(),
      state: "sending",
    };
    this.lines.push(line);
    this.#saidTyping = 0;
    this.listener.lines();
    await this.#sendInTurn(line, key);
  }

  /** Says once more what failed. By its key it is heard once, whatever became of it before. */
  async sayAgain(line: Spoken): Promise<void> {
    line.state = "sending";
    this.listener.lines();
    await this.#sendInTurn(line, line.key.slice(this.me.length + 1));
  }

  /** Forgets what failed. */
  giveUp(line: Spoken): void {
    this.#remove(line);
    this.listener.lines();
  }

  /** Sends behind what was said before: a line that the server puts off, because somebody says much, is not overtaken by the next. */
  #sendInTurn(line: Spoken, key: string): Promise<void> {
    this.#sent = this.#sent.then(() => this.#send(line, key));
    return this.#sent;
  }

  /** Never rejects. */
  async #send(line: Spoken, key: string): Promise<void> {
    try {
      await this.#sayInTime(line, key);
      // Its event brings it to its place, if it is not there yet.
      line.state = "heard";
    } catch (error) {
      // It may have been heard all the same.
      if (line.state === "sending") {
        line.state = "failed";
        line.error = error;
      }
    }
    this.listener.lines();
  }

  /** Who says more than the server takes at once says it a little later. */
  async #sayInTime(line: Spoken, key: string): Promise<void> {
    for (let left = PUT_OFF_TIMES; ; left -= 1) {
      try {
        await this.chat.say({ room: this.name, text: line.text, key });
        return;
      } catch (error) {
        const isTooMuch = ConnectError.from(error).code === Code.ResourceExhausted;
        if (!isTooMuch || left === 0 || this.#isOver) throw error;
        await new Promise((resolve) => setTimeout(resolve, PUT_OFF_MS));
      }
    }
  }

  /** Tells the others that this user is writing, now and then. */
  writes(): void {
    const now = Date.now();
    if (now - this.#saidTyping < SAYS_AGAIN_MS || this.#writing.status !== "live") return;
    this.#saidTyping = now;
    // It is worth nothing a moment later: nobody hears that it failed.
    this.hub
      .publish(this.#writing.channel, TypingSchema, {}, { exceptSelf: true, timeoutMs: SAYS_AGAIN_MS })
      .catch(() => {});
  }

  /** Reads what was said before that what is known. */
  async readMore(): Promise<void> {
    if (this.#isOver) return;
    if (this.isReading) {
      // From the end, where something was missed meanwhile.
      this.#readsAgain ||= this.#oldest === undefined;
      return;
    }
    this.isReading = true;
    this.listener.lines();
    try {
      const page = await this.hub.history(this.#events.channel, {
        events: EVENTS,
        newestFirst: true,
        limit: PAGE,
        before: this.#oldest,
      });
      for (const event of page.events) this.#place(event);
      this.#isRead = true;
      this.hasMore = page.more;
      if (page.end) this.#oldest = page.end.offset;
    } catch {
      // Whoever scrolls there tries again.
      this.hasMore = true;
    } finally {
      this.isReading = false;
      this.listener.lines();
      if (this.#readsAgain) {
        this.#readsAgain = false;
        this.#oldest = undefined;
        void this.readMore();
      }
    }
  }

  /** Goes. */
  leave(): void {
    this.#isOver = true;
    void this.#events.unsubscribe();
    void this.#writing.unsubscribe();
  }

  #hear(item: RoomEvent | Gap): void {
    if (item.kind === "gap") {
      this.#remark("missing", "Something is missing here: you were away for longer than it is kept.", new Date());
      // What is kept is read again from its end.
      this.#oldest = undefined;
      void this.readMore();
      return;
    }
    if (item.kind === "recovered") this.#recovered += 1;
    const line = this.#place(item);
    if (item.type === SaidSchema.typeName && item.userId !== undefined) this.#typing.delete(item.userId);
    else void this.#askPeople();
    const isNews = line?.kind === "spoken" && line.user !== this.me && item.kind === "live";
    this.listener.lines(isNews ? line : undefined);
    this.listener.typing();
  }

  /** Has come in, or come back. */
  #live(): void {
    if (this.#recovered > 0) {
      const missed = count(this.#recovered, "thing");
      this.#remark(
        "mended",
        `You were away. ${missed} that happened meanwhile ${this.#recovered === 1 ? "is" : "are"} above.`,
        new Date(),
      );
      this.#recovered = 0;
    }
    this.listener.lines();
    void this.#askPeople();
    if (!this.#isRead) void this.readMore();
  }

  /** Forgets the oldest of what was heard, where there is much of it and nobody reads there: it is read again when they do. */
  forgetOld(): void {
    const heard = this.lines.filter((line) => this.#ranks.has(line.key));
    if (heard.length <= MOST || this.isReading) return;
    for (const line of heard.slice(0, heard.length - KEPT)) this.#remove(line);
    const first = heard[heard.length - KEPT];
    const rank = first && this.#ranks.get(first.key);
    // Of another history than the latest nothing is to be had.
    if (rank === undefined || rank >> 64n !== BigInt(this.#epochs.length - 1)) return;
    this.#oldest = rank & ((1n << 64n) - 1n);
    this.hasMore = true;
  }

  #end(reason: ConnectError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    void this.#writing.unsubscribe();
    this.listener.ended(reason);
  }

  #writes(user: string | undefined): void {
    if (user === undefined || user === this.me) return;
    this.#typing.set(user, Date.now());
    this.listener.typing();
    // When nothing more is heard of it, it is over.
    setTimeout(() => this.listener.typing(), WRITES_MS + 50);
  }

  /** Asks who is there. What is asked while an answer is on its way is asked once more behind it. */
  async #askPeople(): Promise<void> {
    if (this.#asksPeople) return;
    this.#asksPeople = true;
    // Several who come at once are one question.
    await new Promise((wake) => setTimeout(wake, 50));
    this.#asksPeople = false;
    if (this.#isOver) return;
    try {
      const presence = await this.hub.presence(this.#events.channel, { presence: CardSchema });
      const doing = new Map<string, string>();
      for (const { userId, presence: card } of presence.members) {
        // Several tabs are one person.
        if (userId !== undefined) doing.set(userId, (card ?? create(CardSchema)).doing || (doing.get(userId) ?? ""));
      }
      this.people = [...doing]
        .map(([user, doing]) => ({ user, doing }))
        .sort((one, other) => one.user.localeCompare(other.user));
      this.listener.people();
    } catch {
      // With the next who comes or goes it is asked again, and with the next connection.
    }
  }

  /** Puts an event in its place. Gives its line, unless it is there already. */
  #place(event: RoomEvent): Line | undefined {
    if (this.#ranks.has(event.id)) return undefined;
    // What this client has said goes from the end to where all have it.
    const own = this.lines.find((line) => line.key === event.id);
    if (own) this.#remove(own);
    const line = lineOf(event);
    this.#insert(line, this.#rankOf(event));
    const { epoch, offset } = event.position ?? { epoch: 0n, offset: 0n };
    if (epoch === this.#epochs.at(-1) && (this.#oldest === undefined || offset < this.#oldest)) this.#oldest = offset;
    return line;
  }

  /** Where an event stands among all: by the history that it is of, and its offset there. */
  #rankOf(event: RoomEvent): bigint {
    const { epoch, offset } = event.position ?? { epoch: 0n, offset: 0n };
    if (!this.#epochs.includes(epoch)) this.#epochs.push(epoch);
    return (BigInt(this.#epochs.indexOf(epoch)) << 64n) + offset;
  }

  /** Behind everything of its rank and below, and in front of what is being sent. */
  #insert(line: Line, rank: bigint): void {
    this.#ranks.set(line.key, rank);
    const behind = this.lines.findIndex((other) => (this.#ranks.get(other.key) ?? rank + 1n) > rank);
    this.lines.splice(behind < 0 ? this.lines.length : behind, 0, line);
  }

  /** Remarks something behind all that was heard. */
  #remark(about: Remark["about"], text: string, time: Date): void {
    const last = this.lines.findLast((other) => this.#ranks.has(other.key));
    const rank = (last && this.#ranks.get(last.key)) ?? 0n;
    this.#insert({ kind: "remark", key: `remark/${crypto.randomUUID()}`, text, time, about }, rank);
  }

  #remove(line: Line): void {
    this.lines.splice(this.lines.indexOf(line), 1);
    this.#ranks.delete(line.key);
  }
}

function lineOf(event: RoomEvent): Line {
  const remark = (text: string): Remark => ({ kind: "remark", key: event.id, text, time: event.time, about: "people" });
  switch (event.type) {
    case SaidSchema.typeName:
      return {
        kind: "spoken",
        key: event.id,
        user: event.userId ?? "somebody",
        text: event.message.text,
        time: event.time,
        state: "heard",
      };
    case KickedSchema.typeName: {
      const why = event.message.reason === "" ? "" : `: ${event.message.reason}`;
      return remark(`${event.message.user} was put out by ${event.userId ?? "somebody"}${why}`);
    }
    case JoinedSchema.typeName:
      return remark(`${event.message.userId ?? "somebody"} came in`);
    case LeftSchema.typeName:
      return remark(`${event.message.userId ?? "somebody"} went away`);
  }
}
