// Publishing in a channel: which event, its form, and what became of it.

import type { DescMessage } from "@bufbuild/protobuf";
import { type Child, element, fill } from "../dom.js";
import { newId } from "../parts.js";
import type { Endpoint } from "../server/endpoint.js";
import type { Found } from "../server/schemas.js";
import { count, why } from "../words.js";
import { actions, say } from "./parts.js";
import { MessageEditor } from "./request.js";

/** For how long what is asked may take, in milliseconds. */
const PATIENCE_MS = 15_000;

export interface PublisherParts {
  readonly endpoint: Endpoint;
  /** The events that are announced. */
  readonly events: readonly Found<DescMessage>[];
  /** Any other may be published too. */
  readonly anyEvent: boolean;
  /** The channel, if one is named; says so otherwise. */
  readonly channel: () => string | undefined;
}

export class Publisher {
  readonly element: HTMLElement;
  readonly #events: Map<string, Found<DescMessage>>;
  readonly #editors = new Map<string, MessageEditor>();
  readonly #head = element("div", { class: "card-head" });
  readonly #place = element("div");
  readonly #said = element("p", { class: "said", role: "status" });
  /** Which event: one of those that are announced, or any by its name. */
  readonly #type: HTMLSelectElement | HTMLInputElement;
  #editor: MessageEditor | undefined;

  constructor(readonly parts: PublisherParts) {
    const { events, anyEvent } = parts;
    this.#events = new Map(events.map((found) => [found.desc.typeName, found]));
    const names = [...this.#events.keys()];
    const options = names.map((name) => element("option", { value: name }, name));
    const id = newId();
    const list = newId();
    this.#type = anyEvent
      ? element("input", {
          type: "text",
          id,
          list,
          value: names[0] ?? "",
          placeholder: "package.Message",
          autocomplete: "off",
          autocapitalize: "none",
          spellcheck: "false",
        })
      : element("select", { id }, ...options);
    this.#type.addEventListener("change", () => void this.#choose());
    const nothing = names.length === 0 && !anyEvent;
    const content: readonly Child[] = nothing
      ? [element("p", { class: "soft" }, "No event is known that could be published.")]
      : [
          element(
            "div",
            { class: "event-choice" },
            element("label", { for: id }, "Event"),
            this.#type,
            anyEvent && element("datalist", { id: list }, ...options),
          ),
          this.#place,
          actions(element("button", { type: "submit", class: "button strong" }, "Publish")),
          this.#said,
        ];
    this.element = element(
      "form",
      {
        class: "card",
        novalidate: true,
        "aria-label": "Publish",
        on: { submit: (event: SubmitEvent) => void this.#publish(event) },
      },
      this.#head,
      ...content,
    );
    this.#show(undefined);
    void this.#choose();
  }

  #show(editor: MessageEditor | undefined): void {
    this.#editor = editor;
    fill(this.#place, editor?.element);
    fill(this.#head, element("h2", {}, "Publish"), editor?.choice);
  }

  async #choose(): Promise<void> {
    const name = this.#type.value.trim();
    if (name === "") return this.#show(undefined);
    say(this.#said, "");
    try {
      const found = this.#events.get(name) ?? (await this.parts.endpoint.schemas.message(name));
      if (name !== this.#type.value.trim()) return;
      const editor = this.#editors.get(name) ?? new MessageEditor(found.desc, found.registry);
      this.#editors.set(name, editor);
      this.#show(editor);
    } catch (error) {
      this.#show(undefined);
      say(this.#said, `The server has no schema of ${name}: ${why(error)}`, "bad");
    }
  }

  async #publish(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const channel = this.parts.channel();
    if (channel === undefined) return;
    // What is named may have been typed just now.
    if (this.#editor?.desc.typeName !== this.#type.value.trim()) await this.#choose();
    const editor = this.#editor;
    if (!editor && this.#said.textContent !== "") return;
    if (!editor) return say(this.#said, "Name an event first, with its package.", "bad");
    const message = editor.read();
    if (!message) return;
    try {
      const { reached, position } = await this.parts.endpoint.transport.hub.publish(channel, editor.desc, message, {
        timeoutMs: PATIENCE_MS,
      });
      const told = [
        reached !== undefined && `${count(reached, "client")} reached`,
        position && `position ${position.offset}`,
      ].filter((one) => one);
      say(this.#said, ["Published", ...told].join(" · "), "good");
    } catch (error) {
      say(this.#said, `Not published: ${why(error)}`, "bad");
    }
  }
}
