// Somebody who is known, and all that they see: which rooms they are in, where they look, and how they are told.

import { type Client, Code, type ConnectError, createClient } from "@connectrpc/connect";
import { type ConnectionState, createWebSocketTransport, type WebSocketTransport } from "rpc-websocket";
import { NotificationSchema } from "rpc-websocket/protos/hub/v1/hub";
import type { Login } from "../account.js";
import { fill, h } from "../dom.js";
import { ChatService, type Room as ListedRoom } from "../gen/chat/chat_pb.js";
import { ConnectionView } from "../view/connection.js";
import { askToKick } from "../view/kick.js";
import { LettersView } from "../view/letters.js";
import { type Place, PlacesView } from "../view/places.js";
import { RoomView } from "../view/room.js";
import { why } from "../words.js";
import { type Letter, Letters } from "./letters.js";
import type { Spoken } from "./lines.js";
import { Room } from "./room.js";

/** With this a server closes the connection of somebody whose login has ended. */
const TOKEN_EXPIRED = 4401;

/** A message is read out so long at most, in characters. */
const READ_OUT = 200;

/** What an app is told, and tells. */
export interface AppOptions {
  readonly login: Login;
  /** The rooms that this user was in before they had to log in again. */
  readonly rooms: readonly string[];
  /** The login is not good any more; these are the rooms. */
  readonly onLoggedOut: (why: string, rooms: readonly string[]) => void;
  /** The connection is over for another reason, and somebody wants another; these are the rooms. */
  readonly onAgain: (rooms: readonly string[]) => void;
  readonly onLogOut: () => void;
}

/** Where somebody looks. */
interface Looked {
  /** As the address has it; empty: nowhere. */
  readonly path: string;
  readonly room?: RoomView;
  readonly letters?: LettersView;
}

/** What is seen. */
export class App {
  readonly element: HTMLElement;
  readonly #transport: WebSocketTransport;
  readonly #chat: Client<typeof ChatService>;
  readonly #connection: ConnectionView;
  readonly #places: PlacesView;
  readonly #letters: Letters;
  readonly #rooms = new Map<string, Room>();
  readonly #unread = new Map<string, number>();
  readonly #abort = new AbortController();
  /** What is read out to who does not look. */
  readonly #heard = h("div", { class: "hidden", role: "log", "aria-live": "polite" });
  readonly #news = h("div", { class: "toasts", role: "status", "aria-atomic": "false" });
  #listed: readonly ListedRoom[] = [];
  #view: Looked | undefined;

  constructor(private readonly options: AppOptions) {
    const { login } = options;
    // Asked for each connection, so that a login that has ended is shown, refused and asked for, and nobody is anonymous by accident.
    this.#transport = createWebSocketTransport({ url: "/rpc", token: () => login.token });
    this.#chat = createClient(ChatService, this.#transport);
    this.#connection = new ConnectionView(this.#transport, () => this.options.onAgain(this.#end()));
    this.#places = new PlacesView(login.user, login.isAdmin, () => this.#logOut());
    this.element = h("div", { class: "app" }, this.#places.element, this.#heard, this.#news);
    this.#letters = new Letters(login.user, this.#transport.hub, this.#chat, (news) => this.#onLetters(news));
    this.#transport.on("state", (state) => {
      if (state.status === "open") void this.#list();
      if (isLogout(state)) this.#closed();
    });
    const notices = this.#transport.hub.events({ events: [NotificationSchema] });
    notices.on(NotificationSchema, (notice) => this.#toast(`${notice.title}. ${notice.message}`));
    const { signal } = this.#abort;
    window.addEventListener("hashchange", () => this.#go(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.#seen(), { signal });
    window.addEventListener("focus", () => void this.#list(), { signal });
    for (const room of options.rooms) this.#enter(room);
    this.#go();
    this.#drawPlaces();
  }

  /** Ends it all. */
  close(): void {
    this.#abort.abort();
    this.#connection.close();
    this.#transport.close();
    document.title = "Chat";
  }

  #logOut(): void {
    this.close();
    this.options.onLogOut();
  }

  #closed(): void {
    if (this.#abort.signal.aborted) return;
    this.options.onLoggedOut("You have been logged out: your login has ended.", this.#end());
  }

  /** Ends it all, and gives the rooms that somebody was in. */
  #end(): readonly string[] {
    const rooms = [...this.#rooms.keys()];
    this.close();
    return rooms;
  }

  /** Asks which rooms there are, and how many are in them. */
  async #list(): Promise<void> {
    try {
      this.#listed = (await this.#chat.listRooms({}, { timeoutMs: 10_000 })).rooms;
    } catch {
      // With the next connection, or when somebody looks again.
      return;
    }
    this.#drawPlaces();
    if (this.#view === undefined) this.#go();
  }

  /** Shows what the address names. */
  #go(): void {
    const [kind, name = ""] = pathOf(location.hash);
    this.#showPlaces(false);
    if (kind === "room" && name !== "") this.#showRoom(name);
    else if (kind === "with" && name !== "") this.#showLetters(name);
    else {
      const first = this.#listed[Math.floor(this.#listed.length / 2)];
      if (first) location.replace(`#room/${first.name}`);
    }
  }

  #showRoom(name: string): void {
    const room = this.#enter(name);
    const view = new RoomView(
      room,
      this.options.login.user,
      {
        leave: () => this.#leave(name),
        writeTo: (user) => location.assign(`#with/${user}`),
        kick: this.options.login.isAdmin
          ? (user) => askToKick(name, user, (reason) => this.#chat.kick({ room: name, user, reason }))
          : undefined,
        places: () => this.#showPlaces(true),
      },
      this.#connection.element,
    );
    this.#show({ path: `room/${name}`, room: view }, view.element, view.aside);
  }

  #showLetters(other: string): void {
    const view = new LettersView(this.#letters, this.options.login.user, other, this.#connection.element, () =>
      this.#showPlaces(true),
    );
    this.#show({ path: `with/${other}`, letters: view }, view.element);
  }

  #show(view: Looked, ...elements: HTMLElement[]): void {
    this.#view = view;
    fill(this.element, this.#places.element, ...elements, this.#heard, this.#news);
    this.#seen();
    this.#drawPlaces();
    // Whoever goes somewhere writes there; on a touch screen the keyboard stays away until it is asked for.
    const isTouch = matchMedia("(pointer: coarse)").matches;
    this.element.querySelector<HTMLElement>(isTouch ? "h1" : "textarea")?.focus({ preventScroll: true });
  }

  #enter(name: string): Room {
    const known = this.#rooms.get(name);
    if (known) return known;
    const room = new Room(name, this.options.login.user, "", this.#transport.hub, this.#chat, {
      lines: (said) => this.#onLines(name, said),
      people: () => {
        this.#viewOf(name)?.drawPeople();
        void this.#list();
      },
      typing: () => this.#viewOf(name)?.drawTyping(),
      ended: (reason) => this.#onEnded(name, reason),
    });
    this.#rooms.set(name, room);
    return room;
  }

  #leave(name: string): void {
    this.#rooms.get(name)?.leave();
    this.#forget(name);
  }

  #forget(name: string): void {
    this.#rooms.delete(name);
    this.#unread.delete(`room/${name}`);
    const next = [...this.#rooms.keys()].at(-1);
    if (this.#view?.path === `room/${name}`) {
      if (next !== undefined) location.replace(`#room/${next}`);
      else this.#nowhere();
    }
    this.#drawPlaces();
    void this.#list();
  }

  /** Looks at no room. */
  #nowhere(): void {
    history.replaceState(null, "", location.pathname);
    this.#view = { path: "" };
    const empty = h(
      "main",
      { class: "place nowhere" },
      this.#connection.element,
      h(
        "div",
        { class: "center" },
        h("h1", { tabindex: "-1" }, "You are in no room"),
        h("p", {}, "Choose one of those that there are."),
      ),
    );
    fill(this.element, this.#places.element, empty, this.#heard, this.#news);
    this.#showPlaces(true);
  }

  #onLines(name: string, said: Spoken | undefined): void {
    const isSeen = this.#isSeen(`room/${name}`);
    const view = this.#viewOf(name);
    if (view) view.draw(said ? 1 : 0);
    else this.#rooms.get(name)?.forgetOld();
    if (said === undefined) return;
    if (!isSeen) this.#unread.set(`room/${name}`, (this.#unread.get(`room/${name}`) ?? 0) + 1);
    this.#readOut(isSeen ? `${said.user}: ${said.text}` : `${said.user} in ${name}: ${said.text}`);
    this.#drawPlaces();
  }

  #onLetters(news: Letter | undefined): void {
    const { letters } = this.#view ?? {};
    letters?.draw(news?.with === letters.other ? 1 : 0);
    if (news) {
      if (this.#isSeen(`with/${news.with}`)) this.#letters.seen(news.with);
      this.#readOut(`${news.with} to you alone: ${news.text}`);
    }
    this.#drawPlaces();
  }

  #onEnded(name: string, reason: ConnectError | undefined): void {
    // Where the whole connection is over, nobody has left a room.
    if (this.#abort.signal.aborted || this.#transport.state.status === "closed") return;
    this.#forget(name);
    this.#toast(why(`You are not in ${name}`, reason ?? new Error("")));
  }

  #viewOf(room: string): RoomView | undefined {
    return this.#view?.path === `room/${room}` ? this.#view.room : undefined;
  }

  #isSeen(path: string): boolean {
    return this.#view?.path === path && !document.hidden;
  }

  /** Somebody looks at what is there. */
  #seen(): void {
    const { path = "", letters } = this.#view ?? {};
    if (this.#unread.delete(path)) this.#drawPlaces();
    if (letters) this.#letters.seen(letters.other);
  }

  #drawPlaces(): void {
    const listed = this.#listed.map(
      (room): Place => ({
        path: `room/${room.name}`,
        name: room.name,
        kind: "room",
        note: room.users > 0n ? String(room.users) : "",
        unread: this.#unread.get(`room/${room.name}`) ?? 0,
        isIn: this.#rooms.has(room.name),
      }),
    );
    const others = new Set(this.#letters.others);
    const { letters } = this.#view ?? {};
    if (letters) others.add(letters.other);
    const users = [...others].map(
      (user): Place => ({
        path: `with/${user}`,
        name: user,
        kind: "user",
        note: "",
        unread: this.#letters.unread(user),
        isIn: true,
      }),
    );
    const all = [...listed, ...users];
    this.#places.draw(all, this.#view?.path);
    const unread = all.reduce((sum, place) => sum + place.unread, 0);
    const here = this.#view?.path.split("/")[1];
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${here ? `${here} – ` : ""}Chat`;
  }

  /** On a narrow window the list of places covers the rest while one chooses. */
  #showPlaces(shown: boolean): void {
    if (shown) this.element.dataset["choosing"] = "";
    else delete this.element.dataset["choosing"];
    if (shown) this.#places.element.querySelector("a")?.focus();
  }

  #readOut(text: string): void {
    const line = h("p", {}, text.length > READ_OUT ? `${text.slice(0, READ_OUT)}…` : text);
    this.#heard.append(line);
    setTimeout(() => line.remove(), 10_000);
  }

  #toast(text: string): void {
    const toast = h("p", { class: "toast" }, h("span", {}, text));
    toast.append(
      h("button", { type: "button", class: "quiet", "aria-label": "Close", on: { click: () => toast.remove() } }, "✕"),
    );
    this.#news.append(toast);
    // It stays long enough to be read, and no more than three at a time.
    while (this.#news.childElementCount > 3) this.#news.firstElementChild?.remove();
    setTimeout(() => toast.remove(), 15_000);
  }
}

/** Whether the server has said that the login is not good any more. */
function isLogout(state: ConnectionState): boolean {
  if (state.status === "waiting") return state.closeCode === TOKEN_EXPIRED;
  return state.status === "closed" && state.reason.code === Code.Unauthenticated;
}

/** What an address names, in parts. One that is no address names nothing. */
function pathOf(hash: string): readonly string[] {
  try {
    return decodeURIComponent(hash.slice(1)).split("/");
  } catch {
    return [];
  }
}
