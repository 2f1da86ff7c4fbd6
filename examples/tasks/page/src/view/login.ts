// The form to log in or to register. What is typed stays when a try fails, and when the form is closed and opened again; a password is
// forgotten as soon as it was right.

import { Accounts } from "../session/accounts.js";
import type { Login } from "../session/login.js";
import { loginProblem, waitInWords } from "../words/errors.js";
import { announce } from "./announce.js";
import { byId, setText } from "./dom.js";

const FIELDS = ["name", "password"] as const;
type Field = (typeof FIELDS)[number];

export class LoginView {
  readonly #url: string;
  readonly #done: (login: Login) => void;
  readonly #dialog = byId("login", HTMLDialogElement);
  readonly #fields: Record<Field, HTMLInputElement> = {
    name: byId("login-name", HTMLInputElement),
    password: byId("login-password", HTMLInputElement),
  };
  readonly #problem = byId("login-problem", HTMLElement);
  readonly #submit = byId("login-submit", HTMLButtonElement);
  #accounts: Accounts | undefined;
  #isNew = false;
  #isBusy = false;
  /** Until when the server asked to wait, in milliseconds since 1970. */
  #waitUntil = 0;

  constructor(url: string, done: (login: Login) => void) {
    this.#url = url;
    this.#done = done;
    byId("login-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#try();
    });
    byId("login-switch", HTMLButtonElement).addEventListener("click", () => {
      this.#isNew = !this.#isNew;
      this.#clear();
      this.#show();
      this.#fields.name.focus();
    });
    byId("login-cancel", HTMLButtonElement).addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => {
      // The browser tells it later; by then the form may be open again.
      if (this.#dialog.open) return;
      this.#accounts?.close();
      this.#accounts = undefined;
    });
    for (const field of FIELDS) this.#fields[field].addEventListener("input", () => this.#say(field, undefined));
    setInterval(() => this.#label(), 250);
  }

  /** Opens the form; `name` is that of who logs in again. */
  open(name?: string): void {
    this.#isNew = false;
    this.#clear();
    this.#show();
    if (name !== undefined) this.#fields.name.value = name;
    this.#accounts ??= new Accounts(this.#url);
    this.#dialog.showModal();
    (this.#fields.name.value === "" ? this.#fields.name : this.#fields.password).focus();
  }

  async #try(): Promise<void> {
    const accounts = this.#accounts;
    if (!accounts || this.#isBusy || this.#waitMs() > 0) return;
    this.#clear();
    const { name, password } = { name: this.#fields.name.value.trim(), password: this.#fields.password.value };
    for (const [field, value] of Object.entries({ name, password }) as [Field, string][]) {
      if (value === "")
        return this.#refuse({ [field]: field === "name" ? "Write your name." : "Write your password." });
    }
    this.#isBusy = true;
    this.#label();
    try {
      const login = await (this.#isNew ? accounts.register(name, password) : accounts.logIn(name, password));
      if (accounts !== this.#accounts) return;
      this.#fields.password.value = "";
      this.#dialog.close();
      this.#done(login);
    } catch (error) {
      if (accounts === this.#accounts) this.#refuse(loginProblem(error));
    } finally {
      this.#isBusy = false;
      this.#label();
    }
  }

  #refuse(problem: ReturnType<typeof loginProblem>): void {
    for (const field of FIELDS) this.#say(field, problem[field]);
    if (problem.waitMs !== undefined) this.#waitUntil = Date.now() + problem.waitMs;
    const form =
      problem.waitMs === undefined ? problem.form : `${problem.form} Try again in ${waitInWords(problem.waitMs)}.`;
    setText(this.#problem, form ?? "");
    this.#problem.hidden = form === undefined;
    const said = [form, problem.name, problem.password].filter((text) => text !== undefined);
    announce([said.join(" ")], true);
    const wrong = FIELDS.find((field) => problem[field] !== undefined);
    this.#fields[wrong ?? "password"].focus();
    this.#label();
  }

  #say(field: Field, problem: string | undefined): void {
    const line = byId(`login-${field}-problem`, HTMLElement);
    setText(line, problem ?? "");
    line.hidden = problem === undefined;
    if (problem === undefined) this.#fields[field].removeAttribute("aria-invalid");
    else this.#fields[field].setAttribute("aria-invalid", "true");
  }

  #clear(): void {
    for (const field of FIELDS) this.#say(field, undefined);
    setText(this.#problem, "");
    this.#problem.hidden = true;
  }

  #show(): void {
    setText(byId("login-title", HTMLElement), this.#isNew ? "Make a list of your own" : "Log in");
    byId("login-hints", HTMLElement).hidden = !this.#isNew;
    setText(
      byId("login-question", HTMLElement),
      this.#isNew ? "You have one already?" : "You have no list of your own yet?",
    );
    setText(byId("login-switch", HTMLElement), this.#isNew ? "Log in" : "Register");
    this.#fields.password.autocomplete = this.#isNew ? "new-password" : "current-password";
    this.#label();
  }

  /** What stands on the button, which stays where it is, so that the focus does: it does nothing while there is nothing to do. */
  #label(): void {
    const waitMs = this.#waitMs();
    const ready = this.#isNew ? "Register" : "Log in";
    const busy = this.#isNew ? "Registering…" : "Logging in…";
    const text = waitMs > 0 ? `Wait ${waitInWords(waitMs)}` : this.#isBusy ? busy : ready;
    setText(this.#submit, text);
    if (text === ready) this.#submit.removeAttribute("aria-disabled");
    else this.#submit.setAttribute("aria-disabled", "true");
  }

  #waitMs(): number {
    return this.#waitUntil - Date.now();
  }
}
