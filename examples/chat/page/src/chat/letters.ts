// What was written to this user alone, and by it to others. It knows no elements.

import type { Client } from "@connectrpc/connect";
import type { EventOf, Gap, Hub, Subscription } from "rpc-websocket";
import { type ChatService, DirectMessageSchema } from "../gen/chat/chat_pb.js";

const EVENTS = [DirectMessageSchema] as const;

/** As much as is kept. */
const ALL = 100;

/** Something that one has written to the other. */
export interface Letter {
  readonly key: string;
  readonly with: string;
  readonly isMine: boolean;
  readonly text: string;
  readonly time: Date;
  state: "heard" | "sending" | "failed";
  error?: unknown;
  /** It was written to somebody who is not there: they read it when they come, within the hour. */
  waits?: boolean;
}

/** What the view is told of: that there are other letters; `news` came just now, from somebody else. */
export type LettersListener = (news?: Letter) => void;

/** The inbox. */
export class Letters {
  readonly all: Letter[] = [];
  readonly #unread = new Map<string, number>();
  readonly #inbox: Subscription<typeof EVENTS>;
  /** What was written before is known. */
  #isRead = false;
  #isOver = false;

  constructor(
    private readonly me: string,
    private readonly hub: Hub,
    private readonly chat: Client<typeof ChatService>,
    private readonly listener: LettersListener,
  ) {
    this.#inbox = hub.subscribe(`inbox:${me}`, { events: EVENTS });
    this.#inbox.on("item", (item) => this.#hear(item));
    this.#inbox.on("status", (status) => {
      // Also with each connection, until it was read once.
      if (status === "live" && !this.#isRead) void this.#read();
    });
    this.#inbox.ready.catch(() => {});
  }

  /** With whom there are letters: who has written last comes first. */
  get others(): readonly string[] {
    return [...new Set(this.all.map((letter) => letter.with).reverse())];
  }

  /** The letters with one user. */
  with(user: string): readonly Letter[] {
    return this.all.filter((letter) => letter.with === user);
  }

  /** How many of one user's letters were not seen. */
  unread(user: string): number {
    return this.#unread.get(user) ?? 0;
  }

  /** They are seen. */
  seen(user: string): void {
    if (this.#unread.delete(user)) this.listener();
  }

  /** Writes to somebody. It waits where there is no connection. */
  async write(to: string, text: string): Promise<void> {
    const key = crypto.randomUUID();
    const letter: Letter = {
      // The server puts the user's name in front, so that nobody writes something under another's key.
      key: `${this.me}/${key}`,
      with: to,
      isMine: true,
      text,
      time: new Date(),
      state: "sending",
    };
    this.all.push(letter);
    this.listener();
    await this.#send(letter, key);
  }

  /** Writes once more what failed. By its key it comes once. */
  async writeAgain(letter: Letter): Promise<void> {
    letter.state = "sending";
    this.listener();
    await this.#send(letter, letter.key.slice(this.me.length + 1));
  }

  /** Forgets what failed. */
  giveUp(letter: Letter): void {
    this.all.splice(this.all.indexOf(letter), 1);
    this.listener();
  }

  /** Hears no more. */
  leave(): void {
    this.#isOver = true;
    void this.#inbox.unsubscribe();
  }

  async #send(letter: Letter, key: string): Promise<void> {
    try {
      const { isThere } = await this.chat.write({ to: letter.with, text: letter.text, key });
      letter.waits = !isThere;
    } catch (error) {
      if (letter.state === "sending") {
        letter.state = "failed";
        letter.error = error;
      }
    }
    this.listener();
  }

  async #read(): Promise<void> {
    try {
      const page = await this.hub.history(this.#inbox.channel, { events: EVENTS, newestFirst: true, limit: ALL });
      for (const event of page.events) this.#place(event);
      this.#isRead = true;
    } catch {
      // With the next connection it is read again.
      return;
    }
    if (!this.#isOver) this.listener();
  }

  #hear(item: EventOf<typeof DirectMessageSchema> | Gap): void {
    if (item.kind === "gap") {
      void this.#read();
      return;
    }
    const letter = this.#place(item);
    if (letter === undefined) return;
    if (!letter.isMine) this.#unread.set(letter.with, this.unread(letter.with) + 1);
    this.listener(letter.isMine ? undefined : letter);
  }

  /** Puts a letter in its place. Gives it, unless it is there already. */
  #place(event: EventOf<typeof DirectMessageSchema>): Letter | undefined {
    const known = this.all.find((letter) => letter.key === event.id);
    if (known) {
      known.state = "heard";
      this.listener();
      return undefined;
    }
    const from = event.userId ?? "somebody";
    const isMine = from === this.me;
    const letter: Letter = {
      key: event.id,
      with: isMine ? event.message.to : from,
      isMine,
      text: event.message.text,
      time: event.time,
      state: "heard",
    };
    const behind = this.all.findIndex((other) => other.state === "heard" && other.time > letter.time);
    this.all.splice(behind < 0 ? this.all.length : behind, 0, letter);
    return letter;
  }
}
