// Makes elements. Nothing here takes markup: what users have written becomes text nodes, and the page's policy forbids the rest.

import { visible, type Words } from "../words/text.js";

/** What an element has: attributes by name; `true` is one without a value, `false` and `undefined` none. */
type Attributes = Readonly<Record<string, string | boolean | undefined>>;

/** An element with attributes and children. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (typeof value === "string") made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** A picture that says nothing by itself, by its name in `index.html`. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** A button with a picture and a name. */
export function iconButton(name: string, className: string): HTMLButtonElement {
  return element("button", { type: "button", class: `icon-button ${className}` }, icon(name));
}

/** A sentence: what users have written stands isolated in it. */
export function sentence(words: Words): DocumentFragment {
  const fragment = document.createDocumentFragment();
  for (const part of words) {
    fragment.append(typeof part === "string" ? part : element("bdi", { class: "quoted" }, visible(part.quoted)));
  }
  return fragment;
}

/** The element of an id in `index.html`. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} "${id}"`);
  return found;
}

/** Sets a text, and leaves the node alone where it is the same: screen readers and selections notice each change. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
