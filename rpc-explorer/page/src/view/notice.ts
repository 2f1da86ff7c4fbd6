// What stands in the place of a view: why there is none, that it is on its way, or what has to be said first.

import { type Child, element } from "../dom.js";
import { icon, newId } from "../parts.js";

/** A page that says something instead of showing something. `tone` is one of the tones of chips. */
export function notice(tone: string, title: string, text: readonly Child[], ...actions: readonly Child[]): HTMLElement {
  return element(
    "article",
    { class: `notice ${tone}` },
    icon("alert"),
    element("h1", {}, title),
    element("p", {}, ...text),
    element("div", { class: "actions" }, ...actions),
  );
}

/** While something is asked for. */
export function waiting(text: string): HTMLElement {
  return element(
    "article",
    { class: "notice plain", "aria-busy": "true" },
    element("span", { class: "pulse", "aria-hidden": "true" }),
    element("p", { role: "status" }, text),
  );
}

/** Asks for the parts of a path that are in braces. */
export function pathForm(path: string, choose: (path: string) => void): HTMLElement {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const inputs = names.map((name) =>
    element("input", { type: "text", id: newId(), name, autocomplete: "off", spellcheck: "false" }),
  );
  const go = (event: SubmitEvent) => {
    event.preventDefault();
    const empty = inputs.find(({ value }) => value.trim() === "");
    if (empty) empty.focus();
    else
      choose(
        inputs.reduce((path, { name, value }) => path.replace(`{${name}}`, encodeURIComponent(value.trim())), path),
      );
  };
  return element(
    "form",
    { class: "notice plain path-form", novalidate: true, on: { submit: go } },
    element("h1", {}, "Which one?"),
    element("p", {}, "The path of this endpoint has parts that are yours to say: ", element("code", {}, path)),
    ...inputs.flatMap((input) => [element("label", { for: input.id }, input.name), input]),
    element("div", { class: "actions" }, element("button", { type: "submit", class: "button strong" }, "Go there")),
  );
}
