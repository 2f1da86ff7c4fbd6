// What is said of the connection: nothing while it is there.

import type { ConnectionState, WebSocketTransport } from "rpc-websocket";
import { fill, h } from "../dom.js";

/** How long it is said that the connection is back. */
const GLAD_MS = 4_000;

/** A line over what is talked in, which is there while something is to be said. */
export class ConnectionView {
  readonly element = h("div", { class: "banner", role: "status", hidden: true });
  readonly #abort = new AbortController();
  #wasAway = false;
  #isGlad: number | undefined;
  #timer: number | undefined;
  /** What is said now: a status line is read out when it changes, and only then. */
  #said = "";

  constructor(private readonly transport: WebSocketTransport) {
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
    if (state.status === "waiting" || (state.status === "connecting" && state.failedAttempts > 0)) this.#wasAway = true;
    if (state.status === "open") {
      if (this.#wasAway) this.#glad();
      else if (this.#isGlad === undefined) this.#say("");
      return;
    }
    clearTimeout(this.#isGlad);
    this.#isGlad = undefined;
    if (!navigator.onLine) {
      this.#say("You are offline. What you write waits, and is sent when you are back.", "away");
    } else if (state.status === "waiting") {
      this.#waiting(state);
    } else if (state.status === "closed") {
      this.#say("The connection is closed.", "away");
    } else {
      // A moment at the beginning is nothing to talk about.
      this.#say(this.#wasAway ? "Connecting again…" : "", "away");
    }
  }

  #waiting(state: Extract<ConnectionState, { status: "waiting" }>): void {
    // How long is not read out each second.
    const seconds = h("span", { "aria-hidden": "true" });
    const tick = () => {
      const left = Math.max(0, Math.ceil((state.retryAt.getTime() - Date.now()) / 1_000));
      fill(seconds, left > 0 ? ` Trying again in ${left} s.` : " Trying again.");
    };
    tick();
    this.#timer = window.setInterval(tick, 500);
    const now = h(
      "button",
      { type: "button", class: "small", on: { click: () => this.transport.reconnect() } },
      "Try now",
    );
    this.#say("The connection is lost. What you write waits.", "away", seconds, now);
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

  #say(text: string, look = "", ...more: Node[]): void {
    this.element.hidden = text === "";
    if (text === this.#said && more.length === 0) return;
    this.#said = text;
    this.element.dataset["look"] = look;
    fill(this.element, text === "" ? undefined : h("span", {}, text), ...more);
  }
}
