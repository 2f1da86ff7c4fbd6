// The channels of a namespace: subscribing, the events as they come, publishing, who is there, what was before.

import type { DescMessage } from "@bufbuild/protobuf";
import type { SkippedEvent, Subscription } from "rpc-websocket";
import { element, fill } from "../dom.js";
import type { NamespaceDetails } from "../gen/rpc/reflection/v1/reflection_pb.js";
import { Latest } from "../latest.js";
import { newId } from "../parts.js";
import type { Endpoint } from "../server/endpoint.js";
import type { Found } from "../server/schemas.js";
import { count, spanOf, timeOf, why } from "../words.js";
import { eventItem, gapItem } from "./event.js";
import { button, chip, say, soon } from "./parts.js";
import { Publisher } from "./publisher.js";
import type { LinkTo } from "./schema.js";

/** So many events are shown, */
const MOST_EVENTS = 300;

/** as long as they are no more than so many bytes together. The latest one is shown however large it is. */
const MOST_BYTES = 8 << 20;

/** For how long what is asked may take, in milliseconds. */
const PATIENCE_MS = 15_000;

/** An event, or where some are missing, among those that are shown. */
interface Heard {
  /** In bytes. */
  readonly size: number;
  readonly make: () => HTMLElement;
  /** Made when it is drawn. */
  line: HTMLElement | undefined;
}

/** What a namespace's page is made of. */
export interface ChannelParts {
  readonly endpoint: Endpoint;
  readonly namespace: NamespaceDetails;
  /** The events that may be published here, as far as they are known. */
  readonly events: readonly Found<DescMessage>[];
  readonly hasHub: boolean;
  readonly link: LinkTo;
  /** What was written in the place of the channel's name before a schema changed. */
  readonly filled?: string | undefined;
}

export class ChannelPage {
  readonly element: HTMLElement;
  readonly #name: HTMLInputElement;
  readonly #said = element("p", { class: "said", role: "status" });
  readonly #list = element("ol", { class: "messages events", "aria-label": "Events" });
  readonly #count = element("p", { class: "soft" });
  readonly #subscribe: HTMLButtonElement;
  readonly #extra = element("div", { class: "extra" });
  #subscription: Subscription<readonly []> | undefined;
  readonly #heard = new Latest<Heard>(MOST_EVENTS, MOST_BYTES);
  #total = 0;
  readonly #draw = soon(() => this.#show());

  constructor(readonly parts: ChannelParts) {
    const { endpoint, namespace, events, hasHub } = parts;
    this.#name = element("input", {
      type: "text",
      id: newId(),
      value: parts.filled ?? namespace.pattern,
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
      class: "channel-name",
    });
    this.#subscribe = element("button", { type: "submit", class: "button strong" }, "Subscribe");
    const form = element(
      "form",
      { class: "channel-form", novalidate: true, on: { submit: (event: SubmitEvent) => this.#onSubmit(event) } },
      element("label", { for: this.#name.id }, "Channel"),
      this.#name,
      this.#subscribe,
      namespace.presence && button("", () => void this.#presence(), "Who is there"),
      namespace.keptEvents > 0n && button("", () => void this.#history(), "What was before"),
    );
    const refused = element(
      "p",
      { class: "problem" },
      "Clients cannot subscribe at this endpoint: it does not serve the hub. In the server's builder, `.service(services::hub::gateway())` adds it.",
    );
    this.element = element(
      "article",
      { class: "channel" },
      this.#head(),
      element(
        "div",
        { class: "columns" },
        element(
          "section",
          { class: "card", "aria-label": "Events" },
          element(
            "div",
            { class: "card-head" },
            element("h2", {}, "Events"),
            button("quiet", () => this.#clear(), "Clear"),
          ),
          hasHub ? form : refused,
          this.#said,
          this.#extra,
          this.#count,
          this.#list,
        ),
        hasHub &&
          new Publisher({ endpoint, events, anyEvent: namespace.anyEvent, channel: () => this.#channel() }).element,
      ),
    );
    this.#show();
  }

  /** What is written in the place of the channel's name. */
  get filled(): string {
    return this.#name.value;
  }

  /** Forgets what was heard, and hears no more. */
  forget(): void {
    void this.#subscription?.unsubscribe();
    this.#clear();
  }

  /** It is not shown any more. */
  close(): void {
    this.forget();
  }

  #head(): HTMLElement {
    const { namespace, link } = this.parts;
    const facts = [
      namespace.keptEvents > 0n
        ? chip(
            "plain",
            `keeps ${count(Number(namespace.keptEvents), "event")}${namespace.keptFor ? ` for ${spanOf(namespace.keptFor)}` : ""}`,
          )
        : chip("plain", "keeps nothing"),
      namespace.presence && chip("plain", "presence"),
      namespace.tellsJoins && chip("plain", "tells who comes and goes"),
      namespace.tellsPublisher && chip("plain", "tells who published"),
      namespace.snapshot && chip("plain", "begins with a snapshot"),
    ].filter((one) => one !== false);
    const events = namespace.events.flatMap((name, at) => [at > 0 && ", ", link(name, element("code", {}, name))]);
    return element(
      "header",
      { class: "page-head" },
      element("p", { class: "above" }, "Channels"),
      element("h1", {}, namespace.pattern),
      element("div", { class: "chips" }, ...facts),
      element("p", {}, namespace.anyEvent ? "Any event may be published. " : "Events: ", ...events),
      element(
        "p",
        { class: "soft" },
        "Who may subscribe and publish is the program's to say: you hear it when you ask.",
      ),
    );
  }

  async #onSubmit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.#subscription) {
      await this.#subscription.unsubscribe();
      return;
    }
    const channel = this.#channel();
    if (channel === undefined) return;
    // Without schemas all events are told as they came: what they take is known, and each is decoded when it is looked at.
    const subscription = this.parts.endpoint.transport.hub.subscribe(channel, { events: [] });
    this.#subscription = subscription;
    this.#say(`Subscribing to ${channel}…`);
    subscription.on("item", (gap) => this.#add(0, () => gapItem(gap)));
    subscription.on("skipped", (event) => this.#add(event.body.length, () => this.#item(event)));
    subscription.on("status", (status) => {
      if (status === "live") this.#say(`Subscribed to ${channel}.`, "good");
      if (status === "recovering")
        this.#say(`The connection is away. What is missed of ${channel} is asked for when it is back.`);
    });
    subscription.on("end", (error) => {
      this.#subscription = undefined;
      if (error) this.#fail("The subscription has ended", error);
      else this.#say(`Unsubscribed from ${channel}.`);
      this.#update();
    });
    this.#update();
    // Why it is refused is told by its end.
    await subscription.ready.catch(() => {});
  }

  #add(size: number, make: () => HTMLElement): void {
    this.#total += 1;
    for (const { line } of this.#heard.add({ size, make, line: undefined })) line?.remove();
    this.#draw();
  }

  #item(event: SkippedEvent): HTMLElement {
    const announced = this.parts.events.find(({ desc }) => desc.typeName === event.type);
    return eventItem(event, announced, this.parts.endpoint.schemas);
  }

  #update(): void {
    this.#subscribe.textContent = this.#subscription ? "Unsubscribe" : "Subscribe";
    this.#subscribe.classList.toggle("strong", this.#subscription === undefined);
    this.#name.readOnly = this.#subscription !== undefined;
  }

  /** The channel's name, if it is one. */
  #channel(): string | undefined {
    const name = this.#name.value.trim();
    const open = /\{(\w+)\}/.exec(name);
    if (name !== "" && !open) return name;
    this.#say(open ? `Write a value in the place of ${open[0]}.` : "A channel has a name.", "bad");
    this.#name.focus();
    if (open) this.#name.setSelectionRange(open.index, open.index + open[0].length);
    return undefined;
  }

  async #presence(): Promise<void> {
    const channel = this.#channel();
    if (channel === undefined) return;
    try {
      const there = await this.parts.endpoint.transport.hub.presence(channel, { timeoutMs: PATIENCE_MS, limit: 100 });
      const members = there.members.map(({ clientId, userId, since }) =>
        element(
          "li",
          {},
          element("bdi", {}, userId ?? "anonymous"),
          element("span", { class: "soft" }, ` ${clientId}${since ? ` since ${timeOf(since)}` : ""}`),
        ),
      );
      fill(
        this.#extra,
        element("h3", {}, `In ${channel}: ${count(there.users, "user")}, ${count(there.clients, "client")}`),
        element("ul", { class: "members" }, ...members),
      );
    } catch (error) {
      this.#fail("Who is there is not told", error);
    }
  }

  async #history(): Promise<void> {
    const channel = this.#channel();
    if (channel === undefined) return;
    try {
      const page = await this.parts.endpoint.transport.hub.history(channel, {
        events: [],
        timeoutMs: PATIENCE_MS,
        newestFirst: true,
      });
      fill(
        this.#extra,
        element("h3", {}, `The latest ${count(page.skipped.length, "event")} of ${channel}`),
        element("ol", { class: "messages" }, ...page.skipped.map((event) => this.#item(event))),
      );
    } catch (error) {
      this.#fail("What was before is not told", error);
    }
  }

  #clear(): void {
    this.#heard.clear();
    this.#total = 0;
    this.#list.replaceChildren();
    this.#extra.replaceChildren();
    this.#show();
  }

  #show(): void {
    const { items } = this.#heard;
    for (const heard of items) {
      if (heard.line) continue;
      heard.line = heard.make();
      this.#list.prepend(heard.line);
    }
    this.#count.textContent = `${count(this.#total, "event")}; the latest ${count(items.length, "is shown", "are shown")}.`;
    this.#count.hidden = this.#total <= items.length;
    this.#list.hidden = this.#list.childElementCount === 0;
  }

  #fail(what: string, error: unknown): void {
    this.#say(`${what}: ${why(error)}`, "bad");
  }

  #say(text: string, tone = ""): void {
    say(this.#said, text, tone);
  }
}
