// The form by which somebody becomes known.

import { type Login, login } from "../account.js";
import { fill, h, invalid } from "../dom.js";
import { why } from "../words.js";

/** What a form begins with. */
export interface LoginOptions {
  /** Why somebody has to log in who was there already. */
  readonly because?: string | undefined;
  /** Who it is, where that is known: nobody else then. */
  readonly user?: string | undefined;
  readonly done: (login: Login) => void;
  /** Where somebody who is to log in again may also become somebody else. */
  readonly other?: (() => void) | undefined;
}

/** The form. */
export function loginView(options: LoginOptions): HTMLElement {
  let register = false;
  const name = h("input", {
    id: "name",
    name: "username",
    autocomplete: "username",
    autocapitalize: "none",
    spellcheck: "false",
    required: true,
    maxlength: 32,
    value: options.user ?? "",
    readonly: options.user !== undefined,
    "aria-describedby": "name-help",
  });
  const password = h("input", {
    id: "password",
    name: "password",
    type: "password",
    autocomplete: "current-password",
    required: true,
    maxlength: 128,
    "aria-describedby": "password-help",
  });
  const nameHelp = h("p", { id: "name-help", class: "help" });
  const passwordHelp = h("p", { id: "password-help", class: "help" });
  const problem = h("p", { class: "problem", role: "alert" }, options.because);
  const submit = h("button", { class: "strong", type: "submit" });
  const other = h("button", { type: "button", class: "link" });

  const draw = () => {
    fill(submit, register ? "Register" : "Log in");
    fill(other, register ? "I have been here before" : "I am new here");
    fill(nameHelp, register ? "Small letters, digits, dots and hyphens; others see it." : "");
    fill(passwordHelp, register ? "8 characters or more." : "");
    password.autocomplete = register ? "new-password" : "current-password";
  };
  other.addEventListener("click", () => {
    if (options.user !== undefined) return options.other?.();
    register = !register;
    fill(problem);
    draw();
    name.focus();
  });
  const wrong = (text: string, field?: HTMLInputElement) => {
    fill(problem, text);
    for (const input of [name, password]) invalid(input, input === field);
    field?.focus();
  };
  const form = h(
    "form",
    { class: "card login", novalidate: true, "aria-labelledby": "login-title" },
    h("h1", { id: "login-title" }, options.user === undefined ? "Chat" : "Log in again"),
    h(
      "p",
      { class: "lead" },
      options.user === undefined ? "Rooms to talk in." : "What you were writing is still there.",
    ),
    problem,
    h("label", { for: "name" }, "Name"),
    name,
    nameHelp,
    h("label", { for: "password" }, "Password"),
    password,
    passwordHelp,
    submit,
    other,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const user = name.value.trim().toLowerCase();
    // As the contract has it: what the server would refuse is said at once.
    if (!/^[a-z][a-z0-9._-]{1,31}$/.test(user)) {
      return wrong("A name begins with a small letter, and has up to 31 more letters, digits, dots and hyphens.", name);
    }
    if (password.value === "") return wrong("The password is missing.", password);
    if (register && password.value.length < 8) return wrong("A password has at least 8 characters.", password);
    submit.disabled = true;
    form.setAttribute("aria-busy", "true");
    fill(problem);
    try {
      options.done(await login(user, password.value, register));
    } catch (error) {
      wrong(why(register ? "You are not registered" : "You are not logged in", error), password);
      password.select();
    } finally {
      submit.disabled = false;
      form.removeAttribute("aria-busy");
    }
  });
  draw();
  if (options.user !== undefined) fill(other, "Somebody else");
  const view = h("main", { class: "center" }, form);
  // When it stands in the page.
  queueMicrotask(() => (options.user === undefined ? name : password).focus());
  return view;
}
