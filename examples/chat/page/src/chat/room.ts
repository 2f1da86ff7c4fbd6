// One room as this client knows it: that it is heard, what is said there and read of what was said before, who is there, who is writing. It
// knows no elements.

import { create } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type { Gap, Hub, Subscription } from "rpc-websocket";
import { CardSchema, type ChatService, SaidSchema, TypingSchema } from "../gen/chat/chat_pb.js";
import { count } from "../words.js";
import { EVENTS, type Line, Lines, type RoomEvent, type Spoken } from "./lines.js";

const TYPING = [TypingSchema] as const;

/** How much of the past is read at once. */
const PAGE = 40;

/** Somebody is writing for so long after it was last heard, in milliseconds; and says so again before that is over. */
const WRITES_MS = 4_000;
const SAYS_AGAIN_MS = 2_500;

/** Who is there is asked once for all that happens within so long, in milliseconds. */
const TOGETHER_MS = 50;

/** A line that the server does not take yet is said again after so long, and so often before it has failed. */
const PUT_OFF_MS = 500;
const PUT_OFF_TIMES = 20;

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
  people: readonly Person[] = [];
  /** Since when others write, by their names. */
  readonly #typing = new Map<string, number>();
  /** Whether there is more of the past to be read. */
  hasMore = false;
  isReading = false;
  /** How often something of the past was read. */
  reads = 0;

  readonly #events: Subscription<typeof EVENTS>;
  readonly #writing: Subscription<typeof TYPING>;
  readonly #lines = new Lines();
  #readsAgain = false;
  /** What was said last is known. Until then it is read with each connection. */
  #isRead = false;
  #recovered = 0;
  #saidTyping = 0;
  /** What was said last has its answer. */
  #sent: Promise<void> = Promise.resolve();
  #asksPeople = false;
  /** Who is there was answered. */
  #answered: Promise<void> = Promise.resolve();
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

  /** What was said and what happened, in its order; what is still being sent stands last. */
  get lines(): readonly Line[] {
    return this.#lines.all;
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
    this.#lines.add(line);
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
    this.#lines.remove(line);
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
      this.#readsAgain ||= this.#lines.oldest === undefined;
      return;
    }
    this.isReading = true;
    this.listener.lines();
    try {
      const page = await this.hub.history(this.#events.channel, {
        events: EVENTS,
        newestFirst: true,
        limit: PAGE,
        before: this.#lines.oldest,
      });
      for (const event of page.events) this.#lines.place(event);
      this.#isRead = true;
      this.reads += 1;
      this.hasMore = page.more;
      if (page.end) this.#lines.oldest = page.end.offset;
    } catch {
      // Whoever scrolls there tries again.
      this.hasMore = true;
    } finally {
      this.isReading = false;
      this.listener.lines();
      if (this.#readsAgain) {
        this.#readsAgain = false;
        this.#lines.oldest = undefined;
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
      this.#lines.remark("missing", "Something is missing here: you were away for longer than it is kept.", new Date());
      // What is kept is read again from its end.
      this.#lines.oldest = undefined;
      void this.readMore();
      return;
    }
    if (item.kind === "recovered") this.#recovered += 1;
    const line = this.#lines.place(item);
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
      this.#lines.remark(
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
    if (!this.isReading && this.#lines.forgetOld()) this.hasMore = true;
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

  /** Asks who is there. What is asked while an answer is on its way is asked once more behind it: of two answers the older may come last. */
  async #askPeople(afterMs = TOGETHER_MS): Promise<void> {
    if (this.#asksPeople) return;
    this.#asksPeople = true;
    // Several who come at once are one question.
    await new Promise((wake) => setTimeout(wake, afterMs));
    await this.#answered;
    this.#asksPeople = false;
    if (this.#isOver) return;
    this.#answered = this.#readPeople();
  }

  /** Never rejects. */
  async #readPeople(): Promise<void> {
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
    } catch (error) {
      // Whoever has said much is answered a little later.
      if (ConnectError.from(error).code === Code.ResourceExhausted) void this.#askPeople(PUT_OFF_MS);
      // Else with the next who comes or goes it is asked again, and with the next connection.
    }
  }
}
