// Small parts that forms and views are made of.

import { element } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";

/** What icons look like: lines in a square of 20. */
const ICONS = {
  add: "M10 5v10M5 10h10",
  alert: "M10 3.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13zM10 6.7v4M10 13.2v.1",
  down: "M5 8l5 5 5-5",
  fold: "M7.5 5l5 5-5 5",
  in: "M10 4v12m-5-5 5 5 5-5",
  lines: "M4 6h12M4 10h12M4 14h7",
  lock: "M5.5 9h9v7h-9z M7.5 9V6.5a2.5 2.5 0 0 1 5 0V9",
  menu: "M3.5 6h13M3.5 10h13M3.5 14h13",
  out: "M10 16V4m-5 5 5-5 5 5",
  person: "M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 16.5c.6-3 3-4.5 6-4.5s5.4 1.5 6 4.5",
  remove: "M6 6l8 8M14 6l-8 8",
  up: "M5 12l5-5 5 5",
} as const;

export type IconName = keyof typeof ICONS;

/** An icon, which says nothing to who does not see it: what it means stands beside it, or in its button's label. */
export function icon(name: IconName, className = "icon"): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of [
    ["viewBox", "0 0 20 20"],
    ["class", className],
    ["aria-hidden", "true"],
  ] as const) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button that can do nothing now keeps the focus. */
export function disable(button: HTMLButtonElement, isDisabled: boolean): void {
  if (isDisabled) button.setAttribute("aria-disabled", "true");
  else button.removeAttribute("aria-disabled");
}

/** Paragraphs of a comment; `code` in backquotes. */
export function paragraphs(text: string): HTMLParagraphElement[] {
  return text.split("\n\n").map((paragraph) => {
    const parts = paragraph.split(/`([^`\n]+)`/);
    return element("p", {}, ...parts.map((part, at) => (at % 2 === 1 ? element("code", {}, part) : part)));
  });
}

let ids = 0;

/** An id that no other element has. */
export function newId(): string {
  ids += 1;
  return `e${ids}`;
}
