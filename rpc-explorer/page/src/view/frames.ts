// What crosses the wire: a list of frames, of all or of one call, each to be looked into.

import { toJson } from "@bufbuild/protobuf";
import { type Frame, FrameSchema } from "rpc-websocket/protos/v1/frame";
import { COMMON_DETAILS } from "../call/details.js";
import { element, fill } from "../dom.js";
import { icon, newId } from "../parts.js";
import { type Crossing, SECRETS, type Stream, type Wire } from "../server/wire.js";
import { count, sizeOf, timeOf } from "../words.js";
import { bytesView } from "./bytes.js";
import { jsonView } from "./json.js";
import { button, choice, soon } from "./parts.js";
import { introduced } from "./strangers.js";

const WHOSE = ["This call", "All"] as const;

export class Frames {
  readonly element: HTMLElement;
  readonly #body = element("tbody");
  readonly #count = element("span", { class: "soft" });
  readonly #empty = element("p", { class: "soft frames-empty" });
  readonly #choice;
  readonly #toggle: HTMLButtonElement;
  readonly #panel: HTMLElement;
  #wire: Wire | undefined;
  #off = () => {};
  #streams: (() => readonly Stream[] | undefined) | undefined;
  #whose: (typeof WHOSE)[number] = "This call";
  readonly #draw = soon(() => this.#show());
  /** What is shown, so that what has been opened stays so. */
  readonly #rows = new Map<number, readonly HTMLElement[]>();

  constructor() {
    this.#choice = choice("Whose frames", WHOSE, this.#whose, (whose) => {
      this.#whose = whose;
      this.#choice.set(whose);
      this.#redraw();
    });
    const panelId = newId();
    this.#toggle = button("quiet frames-toggle", () => this.#open(this.#panel.hidden !== false), "Frames");
    this.#toggle.setAttribute("aria-expanded", "false");
    this.#toggle.setAttribute("aria-controls", panelId);
    const table = element(
      "table",
      { class: "frames-table" },
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          ...["", "Time", "Frame", "Stream", "Size"].map((name, at) =>
            element("th", { scope: "col" }, at === 0 ? element("span", { class: "unseen" }, "Direction") : name),
          ),
        ),
      ),
      this.#body,
    );
    this.#panel = element(
      "div",
      { class: "frames-panel", id: panelId, tabindex: 0, role: "region", "aria-label": "Frames", hidden: true },
      table,
      this.#empty,
    );
    this.element = element(
      "section",
      { class: "frames", "aria-label": "What crosses the wire" },
      element(
        "div",
        { class: "frames-head" },
        this.#toggle,
        this.#count,
        element("span", { class: "space" }),
        this.#choice,
        button("quiet", () => this.#wire?.clear(), "Clear"),
      ),
      this.#panel,
    );
  }

  /** Shows an endpoint's frames. */
  of(wire: Wire): void {
    if (wire === this.#wire) return;
    this.#off();
    this.#wire = wire;
    this.#off = wire.onChange(this.#draw);
    this.#redraw();
  }

  /** Shows those of a call, if there is one. */
  ofCall(streams: (() => readonly Stream[] | undefined) | undefined): void {
    this.#streams = streams;
    this.#redraw();
  }

  #open(isOpen: boolean): void {
    this.#panel.hidden = !isOpen;
    this.#toggle.setAttribute("aria-expanded", String(isOpen));
    this.#redraw();
  }

  #redraw(): void {
    this.#rows.clear();
    this.#body.replaceChildren();
    this.#show();
  }

  #show(): void {
    const wire = this.#wire;
    if (!wire) return;
    const ofCall = this.#streams?.();
    this.#choice.hidden = this.#panel.hidden || ofCall === undefined;
    const streams = this.#whose === "This call" ? ofCall : undefined;
    const shown = wire.crossings.filter((crossing) => !streams || streams.some((one) => belongs(crossing, one)));
    this.#count.textContent = count(shown.length, "frame");
    if (this.#panel.hidden) return;
    this.#empty.textContent = streams ? "No frame of this call has crossed yet." : "Nothing has crossed yet.";
    this.#empty.hidden = shown.length > 0;
    const panel = this.#panel;
    const isAtEnd = panel.scrollTop + panel.clientHeight >= panel.scrollHeight - 8;
    const kept = new Set(shown.map(({ number }) => number));
    for (const [number, rows] of this.#rows) {
      if (kept.has(number)) continue;
      for (const row of rows) row.remove();
      this.#rows.delete(number);
    }
    for (const crossing of shown) {
      if (this.#rows.has(crossing.number)) continue;
      const rows = rowsOf(crossing);
      this.#rows.set(crossing.number, rows);
      this.#body.append(...rows);
    }
    if (isAtEnd) panel.scrollTop = panel.scrollHeight;
  }
}

function belongs(crossing: Crossing, { connection, stream }: Stream): boolean {
  return crossing.connection === connection && crossing.stream === stream;
}

const DIRECTIONS = { out: "sent", in: "received", none: "connection" } as const;

function rowsOf(crossing: Crossing): HTMLElement[] {
  const { direction, kind } = crossing;
  const detail = element("td", { colspan: 5 });
  const below = element("tr", { class: "frame-detail", hidden: true }, detail);
  const look = element("button", { type: "button", class: "link", "aria-expanded": "false" }, wordOf(kind));
  look.addEventListener("click", () => {
    below.hidden = !below.hidden;
    look.setAttribute("aria-expanded", String(!below.hidden));
    if (detail.childElementCount === 0) fill(detail, content(crossing));
  });
  const row = element(
    "tr",
    { class: `frame ${direction}` },
    element(
      "td",
      { class: "frame-way" },
      direction !== "none" && icon(direction),
      element("span", { class: "unseen" }, DIRECTIONS[direction]),
    ),
    element("td", { class: "number" }, timeOf(crossing.at)),
    element("td", {}, direction === "none" ? kind : look),
    element("td", { class: "number" }, crossing.stream === 0n ? "" : String(crossing.stream)),
    element("td", { class: "number" }, direction === "none" ? "" : sizeOf(crossing.size)),
  );
  return [row, below];
}

function content({ frame, bytes }: Crossing): HTMLElement {
  return element(
    "div",
    { class: "frame-content" },
    frame && jsonView(frameJson(frame)),
    bytes ? bytesView(bytes) : element("p", { class: "soft" }, "There is a token in it: its bytes are not shown."),
  );
}

/** `goAway` is `go-away`. */
function wordOf(kind: string): string {
  return kind.replace(/(?=[A-Z])/g, "-").toLowerCase();
}

/** A frame in JSON, without what is secret. */
export function frameJson(frame: Frame): string {
  const { message, registry } = introduced(FrameSchema, frame, COMMON_DETAILS);
  const json = toJson(FrameSchema, message as Frame, { registry }) as { [kind: string]: unknown };
  for (const [kind, secret] of SECRETS) {
    const content = json[kind] as { [field: string]: unknown } | undefined;
    if (content?.[secret] !== undefined) content[secret] = "(secret)";
  }
  return JSON.stringify(json, null, 2);
}
