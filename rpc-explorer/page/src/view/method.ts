// A method: what it is for, who may call it, a form for what it takes, and what it answers.

import type { DescMessage, DescMethod, FileRegistry } from "@bufbuild/protobuf";
import { Call, streamsRequests } from "../call/call.js";
import { element } from "../dom.js";
import { docsOf, unwrapped } from "../form/docs.js";
import { type MethodDetails, MethodKind, type ServiceDetails } from "../gen/rpc/reflection/v1/reflection_pb.js";
import { disable, icon, paragraphs } from "../parts.js";
import type { Endpoint } from "../server/endpoint.js";
import type { Stream } from "../server/wire.js";
import { spanOf } from "../words.js";
import { Answers, type UseToken } from "./answers.js";
import { actions, button, chip } from "./parts.js";
import { CallSettings, MessageEditor } from "./request.js";
import { type LinkTo, schemaOf } from "./schema.js";

/** What a method's page is made of. */
export interface MethodParts {
  readonly endpoint: Endpoint;
  readonly service: ServiceDetails;
  readonly details: MethodDetails;
  readonly desc: DescMethod;
  readonly registry: FileRegistry;
  readonly link: LinkTo;
  readonly useToken: UseToken;
  readonly logIn: () => void;
  /** What was filled in before its schema changed. */
  readonly filled?: string | undefined;
}

export class MethodPage {
  readonly element: HTMLElement;
  readonly #editor: MessageEditor;
  readonly #settings: CallSettings;
  readonly #answers: Answers;
  readonly #buttons = actions();
  readonly #hint = element("div", { class: "hint-line", role: "status" });
  readonly #start: HTMLButtonElement;
  readonly #open: HTMLButtonElement | undefined;
  readonly #finish: HTMLButtonElement | undefined;
  readonly #cancel: HTMLButtonElement;
  readonly #off: () => void;
  #call: Call | undefined;

  constructor(readonly parts: MethodParts) {
    const { desc, registry, details, link } = parts;
    const streams = streamsRequests(desc);
    this.#editor = new MessageEditor(desc.input, registry);
    if (parts.filled !== undefined) this.#editor.fill(parts.filled);
    this.#settings = new CallSettings(details.deadline && spanOf(details.deadline));
    this.#answers = new Answers(registry, () => parts.endpoint.schemas, parts.useToken);
    this.#start = element("button", { type: "submit", class: "button strong" }, streams ? "Send" : "Call");
    this.#open = streams ? button("", () => this.#begin(), "Open") : undefined;
    this.#finish = streams ? button("", () => this.#call?.finish(), "Finish") : undefined;
    this.#cancel = button("", () => this.#call?.cancel(), "Cancel");
    this.#buttons.append(this.#start, ...[this.#open, this.#finish].filter((one) => one !== undefined), this.#cancel);
    const form = element(
      "form",
      {
        class: "card request",
        novalidate: true,
        "aria-label": "Request",
        on: {
          submit: (event: SubmitEvent) => this.#submit(event),
          keydown: (event: KeyboardEvent) => this.#onKey(event),
        },
      },
      element(
        "div",
        { class: "card-head" },
        element("h2", {}, streams ? "Messages to send" : "Request"),
        this.#editor.choice,
      ),
      this.#editor.element,
      this.#settings.element,
      this.#buttons,
      this.#hint,
    );
    this.element = element(
      "article",
      { class: "method" },
      this.#head(),
      element("div", { class: "columns" }, form, this.#answers.element),
      typesView(desc.input, desc.output, registry, link),
    );
    this.#off = parts.endpoint.onChange(() => this.update());
    this.update();
  }

  get isRunning(): boolean {
    return this.#call?.isRunning === true;
  }

  /** What is filled in. */
  get filled(): string {
    return this.#editor.json;
  }

  /** Forgets its call: whoever was logged in is not any more. */
  forget(): void {
    this.#call?.cancel();
    this.#call = undefined;
    this.#answers.clear();
    this.update();
  }

  /** It is not shown any more. */
  close(): void {
    this.#off();
    this.forget();
  }

  /** Where the frames of its latest call are. */
  get streams(): readonly Stream[] | undefined {
    return this.#call?.streams;
  }

  /** Shows what may be done now. */
  update(): void {
    const call = this.#call?.isRunning ? this.#call : undefined;
    const streams = this.#open !== undefined;
    disable(this.#start, call !== undefined && (!streams || call.isFinished || call.isFull));
    if (this.#open) disable(this.#open, call !== undefined);
    if (this.#finish) disable(this.#finish, call === undefined || call.isFinished);
    disable(this.#cancel, call === undefined);
    const { endpoint, details } = this.parts;
    const needsLogin = details.auth && endpoint.identity.userId === undefined;
    const hints: (Node | string)[] = [];
    if (needsLogin)
      hints.push("This method is not for anonymous clients. ", button("quiet", this.parts.logIn, "Log in"));
    else if (details.oneWay)
      hints.push(
        "Programs send this without waiting for an answer. The explorer waits for one, so that you see whether it was taken.",
      );
    else if (call?.isFull) hints.push("The server does not read what is sent: more can be sent when it does.");
    else if (streams && call === undefined)
      hints.push("The first message opens the call; it goes on until you finish or cancel it.");
    this.#hint.replaceChildren(...hints);
  }

  #head(): HTMLElement {
    const { details, desc, link, service } = this.parts;
    const requests = streamsRequests(desc);
    const answers = desc.methodKind === "server_streaming" || desc.methodKind === "bidi_streaming";
    const stream = element("span", { class: "word" }, "stream ");
    return element(
      "header",
      { class: "page-head" },
      element("p", { class: "above" }, link(service.fullName, service.fullName)),
      element("h1", {}, desc.name),
      element(
        "p",
        { class: "signature" },
        requests && stream.cloneNode(true),
        link(desc.input.typeName, element("code", {}, desc.input.name)),
        element("span", { class: "arrow", "aria-label": "answers" }, " → "),
        answers && stream,
        link(desc.output.typeName, element("code", {}, desc.output.name)),
      ),
      element("div", { class: "chips" }, ...chipsOf(details)),
      ...paragraphs(details.docs.trim() === "" ? docsOf(desc) : unwrapped(details.docs)),
    );
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    if (this.#start.getAttribute("aria-disabled") === "true") return;
    const message = this.#editor.read();
    if (!message) return;
    if (this.#open === undefined) {
      this.#begin(message);
      return;
    }
    if (!this.isRunning) this.#begin();
    this.#call?.send(message);
  }

  /** Also from within a text of several lines. */
  #onKey(event: KeyboardEvent): void {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.#start.click();
  }

  #begin(message?: Parameters<Call["send"]>[0]): void {
    const settings = this.#settings.read();
    if (!settings || this.isRunning) return;
    const { desc, endpoint } = this.parts;
    const call = new Call(desc, endpoint, settings, message);
    this.#call = call;
    call.onChange(() => this.update());
    this.#answers.of(call);
    this.update();
    this.element.dispatchEvent(new CustomEvent("call", { bubbles: true }));
  }
}

/** What is to be known of a method before it is called. */
export function chipsOf(details: MethodDetails): HTMLElement[] {
  const kinds = {
    [MethodKind.UNARY]: "unary",
    [MethodKind.SERVER_STREAMING]: "the server streams",
    [MethodKind.CLIENT_STREAMING]: "the client streams",
    [MethodKind.BIDIRECTIONAL]: "both stream",
  };
  return [
    chip("accent", kinds[details.kind] ?? "of an unknown kind"),
    details.auth && chip("warn", icon("lock"), "needs a login"),
    ...details.guards.map((guard) => chip("warn", icon("lock"), "guard ", element("code", {}, guard))),
    details.deadline && chip("plain", `at most ${spanOf(details.deadline)}`),
    details.idempotent && chip("plain", "idempotent"),
    details.oneWay && chip("plain", "one way"),
  ].filter((one) => one !== false && one !== undefined);
}

function typesView(input: DescMessage, output: DescMessage, registry: FileRegistry, link: LinkTo): HTMLElement {
  const one = (title: string, desc: DescMessage) =>
    element("div", { class: "types-side" }, element("h2", {}, title), schemaOf(desc, registry, link, "h3"));
  return element(
    "section",
    { class: "types", "aria-label": "Types" },
    one("What it takes", input),
    one("What it answers", output),
  );
}
