// Elements, made of text and other elements. Nothing here makes markup of text: what users write can only be shown.

/** What stands in an element. `undefined` and `false` stand for nothing. */
export type Child = Node | string | undefined | false;

/** Attributes by their names, and callbacks by the events that they are for. `false` and `undefined`: without. */
export interface Props {
  readonly [attribute: string]:
    | string
    | number
    | boolean
    | undefined
    | { readonly [event: string]: (event: never) => void };
  readonly on?: { readonly [event: string]: (event: never) => void };
}

/** Makes an element. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "object") {
      for (const [event, callback] of Object.entries(value)) {
        element.addEventListener(event, callback as (event: Event) => void);
      }
    } else if (value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

/** Makes `parent` hold these and nothing else. */
export function fill(parent: Element, ...children: readonly Child[]): void {
  parent.replaceChildren(...children.filter((child) => child !== undefined && child !== false));
}

/** Says of a field whether what is in it is wrong. Without a value the attribute would say that it is not. */
export function invalid(field: Element, is: boolean): void {
  if (is) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

const SVG = "http://www.w3.org/2000/svg";

/** What icons look like: lines in a square of 24. */
const ICONS = {
  send: "M4 12 20 4l-5 16-4-7-7-1Zm7 1 9-9",
  people:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Zm-6 9c0-3.3 2.7-5.5 6-5.5s6 2.2 6 5.5m1-9.2a3 3 0 1 0-1.5-5.6M17 14.8c2.4.5 4 2.4 4 5.2",
  rooms: "M4 6h16M4 12h16M4 18h10",
  out: "M14 4h5v16h-5M10 8l-4 4 4 4m-4-4h9",
  down: "M12 5v14m-6-6 6 6 6-6",
  close: "m6 6 12 12M18 6 6 18",
} as const;

/** An icon, which says nothing to who does not see it: what it means stands beside it, or in its button's label. */
export function icon(name: keyof typeof ICONS): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * Makes the children of `parent` those of `items`, in their order: who is there already stays the same element, so that neither the
 * focus nor a selection is lost.
 */
export function keep<Item>(
  parent: Element,
  items: readonly Item[],
  key: (item: Item) => string,
  make: (item: Item) => HTMLElement,
  update: (element: HTMLElement, item: Item) => void = () => {},
): void {
  const there = new Map<string, HTMLElement>();
  for (const child of parent.children) {
    if (child instanceof HTMLElement && child.dataset["key"] !== undefined) there.set(child.dataset["key"], child);
  }
  let next = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    const known = there.get(name);
    const element = known ?? make(item);
    there.delete(name);
    element.dataset["key"] = name;
    if (known) update(known, item);
    if (element === next) {
      next = element.nextElementSibling;
    } else {
      parent.insertBefore(element, next);
    }
  }
  for (const gone of there.values()) gone.remove();
}
