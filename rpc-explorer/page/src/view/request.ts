// What is to be sent: a form or JSON, whichever one likes, metadata and a deadline.

import type { DescMessage, Message, Registry } from "@bufbuild/protobuf";
import { element, fill } from "../dom.js";
import { type MessageForm, messageForm, type Problem } from "../form/form.js";
import { icon, newId } from "../parts.js";
import { button, choice } from "./parts.js";

const WAYS = ["Form", "JSON"] as const;

/** A message in the making. */
export class MessageEditor {
  readonly element: HTMLElement;
  readonly choice;
  readonly #form: MessageForm;
  readonly #text: HTMLTextAreaElement;
  readonly #problems = element("ul", { class: "problems", role: "alert", id: newId() });
  readonly #json: HTMLElement;
  #way: (typeof WAYS)[number] = "Form";

  constructor(
    readonly desc: DescMessage,
    readonly registry: Registry,
  ) {
    this.#form = messageForm(desc, registry);
    this.#form.onChange(() => this.#say([]));
    this.#text = element("textarea", {
      class: "json-text",
      rows: 10,
      spellcheck: "false",
      autocomplete: "off",
      autocapitalize: "none",
      "aria-label": `${desc.name} in JSON`,
      "aria-describedby": this.#problems.id,
      on: { input: () => this.#say([]) },
    });
    this.choice = choice("How to fill it in", WAYS, this.#way, (way) => this.#turn(way));
    this.#json = element("div", { hidden: true }, this.#text);
    this.element = element("div", { class: "editor" }, this.#form.element, this.#json, this.#problems);
    this.#say([]);
  }

  /** What is filled in; `undefined` where it cannot be sent, which is said where it stands. */
  read(): Message | undefined {
    const isJson = this.#way === "JSON";
    // JSON is sent through the form, which keeps all digits of a number and knows what cannot be sent.
    const misfits = isJson ? this.#form.fill(this.#source) : [];
    const read = misfits.length > 0 ? { problems: misfits } : this.#form.read();
    this.#say(isJson && "problems" in read ? read.problems : []);
    if ("message" in read) return read.message;
    if (isJson) this.#text.focus();
    return undefined;
  }

  /** What is written as JSON. Nothing is a message with nothing set. */
  get #source(): string {
    return this.#text.value.trim() === "" ? "{}" : this.#text.value;
  }

  /** What is filled in, so that another editor can go on with it. */
  get json(): string {
    return this.#way === "Form" ? this.#form.json() : this.#text.value;
  }

  /** Fills in what an editor of a message like this had, as far as it fits. */
  fill(json: string): void {
    this.#form.fill(json);
  }

  #turn(way: (typeof WAYS)[number]): void {
    if (way === this.#way) return;
    if (way === "JSON") {
      this.#text.value = this.#form.json();
      this.#say([]);
    } else {
      const problems = this.#form.fill(this.#source);
      this.#say(problems);
      // What is no JSON stays where it can be mended.
      if (problems.length > 0) {
        this.#text.focus();
        return;
      }
    }
    this.#way = way;
    this.choice.set(way);
    this.#form.element.hidden = way === "JSON";
    this.#json.hidden = way === "Form";
  }

  #say(problems: readonly Problem[]): void {
    this.#problems.hidden = problems.length === 0;
    fill(this.#problems, ...problems.map(({ text }) => element("li", {}, text)));
    if (problems.length > 0) this.#text.setAttribute("aria-invalid", "true");
    else this.#text.removeAttribute("aria-invalid");
  }
}

/** What goes with a call beside its messages. */
export class CallSettings {
  readonly element: HTMLElement;
  readonly #rows = element("div", { class: "pairs" });
  readonly #timeout: HTMLInputElement;
  readonly #problem = element("p", { class: "problem", role: "alert" });

  constructor(deadline: string | undefined) {
    this.#timeout = element("input", {
      type: "number",
      min: 1,
      step: 1,
      id: newId(),
      inputmode: "numeric",
      class: "timeout",
    });
    const hint = deadline === undefined ? "The method has none of its own." : `The method allows ${deadline}.`;
    this.element = element(
      "details",
      { class: "settings" },
      element("summary", {}, "Metadata and deadline"),
      this.#rows,
      button("quiet", () => this.#add(), icon("add"), "Add metadata"),
      element(
        "div",
        { class: "timeout-line" },
        element("label", { for: this.#timeout.id }, "Deadline in milliseconds"),
        this.#timeout,
        element("span", { class: "soft" }, hint),
      ),
      this.#problem,
    );
    this.#problem.hidden = true;
  }

  /** The metadata and the deadline; `undefined` where one of them is none, which is said. */
  read(): { header: Headers; timeoutMs: number | undefined } | undefined {
    const header = new Headers();
    this.#say("");
    for (const row of this.#rows.children) {
      const [key, value] = [...row.querySelectorAll("input")].map((input) => input.value.trim());
      if (!key) continue;
      try {
        header.append(key, value ?? "");
      } catch {
        this.#say(
          `${JSON.stringify(key)} with ${JSON.stringify(value)} is no metadata: keys are letters, digits, - . and _, values are printable.`,
        );
        return undefined;
      }
    }
    const text = this.#timeout.value.trim();
    if (text === "" && !this.#timeout.validity.badInput) return { header, timeoutMs: undefined };
    const timeoutMs = Number(text);
    if (!Number.isInteger(timeoutMs) || timeoutMs < 1) {
      this.#say("A deadline is a whole number of milliseconds, from 1.");
      this.#timeout.focus();
      return undefined;
    }
    return { header, timeoutMs };
  }

  #add(): void {
    const key = element("input", {
      type: "text",
      placeholder: "key",
      "aria-label": "Key",
      autocomplete: "off",
      spellcheck: "false",
    });
    const value = element("input", {
      type: "text",
      placeholder: "value",
      "aria-label": "Value",
      autocomplete: "off",
      spellcheck: "false",
    });
    const remove = button("quiet", () => row.remove(), icon("remove"), element("span", { class: "unseen" }, "Remove"));
    const row = element("div", { class: "pair" }, key, value, remove);
    this.#rows.append(row);
    key.focus();
  }

  #say(problem: string): void {
    this.#problem.textContent = problem;
    this.#problem.hidden = problem === "";
    if (problem !== "" && this.element instanceof HTMLDetailsElement) this.element.open = true;
  }
}
