// Lines that were said, as a list that one scrolls: it stays at its end while one is there, and stays where one reads while older
// lines come in above.

import { fill, h, icon, keep } from "../dom.js";
import { clock, count, day } from "../words.js";

/** A line, whatever it is of. */
export interface Shown {
  readonly key: string;
  readonly time: Date;
  /** `undefined`: nobody said it. */
  readonly user: string | undefined;
  readonly isMine: boolean;
  readonly text: string;
  /** For what nobody said: how it looks. */
  readonly look?: "people" | "mended" | "missing" | undefined;
  readonly state?: "heard" | "sending" | "failed" | undefined;
  /** A word beside the time. */
  readonly aside?: string | undefined;
  /** Why it failed, and what may be done. */
  readonly failed?: { readonly why: string; readonly again: () => void; readonly giveUp: () => void } | undefined;
}

/** What stands above the oldest line. */
export interface Past {
  readonly isReading: boolean;
  readonly hasMore: boolean;
  /** How often something of it was read. */
  readonly reads: number;
  /** What is said where there is nothing. */
  readonly empty: string;
}

/** Lines of one user within so long are one block, in milliseconds. */
const TOGETHER_MS = 5 * 60_000;

/** Who is so near to the end is at the end, in pixels. */
const NEAR = 80;

/** What stands above the oldest line is as good as in sight when so much is missing to it, in pixels. */
const AHEAD = 200;

/** The list. */
export class LinesView {
  readonly element: HTMLElement;
  readonly #scroll: HTMLElement;
  readonly #list = h("ol", { class: "lines" });
  readonly #past = h("p", { class: "past" });
  readonly #toEnd: HTMLButtonElement;
  readonly #sight: IntersectionObserver;
  #isAtEnd = true;
  /** Where it was scrolled to when that was looked at last. */
  #top = 0;
  #unseen = 0;
  /** After how many reads of the past the oldest line was looked for. */
  #reads = 0;

  /** `readMore` is called when the oldest line comes into sight, and again when it is still there after more was read. */
  constructor(label: string, readMore: () => void) {
    this.#toEnd = h("button", { type: "button", class: "to-end", hidden: true, on: { click: () => this.toEnd() } });
    // Whoever uses a keyboard scrolls it, too.
    this.#scroll = h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
      this.#past,
      this.#list,
    );
    this.element = h("div", { class: "talk" }, this.#scroll, this.#toEnd);
    this.#scroll.addEventListener(
      "scroll",
      () => {
        if (this.isAtEnd) this.#unseen = 0;
        this.#drawToEnd();
      },
      { passive: true },
    );
    // What it tells was so a moment ago; lines may have come above since.
    this.#sight = new IntersectionObserver(
      (seen) => seen.at(-1)?.isIntersecting && this.#isPastInSight() && readMore(),
      {
        root: this.#scroll,
        rootMargin: `${AHEAD}px 0px 0px`,
      },
    );
    this.#sight.observe(this.#past);
    // A window that is made smaller does not hide the last line.
    new ResizeObserver(() => this.isAtEnd && this.toEnd()).observe(this.#scroll);
  }

  /** Shows these lines. `news` of them are new, and from others. */
  draw(lines: readonly Shown[], past: Past, news = 0): void {
    const wasAtEnd = this.isAtEnd;
    const scroll = this.#scroll;
    const fromEnd = scroll.scrollHeight - scroll.scrollTop;
    const first = this.#list.firstElementChild;
    const now = new Date();
    fill(
      this.#past,
      past.isReading
        ? "Reading what was said before…"
        : past.hasMore
          ? ""
          : lines.length === 0
            ? past.empty
            : "This is where it begins, as far as it is kept.",
    );
    const shown = lines.map((line, at) => ({ line, before: lines[at - 1] }));
    keep(
      this.#list,
      shown,
      ({ line }) => line.key,
      (item) => this.#update(h("li"), item.line, item.before, now),
      (element, item) => this.#update(element, item.line, item.before, now),
    );
    if (wasAtEnd) this.toEnd();
    else if (this.#list.firstElementChild !== first) scroll.scrollTop = scroll.scrollHeight - fromEnd;
    if (!wasAtEnd) {
      this.#top = scroll.scrollTop;
      this.#unseen += news;
    }
    this.#drawToEnd();
    if (past.reads === this.#reads) return;
    this.#reads = past.reads;
    // Only what changes is told. Where the oldest line is in sight again by the next frame, or still is, nothing has changed.
    this.#sight.unobserve(this.#past);
    this.#sight.observe(this.#past);
  }

  /** Whether the last line is in sight, and the older ones are not being read. */
  get isAtEnd(): boolean {
    // That somebody has scrolled is told a frame later. Where nobody has, they are at the end as before, whatever has grown.
    const { scrollTop, clientHeight } = this.#scroll;
    // What is not shown is scrolled nowhere.
    if (scrollTop !== this.#top && clientHeight > 0) {
      this.#top = scrollTop;
      this.#isAtEnd = this.#isNearEnd();
    }
    return this.#isAtEnd;
  }

  /** Goes to the last line. */
  toEnd(): void {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#top = this.#scroll.scrollTop;
    this.#isAtEnd = true;
    this.#unseen = 0;
    this.#drawToEnd();
  }

  #isNearEnd(): boolean {
    return this.#scroll.scrollHeight - this.#scroll.scrollTop - this.#scroll.clientHeight < NEAR;
  }

  #isPastInSight(): boolean {
    return this.#past.getBoundingClientRect().bottom > this.#scroll.getBoundingClientRect().top - AHEAD;
  }

  #drawToEnd(): void {
    this.#toEnd.hidden = this.#isAtEnd;
    const text = this.#unseen > 0 ? count(this.#unseen, "new message") : "To the latest";
    if (this.#toEnd.textContent !== text) fill(this.#toEnd, icon("down"), text);
  }

  #update(element: HTMLElement, line: Shown, before: Shown | undefined, now: Date): HTMLElement {
    const dayIsNew = before === undefined || before.time.toDateString() !== line.time.toDateString();
    const goesOn =
      !dayIsNew &&
      line.user !== undefined &&
      line.aside === undefined &&
      before.user === line.user &&
      before.isMine === line.isMine &&
      line.time.getTime() - before.time.getTime() < TOGETHER_MS;
    const look = [
      line.user === undefined ? `remark about-${line.look ?? "it"}` : "spoken",
      line.isMine && "mine",
      goesOn && "goes-on",
      line.state,
    ];
    const name = look.filter(Boolean).join(" ").trim();
    // What looks as it did stays as it is.
    const drawn = `${name}|${dayIsNew ? day(line.time, now) : ""}|${line.failed?.why ?? ""}|${line.aside ?? ""}`;
    if (element.dataset["drawn"] === drawn) return element;
    element.dataset["drawn"] = drawn;
    element.className = name;
    const head = dayIsNew && h("p", { class: "day" }, h("span", {}, day(line.time, now)));
    if (line.user === undefined) {
      fill(
        element,
        head,
        h("p", { class: "text" }, line.text, " ", h("time", { datetime: line.time.toISOString() }, clock(line.time))),
      );
      return element;
    }
    const time = h(
      "time",
      { datetime: line.time.toISOString() },
      line.state === "sending" ? "sending…" : clock(line.time),
    );
    fill(
      element,
      head,
      h(
        "div",
        { class: "said" },
        h("span", { class: "face", "aria-hidden": "true", "data-hue": String(hue(line.user)) }, initials(line.user)),
        h(
          "p",
          { class: "who" },
          h("b", {}, line.user),
          " ",
          time,
          line.aside !== undefined && h("span", { class: "aside" }, line.aside),
        ),
        h("p", { class: "text" }, line.text),
        line.failed &&
          h(
            "p",
            { class: "failed", role: "alert" },
            line.failed.why,
            " ",
            h("button", { type: "button", class: "small", on: { click: line.failed.again } }, "Send again"),
            h("button", { type: "button", class: "small", on: { click: line.failed.giveUp } }, "Discard"),
          ),
      ),
    );
    return element;
  }
}

/** One of twelve colours, the same for a user wherever they are seen. */
export function hue(user: string): number {
  let sum = 0;
  for (const character of user) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9_973;
  return sum % 12;
}

/** What stands for a user in little room. */
export function initials(user: string): string {
  const [first = "", second = ""] = user.split(/[._-]+/);
  return ((first[0] ?? "?") + (second[0] ?? first[1] ?? "")).toUpperCase();
}
