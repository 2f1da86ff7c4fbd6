// A form from the descriptor of any message: what is filled in is read as a message or as JSON, and filled from JSON.

import { type DescMessage, fromJson, type Message, type Registry, toBinary } from "@bufbuild/protobuf";
import { element } from "../dom.js";
import { newId } from "../parts.js";
import type { Making, Problem } from "./control.js";
import { type Json, JsonError, parse, place, print, toValue } from "./json.js";
import { NO_RULES } from "./rules.js";
import { controlOf } from "./types.js";

export type { Problem } from "./control.js";

/** A form for one message. */
export interface MessageForm {
  /** To be put in the page, in a `form` of its own. */
  readonly element: HTMLElement;
  /** What is filled in, or why it cannot be sent. Problems are shown at their fields too, and the first of them gets the focus. */
  read(): { message: Message } | { problems: Problem[] };
  /** What is filled in as proto3 JSON, also when it is not whole: what cannot be sent stands in it as it was typed. */
  json(): string;
  /** Fills the form. What is wrong is told with its line and column; the rest is filled in. What is no JSON changes nothing. */
  fill(json: string): Problem[];
  /** Calls back each time that something is filled in otherwise. */
  onChange(listener: () => void): void;
}

/** Makes a form. Types of `Any`, and the rules of fields, are looked for in the registry. */
export function messageForm(desc: DescMessage, registry: Registry): MessageForm {
  const listeners = new Set<() => void>();
  const changed = () => {
    for (const listener of listeners) listener();
  };
  const spoken = element("div", { class: "unseen", "aria-live": "polite" });
  const making: Making = {
    registry,
    changed,
    announce: (text) => spoken.replaceChildren(element("p", {}, text)),
    control: (type, place) => controlOf(making, type, place),
  };
  const title = element("span", { class: "unseen", id: newId() }, desc.name);
  const overall = element("p", { class: "mf-problem", hidden: true });
  const where = { labelId: title.id, describedBy: "", rules: NO_RULES, depth: 0, within: [] };
  const control = controlOf(making, { kind: "message", message: desc }, where);
  control.input?.setAttribute("aria-labelledby", title.id);
  const whole = element("div", { class: "mf-form" }, title, control.element, overall, spoken);
  whole.addEventListener("input", changed);
  whole.addEventListener("change", changed);

  const say = (problem: string) => {
    overall.textContent = problem;
    overall.hidden = problem === "";
  };

  return {
    element: whole,
    read: () => {
      const problems: Problem[] = [];
      const { json } = control.read("", { problems, show: true });
      say("");
      if (problems.length > 0) {
        const wrong = [...whole.querySelectorAll<HTMLElement>("[aria-invalid=true]")];
        // One that is not asked for now keeps what is wrong with it.
        wrong.find((input) => input.checkVisibility())?.focus();
        return { problems };
      }
      try {
        const message = fromJson(desc, toValue(json), { registry });
        // Some of it is only found when it is encoded, such as something that has to be there, deep within.
        toBinary(desc, message);
        return { message };
      } catch (error) {
        // What the controls let through, and the library does not.
        const text = error instanceof Error ? error.message : String(error);
        say(text);
        return { problems: [{ path: "", text }] };
      }
    },
    json: () => print(control.read("", { problems: [], show: false }).json),
    fill: (source) => {
      let json: Json;
      try {
        json = parse(source);
      } catch (error) {
        if (error instanceof JsonError) return [{ path: "", text: `${place(source, error.at)}: ${error.message}` }];
        throw error;
      }
      const problems: Problem[] = [];
      const sayAt = (at: number, path: string, text: string) =>
        problems.push({ path, text: `${place(source, at)}: ${text}` });
      control.fill(json, "", { sayAt, say: (json, path, text) => sayAt(json.at, path, text) });
      say("");
      changed();
      return problems;
    },
    onChange: (listener) => {
      listeners.add(listener);
    },
  };
}
