// The head of the page: which endpoint, how the connection to it stands, and who one is.

import { element, fill } from "../dom.js";
import { icon, newId } from "../parts.js";
import type { Endpoint } from "../server/endpoint.js";
import { stateWord, timeOf } from "../words.js";
import { button } from "./parts.js";

export interface HeadParts {
  /** The paths of the endpoints that the server tells. */
  readonly paths: readonly string[];
  readonly choose: (path: string) => void;
  /** Connects, or asks, again. */
  readonly again: () => void;
  readonly toggleNav: (isOpen: boolean) => void;
  readonly login: HTMLElement;
}

export class Head {
  readonly element: HTMLElement;
  readonly #select = element("select", { id: newId(), class: "endpoint" });
  readonly #state = element("p", { class: "state", role: "status" });
  readonly #why = element("span", { role: "status" });
  /** Why there is no connection, and a button that is the same at each attempt, so that it keeps the focus. */
  readonly #away: HTMLElement;
  readonly #menu: HTMLButtonElement;

  constructor(readonly parts: HeadParts) {
    this.#select.addEventListener("change", () => parts.choose(this.#select.value));
    this.#menu = button(
      "quiet menu",
      () => this.#toggle(),
      icon("menu"),
      element("span", { class: "unseen" }, "What there is"),
    );
    this.#menu.setAttribute("aria-expanded", "false");
    this.#away = element("p", { class: "why" }, this.#why, button("", parts.again, "Try now"));
    this.element = element(
      "header",
      { class: "head" },
      element(
        "div",
        { class: "head-line" },
        this.#menu,
        element(
          "a",
          { class: "brand", href: "#/" },
          element("img", { src: "./icon.svg", alt: "", width: 24, height: 24 }),
          "Explorer",
        ),
        element("label", { for: this.#select.id, class: "unseen" }, "Endpoint"),
        this.#select,
        this.#state,
        element("span", { class: "space" }),
        parts.login,
      ),
      this.#away,
    );
  }

  closeNav(): void {
    if (this.#menu.getAttribute("aria-expanded") === "true") this.#toggle();
  }

  #toggle(): void {
    const isOpen = this.#menu.getAttribute("aria-expanded") !== "true";
    this.#menu.setAttribute("aria-expanded", String(isOpen));
    this.parts.toggleNav(isOpen);
  }

  /** `undefined`: it is to be said still which endpoint of a pattern. */
  update(endpoint: Endpoint | undefined, path: string): void {
    const paths = this.parts.paths.includes(path) ? this.parts.paths : [...this.parts.paths, path];
    if ([...this.#select.options].map(({ value }) => value).join() !== paths.join()) {
      fill(this.#select, ...paths.map((one) => element("option", { value: one }, one)));
    }
    this.#select.value = path;
    for (const part of [this.#state, this.parts.login]) part.hidden = endpoint === undefined;
    const why = endpoint && whyAway(endpoint);
    this.#away.hidden = why === undefined;
    if (why !== undefined && this.#why.textContent !== why) this.#why.textContent = why;
    if (!endpoint) return;
    const { state } = endpoint;
    const word = stateWord(state);
    if (this.#state.textContent !== word) this.#state.textContent = word;
    this.#state.dataset["state"] = state.status;
  }
}

/** Why there is no connection, and what becomes of that. */
function whyAway({ state, reflected }: Endpoint): string | undefined {
  switch (state.status) {
    case "connecting":
      // It stays while it is tried, so that nothing jumps.
      return state.failedAttempts > 0 ? "The server cannot be reached. It is tried again now." : undefined;
    case "waiting":
      return `The server cannot be reached: ${state.reason.rawMessage}. It is tried again at ${timeOf(state.retryAt, false)}.`;
    case "closed":
      // Where nothing is known of the server, that is said in the place of it.
      return reflected.is === "told"
        ? `The server has closed the connection for good: ${state.reason.rawMessage}.`
        : undefined;
    case "open":
      return undefined;
  }
}
