// The connection of this page, who it is known as, and the list that it hears of.
//
// A list outlives its connections, and its user's login: what was done to it waits until it can be sent.

import { Code, createClient } from "@connectrpc/connect";
import {
  type ConnectionState,
  createWebSocketTransport,
  type Subscription,
  type WebSocketTransport,
} from "rpc-websocket";
import { type Task as ContractTask, TaskChangedSchema, TaskListSchema, TaskService } from "../gen/task/task_pb.js";
import { Board, type Change, type Elsewhere, type Heard } from "../model/board.js";
import { type Calls, Outbox } from "../model/outbox.js";
import { judge } from "./judge.js";
import { keep, type Login } from "./login.js";

/** What anonymous clients share. */
const SHARED = "shared";

/** How long a change may take before it is looked at as lost, in milliseconds. */
const PATIENCE_MS = 15_000;

/** How long to wait before a list that the server could not give is asked for again, in milliseconds. */
const ASK_AGAIN_MS = 5_000;

/** Whether the list may be had: `ended` where the login is over, `required` where there is none and the server wants one. */
export type Access = "granted" | "ended" | "required";

/** Who looks at a session. */
export interface SessionHost {
  /** Something is to be shown anew. */
  changed(): void;
  elsewhere(change: Elsewhere): void;
  /** A change was not made; `error` is `undefined` where its task is gone. */
  refused(change: Change, label: string, error: unknown): void;
  asksToWait(ms: number): void;
  /** The server has warned that the login ends. */
  endsSoon(at: Date): void;
}

type Listening = Subscription<readonly [typeof TaskListSchema, typeof TaskChangedSchema]>;

interface List {
  readonly board: Board;
  readonly outbox: Outbox;
}

export class Session {
  readonly #url: string;
  readonly #host: SessionHost;
  #transport: WebSocketTransport;
  #login: Login | undefined;
  /** The server does not take the login any more. It is not shown again; whose it is stays known. */
  #isOver = false;
  #access: Access = "granted";
  /** The identity is being changed: what it is meanwhile says nothing. */
  #isChanging = false;
  readonly #lists = new Map<string, List>();
  #subscription: Listening | undefined;
  #caughtUp = false;

  constructor(url: string, login: Login | undefined, host: SessionHost) {
    this.#url = url;
    this.#host = host;
    this.#login = login;
    this.#transport = this.#connect();
  }

  get state(): ConnectionState {
    return this.#transport.state;
  }

  get login(): Login | undefined {
    return this.#login;
  }

  get access(): Access {
    return this.#access;
  }

  /** Whether the list is as the server has it, but for what is not saved. */
  get caughtUp(): boolean {
    return this.#caughtUp && this.board.known;
  }

  get board(): Board {
    return this.#list().board;
  }

  /** How many changes of all lists the server may not have. */
  get unsaved(): number {
    let unsaved = 0;
    for (const { board } of this.#lists.values()) unsaved += board.unsaved;
    return unsaved;
  }

  /** Does something to the list. */
  make(change: Change): void {
    this.#list().outbox.make(change);
  }

  /** Makes a lost connection now rather than later; one that is over for good, anew. */
  tryNow(): void {
    if (this.#transport.state.status === "closed") this.#connectAnew();
    else this.#transport.reconnect();
  }

  /** Is this user from now on: on the live connection, where there is one. */
  async become(login: Login): Promise<void> {
    await this.#change(login, () => {
      const { userId } = this.#transport.identity;
      const isOther = userId !== undefined && userId !== login.userId;
      return isOther ? this.#transport.changeUser(login.token) : this.#transport.authenticate(login.token);
    });
  }

  /** Is nobody from now on. What the user has not saved is forgotten. */
  async leave(): Promise<void> {
    this.#unsubscribe();
    if (this.#login) this.#lists.delete(this.#login.userId);
    await this.#change(undefined, () => this.#transport.signOut());
  }

  async #change(login: Login | undefined, inBand: () => Promise<unknown>): Promise<void> {
    this.#unsubscribe();
    this.#login = login;
    this.#isOver = false;
    this.#access = "granted";
    keep(login);
    if (this.#transport.state.status !== "open") return this.#connectAnew();
    this.#isChanging = true;
    this.#host.changed();
    try {
      await inBand();
    } catch {
      // The connection was lost meanwhile for good, or the server is of another mind: another connection tells.
      return this.#connectAnew();
    } finally {
      this.#isChanging = false;
    }
    this.#look();
  }

  #connectAnew(): void {
    this.#unsubscribe();
    this.#transport.close();
    this.#transport = this.#connect();
    this.#host.changed();
  }

  #connect(): WebSocketTransport {
    const transport = createWebSocketTransport({
      url: this.#url,
      token: () => (this.#isOver ? undefined : this.#login?.token),
      defaultTimeoutMs: PATIENCE_MS,
    });
    const isCurrent = () => this.#transport === transport;
    transport.on("state", (state) => {
      if (!isCurrent()) return;
      if (isEnd(state)) this.#end();
      this.#look();
    });
    transport.on("identity", ({ userId, expiresSoon, expiresAt }) => {
      if (!isCurrent()) return;
      if (expiresSoon && userId !== undefined && expiresAt) this.#host.endsSoon(expiresAt);
      this.#look();
    });
    return transport;
  }

  /** The server does not know the user by the login any more. */
  #end(): void {
    if (!this.#login) {
      this.#access = "required";
    } else if (!this.#isOver) {
      this.#isOver = true;
      this.#access = "ended";
      keep(undefined);
      if (this.#transport.state.status === "closed") this.#connectAnew();
    }
  }

  /** Looks at who the server says that this is, and hears of the list where it is who it should be. */
  #look(): void {
    const { state, identity } = this.#transport;
    if (state.status === "open" && !this.#isChanging) {
      if (this.#login && identity.userId !== this.#login.userId) this.#end();
      else if (!this.#login && identity.authenticationRequired) this.#access = "required";
      else if (!this.#subscription) this.#subscribe();
    }
    this.#host.changed();
  }

  #subscribe(): void {
    const { board, outbox } = this.#list();
    const channel = `tasks:${this.#login?.userId ?? SHARED}`;
    const events = [TaskListSchema, TaskChangedSchema] as const;
    const subscription: Listening = this.#transport.hub.subscribe(channel, { events });
    this.#subscription = subscription;
    this.#access = "granted";
    const isCurrent = () => this.#subscription === subscription;
    subscription.on(TaskListSchema, ({ tasks }) => {
      if (!isCurrent()) return;
      board.snapshot(tasks.filter((task) => !task.removed));
      this.#host.changed();
    });
    subscription.on(TaskChangedSchema, ({ kind }) => {
      if (!isCurrent() || kind.case === undefined) return;
      const elsewhere = board.heard(heard(kind));
      if (elsewhere) this.#host.elsewhere(elsewhere);
      this.#host.changed();
    });
    const standing = () => {
      if (!isCurrent()) return;
      this.#caughtUp = subscription.status === "live";
      if (this.#caughtUp) outbox.resume();
      else outbox.pause();
      this.#host.changed();
    };
    subscription.on("status", standing);
    subscription.on("end", (reason) => {
      if (!isCurrent()) return;
      this.#unsubscribe();
      // Closed with the transport, or the identity is another: both tell of themselves.
      if (reason && reason.code !== Code.Canceled) setTimeout(() => this.#look(), ASK_AGAIN_MS);
      this.#host.changed();
    });
    standing();
  }

  /** Hears no more of the list, and sends nothing more to it. */
  #unsubscribe(): void {
    const subscription = this.#subscription;
    this.#subscription = undefined;
    this.#caughtUp = false;
    for (const { outbox } of this.#lists.values()) outbox.pause();
    void subscription?.unsubscribe();
  }

  #list(): List {
    const name = this.#login?.userId ?? SHARED;
    let list = this.#lists.get(name);
    if (!list) {
      const board = new Board();
      const host = this.#host;
      const outbox = new Outbox(board, {
        calls: this.#calls(),
        judge,
        changed: () => host.changed(),
        refused: (change, label, error) => host.refused(change, label, error),
        asksToWait: (ms) => host.asksToWait(ms),
        needsLogin: () => {
          this.#end();
          host.changed();
        },
        after: (ms, then) => {
          const timer = setTimeout(then, ms);
          return () => clearTimeout(timer);
        },
      });
      list = { board, outbox };
      this.#lists.set(name, list);
    }
    return list;
  }

  /** The calls over whatever connection there is. */
  #calls(): Calls {
    const client = () => createClient(TaskService, this.#transport);
    return {
      add: async (label, checked, signal) => (await client().addTask({ item: { label, checked } }, { signal })).id,
      update: async ({ id, label, checked }, signal) =>
        void (await client().updateTask({ id, item: { label, checked } }, { signal })),
      remove: async (id, signal) => void (await client().deleteTask({ id }, { signal })),
    };
  }
}

/** Whether the server has said that it does not know who this is any more. */
function isEnd(state: ConnectionState): boolean {
  if (state.status === "waiting") return state.closeCode === 4401;
  return state.status === "closed" && (state.closeCode === 4505 || state.reason.code === Code.Unauthenticated);
}

/** What was heard. A task that was put away is one that is not in the list. */
function heard(
  kind: { case: "added" | "updated"; value: ContractTask } | { case: "deleted"; value: { id: string } },
): Heard {
  if (kind.case === "deleted") return { case: "deleted", value: { id: kind.value.id } };
  const { id, label, checked, removed } = kind.value;
  return removed ? { case: "deleted", value: { id } } : { case: kind.case, value: { id, label, checked } };
}
