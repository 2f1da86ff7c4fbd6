// Who one is, and how to become somebody else: a token is pasted, and kept while the tab is open.

import { element, fill } from "../dom.js";
import { icon, newId } from "../parts.js";
import type { Endpoint } from "../server/endpoint.js";
import { why } from "../words.js";
import { button } from "./parts.js";

export class Login {
  /** Who one is, and the way to the dialog. */
  readonly element = element("div", { class: "who" });
  readonly dialog: HTMLDialogElement;
  readonly #token = element("textarea", {
    id: newId(),
    rows: 4,
    spellcheck: "false",
    autocomplete: "off",
    autocapitalize: "none",
    class: "token",
    required: true,
  });
  readonly #problem = element("p", { class: "problem", role: "alert", id: newId() });
  readonly #submit = element("button", { type: "submit", class: "button strong" }, "Log in");
  readonly #title = element("h2", { id: newId() }, "Log in");
  /** Who is shown; nothing before anybody is. */
  #shown: string | undefined | null = null;

  /** `use` becomes whoever a token says, and rejects where it is refused. */
  constructor(
    readonly use: (token: string) => Promise<void>,
    readonly signOut: () => Promise<void>,
  ) {
    this.#token.setAttribute("aria-describedby", this.#problem.id);
    const form = element(
      "form",
      { novalidate: true, on: { submit: (event: SubmitEvent) => this.#give(event) } },
      this.#title,
      element(
        "p",
        {},
        "A token says who you are. It is shown to this server alone, and kept until this tab is closed. A method that answers with a token offers to log in with it.",
      ),
      element("label", { for: this.#token.id }, "Token"),
      this.#token,
      this.#problem,
      element(
        "div",
        { class: "dialog-end" },
        button("quiet", () => this.dialog.close(), "Cancel"),
        this.#submit,
      ),
    );
    this.dialog = element("dialog", { class: "dialog", "aria-labelledby": this.#title.id }, form);
    this.dialog.addEventListener("close", () => {
      // This comes later: it may be open again, with what was pasted since.
      if (this.dialog.open) return;
      // Nothing of it stays in the page.
      this.#token.value = "";
      this.#say("");
    });
  }

  /** Shows who one is now at an endpoint. */
  update({ identity: { userId } }: Endpoint): void {
    // Buttons that are the same keep the focus.
    if (userId === this.#shown) return;
    this.#shown = userId;
    const open = button("quiet", () => this.open(), userId === undefined ? "Log in" : "Change user");
    open.setAttribute("aria-haspopup", "dialog");
    if (userId === undefined) {
      fill(this.element, element("span", { class: "who-name soft" }, "Anonymous"), open);
      return;
    }
    fill(
      this.element,
      element(
        "span",
        { class: "who-name" },
        icon("person"),
        element("span", { class: "unseen" }, "You are "),
        element("bdi", {}, userId),
      ),
      open,
      button("quiet", () => void this.signOut(), "Sign out"),
    );
  }

  open(): void {
    this.dialog.showModal();
    this.#token.focus();
  }

  async #give(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const token = this.#token.value.trim();
    if (token === "") {
      this.#say("Paste a token first.");
      this.#token.focus();
      return;
    }
    this.#submit.disabled = true;
    this.#say("");
    try {
      await this.use(token);
      this.dialog.close();
    } catch (error) {
      this.#say(`The server does not take it: ${why(error)}`);
    } finally {
      this.#submit.disabled = false;
    }
  }

  #say(problem: string): void {
    this.#problem.textContent = problem;
    this.#problem.hidden = problem === "";
    if (problem === "") this.#token.removeAttribute("aria-invalid");
    else this.#token.setAttribute("aria-invalid", "true");
  }
}
