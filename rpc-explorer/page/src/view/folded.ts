// Messages, each as a line that opens: as JSON, or as bytes where nothing says what they mean.

import type { DescMessage, Message, Registry } from "@bufbuild/protobuf";
import { type Child, element, fill } from "../dom.js";
import type { Schemas } from "../server/schemas.js";
import { sizeOf } from "../words.js";
import { bytesView } from "./bytes.js";
import { jsonOf, jsonView } from "./json.js";
import { acquainted } from "./strangers.js";

/** So many characters stand in the line. */
const PREVIEW = 240;

/** What is larger, in bytes, is not written as JSON before somebody opens it. */
const LONGEST_PREVIEWED = 64 << 10;

export class Folded {
  readonly element: HTMLDetailsElement;
  readonly #preview = element("code", { class: "message-preview" });
  readonly #body = element("div", { class: "message-body" });
  #makeBody: (() => HTMLElement) | undefined;

  /** `ahead` of what is shown and `behind` it stand in the line what is known of it beside. */
  constructor(ahead: readonly Child[], behind: string) {
    this.element = element(
      "details",
      { class: "message-view" },
      element("summary", {}, ...ahead, this.#preview, element("span", { class: "soft number" }, behind)),
      this.#body,
    );
    this.element.addEventListener("toggle", () => this.#fill());
  }

  open(): void {
    this.element.open = true;
    this.#fill();
  }

  /** Shows bytes. */
  bytes(bytes: Uint8Array): void {
    this.#show(sizeOf(bytes.length), () => bytesView(bytes));
  }

  /** Shows a message of so many bytes. Types in it that `registry` does not know are asked of the server. */
  message(desc: DescMessage, message: Message, size: number, registry: Registry | undefined, schemas: Schemas): void {
    const isLarge = size > LONGEST_PREVIEWED;
    const show = (registry: Registry | undefined, isAsked: boolean) => {
      const preview = isLarge ? "…" : jsonOf(desc, message, registry, 0).slice(0, PREVIEW);
      this.#show(preview, () => {
        if (isLarge && !isAsked) ask();
        return jsonView(jsonOf(desc, message, registry));
      });
    };
    const ask = () =>
      acquainted(desc, message, registry, schemas).then(
        (known) => known && show(known, true),
        // What cannot be gone through is said to have no JSON.
        () => {},
      );
    show(registry, false);
    if (!isLarge) void ask();
  }

  #show(preview: string, body: () => HTMLElement): void {
    this.#preview.textContent = preview;
    this.#makeBody = body;
    this.#body.replaceChildren();
    this.#fill();
  }

  /** What is in it is made when it is looked at. */
  #fill(): void {
    if (this.element.open && this.#body.childElementCount === 0) fill(this.#body, this.#makeBody?.());
  }
}
