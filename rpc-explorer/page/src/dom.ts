// Elements, made of text and other elements. Nothing here makes markup of text: what comes from a server can only be shown.

/** What stands in an element. `undefined`, `null` and `false` stand for nothing. */
export type Child = Node | string | undefined | null | false;

/** Attributes by their names; `true` is one without a value, `false` and `undefined` none. What `on` has are callbacks by their events. */
export interface Props {
  readonly [attribute: string]: string | number | boolean | undefined | Callbacks;
  readonly on?: Callbacks;
}

type Callbacks = { readonly [event: string]: (event: never) => void };

/** Makes an element. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "object") {
      for (const [event, callback] of Object.entries(value)) {
        made.addEventListener(event, callback as (event: Event) => void);
      }
    } else if (value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? "" : String(value));
    }
  }
  fill(made, ...children);
  return made;
}

/** Makes `parent` hold these and nothing else. */
export function fill(parent: Element, ...children: readonly Child[]): void {
  parent.replaceChildren(...children.filter((child) => child !== undefined && child !== null && child !== false));
}
