// Elements that the parts of a form are made of.

import { element } from "../dom.js";
import { type IconName, icon as picture } from "../parts.js";

/** A picture that says nothing by itself. */
export function icon(name: IconName): SVGSVGElement {
  return picture(name, `mf-icon mf-icon-${name}`);
}

/** A button that does something. */
export function button(className: string, run: () => void, ...children: readonly (Node | string)[]): HTMLButtonElement {
  const made = element("button", { type: "button", class: `mf-button ${className}` }, ...children);
  made.addEventListener("click", () => {
    if (made.getAttribute("aria-disabled") !== "true") run();
  });
  return made;
}

/** A text for those who do not see the page. */
export function unseen(text: string): HTMLSpanElement {
  return element("span", { class: "unseen" }, text);
}

/** Ids in one attribute, without those that are empty. */
export function idList(...ids: readonly string[]): string {
  return ids.filter((id) => id !== "").join(" ");
}

/** Puts the focus into the first thing of an element that can have it. */
export function focusFirst(within: Element): void {
  const found = within.querySelectorAll<HTMLElement>("input, select, textarea, button");
  [...found].find((one) => one.offsetParent !== null)?.focus();
}
