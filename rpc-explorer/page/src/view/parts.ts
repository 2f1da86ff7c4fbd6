// Small parts that several views are made of, and forms are not.

import { type Child, element } from "../dom.js";

/** A button that does something. `style` is `strong`, `quiet`, or nothing. */
export function button(style: string, run: () => void, ...children: readonly Child[]): HTMLButtonElement {
  return element("button", { type: "button", class: `button ${style}`, on: { click: run } }, ...children);
}

/**
 * Buttons below a form. Pressing one leaves the focus where it is: a field that is left may say what is wrong with it, and the button
 * would move away under the pointer before it is released.
 */
export function actions(...buttons: readonly Child[]): HTMLElement {
  return element("div", { class: "actions", on: { mousedown: (event: Event) => event.preventDefault() } }, ...buttons);
}

/** A word on a wash of colour. `tone` is one of `plain`, `good`, `warn`, `bad` and `accent`. */
export function chip(tone: string, ...children: readonly Child[]): HTMLElement {
  return element("span", { class: `chip ${tone}` }, ...children);
}

/** One of several ways to look at something: buttons of which one is pressed. */
export function choice<Name extends string>(
  label: string,
  names: readonly Name[],
  chosen: Name,
  choose: (name: Name) => void,
): HTMLElement & { set(name: Name): void } {
  const buttons = names.map((name) =>
    element("button", { type: "button", class: "choice-one", on: { click: () => choose(name) } }, name),
  );
  const group = element("div", { class: "choice", role: "group", "aria-label": label }, ...buttons);
  const set = (name: Name) => {
    for (const [at, one] of buttons.entries()) one.setAttribute("aria-pressed", String(names[at] === name));
  };
  set(chosen);
  return Object.assign(group, { set });
}

/** Says something where it is told to who does not see it change. `tone` is `good`, `bad`, or nothing. */
export function say(where: HTMLElement, text: string, tone = ""): void {
  where.className = `said ${tone}`;
  where.textContent = text;
}

/** Runs something soon, once, however often it is asked for meanwhile. */
export function soon(run: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      run();
    }, 40);
  };
}
