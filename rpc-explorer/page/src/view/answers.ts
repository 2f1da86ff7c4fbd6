// What becomes of a call: its messages as they pass, its status, what the server says beside, and how long that took.

import { createRegistry, type DescMessage, fromBinary, type Registry, ScalarType } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { Code, type ConnectError } from "@connectrpc/connect";
import type { Call, Passed } from "../call/call.js";
import { COMMON_DETAILS } from "../call/details.js";
import { element, fill } from "../dom.js";
import { icon } from "../parts.js";
import type { Schemas } from "../server/schemas.js";
import { codeName, count, sizeOf, timeOf, took } from "../words.js";
import { Folded } from "./folded.js";
import { jsonOf, jsonView } from "./json.js";
import { button, chip, soon } from "./parts.js";
import { acquainted } from "./strangers.js";

/** Becomes whoever a token says; gives the paths of the endpoints that have taken it. */
export type UseToken = (token: string) => Promise<readonly string[]>;

export class Answers {
  readonly element: HTMLElement;
  readonly #state = element("div", { class: "outcome", role: "status" });
  readonly #messages = element("ol", { class: "messages" });
  readonly #left = element("p", { class: "soft" });
  readonly #beside = element("div", { class: "beside" });
  readonly #token = element("div", { class: "got-token" });
  #call: Call | undefined;
  #off = () => {};
  #shown = new Map<Passed, HTMLElement>();
  readonly #draw = soon(() => this.#show());

  constructor(
    readonly registry: Registry,
    readonly schemas: () => Schemas,
    readonly useToken: UseToken,
  ) {
    this.element = element(
      "section",
      { class: "card answers", "aria-label": "Answer" },
      element("div", { class: "card-head" }, element("h2", {}, "Answer")),
      this.#state,
      this.#token,
      this.#left,
      this.#messages,
      this.#beside,
    );
    this.#show();
  }

  /** Shows a call from now on, in the place of the one before. */
  of(call: Call): void {
    this.#off();
    this.#call = call;
    this.#off = call.onChange(this.#draw);
    this.#shown.clear();
    this.#messages.replaceChildren();
    this.#token.replaceChildren();
    this.#show();
    // In a narrow window it is below the form.
    this.#state.scrollIntoView({ block: "nearest" });
  }

  /** Forgets the call that is shown. */
  clear(): void {
    this.#off();
    this.#off = () => {};
    this.#call = undefined;
    this.#shown.clear();
    for (const part of [this.#messages, this.#token, this.#beside]) part.replaceChildren();
    this.#show();
  }

  #show(): void {
    const call = this.#call;
    if (!call) {
      fill(this.#state, element("p", { class: "soft" }, "Nothing has been called yet."));
      this.#messages.hidden = true;
      this.#left.hidden = true;
      this.#token.hidden = true;
      return;
    }
    fill(this.#state, ...outcome(call));
    this.#showMessages(call);
    const rest = call.sent + call.received - call.passed.length;
    this.#left.textContent = `The first ${count(rest, "message")} are not kept any more.`;
    this.#left.hidden = rest === 0;
    fill(
      this.#beside,
      ...details(call, this.registry, this.schemas()),
      ...metadata("Header", call.header),
      ...metadata("Trailer", call.trailer),
    );
    if (!call.isRunning && !call.error) this.#offerToken(call);
    else this.#token.hidden = true;
  }

  #showMessages(call: Call): void {
    const kept = new Set(call.passed);
    for (const [passed, item] of this.#shown) {
      if (kept.has(passed)) continue;
      item.remove();
      this.#shown.delete(passed);
    }
    // Of a call with one answer that is what one wants to read.
    const isOnly = call.method.methodKind === "unary" || call.method.methodKind === "client_streaming";
    for (const passed of call.passed) {
      if (this.#shown.has(passed)) continue;
      const isOpen = isOnly && passed.direction === "in";
      // The request of a call without a stream of them stands in the form.
      if (
        passed.direction === "out" &&
        (call.method.methodKind === "unary" || call.method.methodKind === "server_streaming")
      )
        continue;
      const item = this.#item(passed, isOpen);
      this.#shown.set(passed, item);
      this.#messages.append(item);
    }
    this.#messages.hidden = this.#messages.childElementCount === 0;
  }

  #item(passed: Passed, isOpen: boolean): HTMLElement {
    const { direction, desc, message, number, after, size } = passed;
    const line = new Folded(
      [
        element(
          "span",
          { class: "message-way" },
          icon(direction),
          element("span", { class: "unseen" }, direction === "in" ? "Received" : "Sent"),
        ),
        element("span", { class: "number" }, `#${number}`),
      ],
      `${desc.name} · ${sizeOf(size)} · ${took(after)}`,
    );
    line.message(desc, message, size, this.registry, this.schemas());
    if (isOpen) line.open();
    return element("li", { class: `message ${direction}` }, line.element);
  }

  /** An answer with a token in it is mostly that of a login. */
  #offerToken(call: Call): void {
    const answer = call.passed.findLast(({ direction }) => direction === "in");
    const token = answer && tokenIn(answer);
    this.#token.hidden = token === undefined;
    if (token === undefined || this.#token.childElementCount > 0) {
      if (token === undefined) this.#token.replaceChildren();
      return;
    }
    const said = element("span", { role: "status" });
    const use = button("", () => void take(), icon("person"), "Log in with this token");
    const take = async () => {
      use.disabled = true;
      try {
        const paths = await this.useToken(token);
        said.textContent = `You are logged in at ${paths.join(" and ")}.`;
      } catch (error) {
        said.textContent = error instanceof Error ? error.message : String(error);
      } finally {
        use.disabled = false;
      }
    };
    fill(this.#token, use, said);
  }
}

function outcome(call: Call): HTMLElement[] {
  const { error } = call;
  const head = call.isRunning
    ? chip("accent running", element("span", { class: "pulse", "aria-hidden": "true" }), runningWord(call))
    : error
      ? chip(error.code === Code.Canceled ? "warn" : "bad", codeName(error.code))
      : chip("good", "OK");
  const times = [
    `begun ${timeOf(call.begun)}`,
    call.firstAfter !== undefined && `first answer after ${took(call.firstAfter)}`,
    call.endedAfter !== undefined && `ended after ${took(call.endedAfter)}`,
    (call.sent > 1 || !call.isFinished) && `${count(call.sent, "message")} sent`,
    `${count(call.received, "answer")}`,
  ].filter((time) => time !== false);
  return [
    element(
      "p",
      { class: "outcome-line" },
      head,
      error ? element("span", { class: "outcome-text" }, error.rawMessage) : false,
    ),
    element("p", { class: "soft times" }, times.join(" · ")),
  ];
}

function runningWord(call: Call): string {
  if (!call.isFinished) return "Open";
  return call.received > 0 ? "Receiving" : "Waiting for the server";
}

/** What an error brings beside its message. */
function details(call: Call, registry: Registry, schemas: Schemas): HTMLElement[] {
  const details = call.error?.details ?? [];
  if (details.length === 0) return [];
  return [element("h3", {}, "Details"), ...details.map((detail) => detailView(detail, registry, schemas))];
}

function detailView(detail: ConnectError["details"][number], registry: Registry, schemas: Schemas): HTMLElement {
  const type = "type" in detail ? detail.type : detail.desc.typeName;
  const body = element("div");
  const show = (json: string) => fill(body, jsonView(json));
  if ("type" in detail) {
    const known = createRegistry(COMMON_DETAILS, registry);
    const { value } = detail;
    const decode = async (desc: DescMessage) => {
      const message = fromBinary(desc, value);
      show(jsonOf(desc, message, known));
      const more = await acquainted(desc, message, known, schemas);
      if (more) show(jsonOf(desc, message, more));
    };
    // Until its type is known, and where it is no such message.
    show(JSON.stringify({ bytes: base64Encode(value) }, null, 2));
    const desc = known.getMessage(type);
    (desc ? decode(desc) : schemas.guessed(type).then(({ desc }) => decode(desc))).catch(() => {});
  } else {
    show(JSON.stringify(detail.value, null, 2));
  }
  return element("div", { class: "detail" }, element("p", { class: "soft" }, element("code", {}, type)), body);
}

function metadata(name: string, headers: Headers | undefined): HTMLElement[] {
  const pairs = [...(headers ?? [])];
  if (pairs.length === 0) return [];
  return [
    element("h3", {}, name),
    element(
      "table",
      { class: "metadata" },
      element(
        "thead",
        { class: "unseen" },
        element("tr", {}, element("th", { scope: "col" }, "Key"), element("th", { scope: "col" }, "Value")),
      ),
      element(
        "tbody",
        {},
        ...pairs.map(([key, value]) =>
          element("tr", {}, element("th", { scope: "row" }, key), element("td", {}, value)),
        ),
      ),
    ),
  ];
}

/** A text field of an answer that is called a token. */
function tokenIn({ desc, message }: Passed): string | undefined {
  const field = desc.fields.find(
    ({ name, fieldKind, scalar }) => fieldKind === "scalar" && scalar === ScalarType.STRING && /(^|_)token$/.test(name),
  );
  const value = field && (message as unknown as Record<string, unknown>)[field.localName];
  return typeof value === "string" && value !== "" ? value : undefined;
}
