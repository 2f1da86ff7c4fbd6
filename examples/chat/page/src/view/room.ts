// A room as somebody sees it: what was said, who writes, who is there, and where one writes oneself.

import type { Spoken } from "../chat/lines.js";
import type { Room } from "../chat/room.js";
import { fill, h, icon, keep } from "../dom.js";
import { count, names, why } from "../words.js";
import { composer } from "./composer.js";
import { hue, initials, LinesView, type Shown } from "./lines.js";

/** What can be done from a room. */
export interface RoomActions {
  leave(): void;
  writeTo(user: string): void;
  /** Only administrators are offered it. */
  kick: ((user: string) => void) | undefined;
  /** On a narrow window: shows the list of places. */
  places(): void;
}

/** The view of a room that is looked at. */
export class RoomView {
  readonly element: HTMLElement;
  readonly aside: HTMLElement;
  readonly #lines: LinesView;
  readonly #typing = h("p", { class: "typing", "aria-live": "polite" });
  readonly #count: HTMLButtonElement;
  readonly #people = h("ul", { class: "persons" });

  constructor(
    private readonly room: Room,
    private readonly me: string,
    private readonly actions: RoomActions,
    banner: HTMLElement,
  ) {
    this.#lines = new LinesView(`What was said in ${room.name}`, () => room.hasMore && void room.readMore());
    const title = `People in ${room.name}`;
    this.aside = h(
      "aside",
      { class: "people", id: "people", "aria-label": title },
      h(
        "header",
        {},
        h("h2", {}, "Who is here"),
        h(
          "button",
          { type: "button", class: "quiet close", "aria-label": "Close", on: { click: () => this.#showPeople(false) } },
          icon("close"),
        ),
      ),
      this.#people,
    );
    this.#count = h("button", {
      type: "button",
      class: "quiet count",
      "aria-controls": "people",
      on: { click: () => this.#showPeople(this.aside.dataset["open"] === undefined) },
    });
    this.element = h(
      "main",
      { class: "place" },
      h(
        "header",
        {},
        h(
          "button",
          { type: "button", class: "quiet to-places", "aria-label": "Rooms", on: { click: actions.places } },
          icon("rooms"),
        ),
        h("h1", { tabindex: "-1" }, room.name),
        this.#count,
        h("button", { type: "button", class: "quiet", on: { click: actions.leave } }, "Leave"),
      ),
      banner,
      this.#lines.element,
      this.#typing,
      composer(
        `room/${room.name}`,
        `Message to ${room.name}`,
        (text) => {
          void room.say(text);
          this.#lines.toEnd();
        },
        () => room.writes(),
      ),
    );
    this.draw();
    this.drawPeople();
    this.drawTyping();
    requestAnimationFrame(() => this.#lines.toEnd());
  }

  /** The lines are others; `news` of them from others. */
  draw(news = 0): void {
    if (this.#lines.isAtEnd) this.room.forgetOld();
    const lines = this.room.lines.map((line): Shown => {
      if (line.kind === "remark") return { ...line, user: undefined, isMine: false, look: line.about };
      return {
        ...line,
        isMine: line.user === this.me,
        failed: line.state === "failed" ? this.#failed(line) : undefined,
      };
    });
    const { isReading, hasMore, reads } = this.room;
    this.#lines.draw(lines, { isReading, hasMore, reads, empty: "Nobody has said anything yet. Begin!" }, news);
  }

  drawPeople(): void {
    const { people } = this.room;
    const many = count(people.length, "person", "people");
    const [number = "", word = ""] = many.split(" ");
    fill(this.#count, icon("people"), h("span", {}, number, h("span", { class: "word" }, ` ${word}`)));
    this.#count.setAttribute("aria-label", `${many} here`);
    keep(
      this.#people,
      people,
      (person) => `${person.user}/${person.doing}`,
      ({ user, doing }) =>
        h(
          "li",
          {},
          h("span", { class: "face", "aria-hidden": "true", "data-hue": String(hue(user)) }, initials(user)),
          h(
            "span",
            { class: "name" },
            h("b", {}, user),
            user === this.me && " (you)",
            doing !== "" && h("small", {}, doing),
          ),
          user !== this.me && h("span", { class: "acts" }, ...this.#acts(user)),
        ),
    );
  }

  /** What may be done with somebody else. */
  #acts(user: string): HTMLElement[] {
    const act = (look: string, label: string, text: string, click: () => void) =>
      h("button", { type: "button", class: look, "aria-label": label, on: { click } }, text);
    const { kick } = this.actions;
    const acts = [act("quiet", `Write to ${user} alone`, "Write", () => this.actions.writeTo(user))];
    if (kick !== undefined) acts.push(act("quiet danger", `Put out ${user}`, "Put out", () => kick(user)));
    return acts;
  }

  drawTyping(): void {
    const { typing } = this.room;
    const text = typing.length === 0 ? "" : `${names(typing)} ${typing.length === 1 ? "is" : "are"} writing…`;
    if (this.#typing.textContent !== text) fill(this.#typing, text);
  }

  #failed(line: Spoken): Shown["failed"] {
    return {
      why: why("This was not sent", line.error),
      again: () => void this.room.sayAgain(line),
      giveUp: () => this.room.giveUp(line),
    };
  }

  /** On a narrow window. */
  #showPeople(shown: boolean): void {
    if (shown) this.aside.dataset["open"] = "";
    else delete this.aside.dataset["open"];
    this.#count.setAttribute("aria-expanded", String(shown));
    (shown ? this.aside.querySelector("button") : this.#count)?.focus();
  }
}
