// What is said of the connection: nothing while it is there.

import type { ConnectionState, WebSocketTransport } from "rpc-websocket";
import { fill, h } from "../dom.js";
import { why } from "../words.js";

/** How long it is said that the connection is back. */
const GLAD_MS = 4_000;

/** A line over what is talked in, which is empty while nothing is to be said. */
export class ConnectionView {
  /** Read out when it changes, and only then: it stays in the page, and so does the button that may have the focus. */
  readonly #text = h("span", { role: "status" });
  /** How long is not read out each second. */
  readonly #seconds = h("span", { "aria-hidden": "true" });
  readonly #button = h("button", { type: "button", class: "small", hidden: true });
  readonly element = h("div", { class: "banner", tabindex: "-1" }, this.#text, this.#seconds, this.#button);
  readonly #abort = new AbortController();
  #wasAway = false;
  #isGlad: number | undefined;
  #timer: number | undefined;

  /** `again` is called by who wants a connection after one that is over for good. */
  constructor(
    private readonly transport: WebSocketTransport,
    again: () => void,
  ) {
    this.#button.addEventListener("click", () => {
      if (this.transport.state.status === "closed") again();
      else this.transport.reconnect();
    });
    const off = transport.on("state", () => this.#draw());
    const { signal } = this.#abort;
    signal.addEventListener("abort", off);
    for (const event of ["online", "offline"]) window.addEventListener(event, () => this.#draw(), { signal });
    this.#draw();
  }

  close(): void {
    this.#abort.abort();
    clearInterval(this.#timer);
    clearTimeout(this.#isGlad);
  }

  #draw(): void {
    const { state } = this.transport;
    clearInterval(this.#timer);
    fill(this.#seconds);
    if (state.status === "waiting" || (state.status === "connecting" && state.failedAttempts > 0)) this.#wasAway = true;
    if (state.status === "open") {
      if (this.#wasAway) this.#glad();
      else if (this.#isGlad === undefined) this.#say("");
      return;
    }
    clearTimeout(this.#isGlad);
    this.#isGlad = undefined;
    if (state.status === "closed") {
      this.#say(why("The connection is over", state.reason), "away", "Connect again");
    } else if (!navigator.onLine) {
      this.#say("You are offline. What you write waits, and is sent when you are back.", "away");
    } else if (this.#wasAway) {
      // The same through all attempts.
      this.#say("The connection is lost. What you write waits.", "away", "Try now");
      if (state.status === "waiting") this.#count(state);
      else fill(this.#seconds, "Trying…");
    } else {
      // A moment at the beginning is nothing to talk about.
      this.#say("");
    }
  }

  /** Counts down to the next attempt. */
  #count(state: Extract<ConnectionState, { status: "waiting" }>): void {
    const tick = () => {
      const left = Math.max(0, Math.ceil((state.retryAt.getTime() - Date.now()) / 1_000));
      fill(this.#seconds, left > 0 ? `Next try in ${left} s.` : "Trying…");
    };
    tick();
    this.#timer = window.setInterval(tick, 500);
  }

  #glad(): void {
    this.#wasAway = false;
    this.#say("You are connected again.", "back");
    clearTimeout(this.#isGlad);
    this.#isGlad = window.setTimeout(() => {
      this.#isGlad = undefined;
      this.#say("");
    }, GLAD_MS);
  }

  #say(text: string, look = "", button = ""): void {
    this.element.dataset["look"] = look;
    if (this.#text.textContent !== text) fill(this.#text, text);
    // Whoever has pressed it is not sent to the beginning of the page.
    if (button === "" && document.activeElement === this.#button) this.element.focus();
    this.#button.hidden = button === "";
    if (this.#button.textContent !== button) fill(this.#button, button);
  }
}
