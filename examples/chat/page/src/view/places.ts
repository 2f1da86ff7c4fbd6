// Where one can go: the rooms, and those whom one writes with.

import { fill, h, icon, keep } from "../dom.js";
import { count } from "../words.js";
import { hue, initials } from "./lines.js";

/** A place, as the list shows it. */
export interface Place {
  /** Behind the `#` of the address: `room/kitchen`, `with/ann`. */
  readonly path: string;
  readonly name: string;
  readonly kind: "room" | "user";
  /** What stands beside the name. */
  readonly note: string;
  readonly unread: number;
  readonly isIn: boolean;
}

/** The list. */
export class PlacesView {
  readonly element: HTMLElement;
  readonly #rooms = h("ul", { class: "places" });
  readonly #users = h("ul", { class: "places" });
  readonly #alone: HTMLElement;

  constructor(me: string, isAdmin: boolean, logOut: () => void) {
    this.#alone = h(
      "section",
      { "aria-labelledby": "alone-title", hidden: true },
      h("h2", { id: "alone-title" }, "Written alone"),
      this.#users,
    );
    this.element = h(
      "nav",
      { class: "side", id: "places", "aria-label": "Rooms and people" },
      h("p", { class: "brand" }, h("img", { src: "./icon.svg", alt: "", width: 28, height: 28 }), "Chat"),
      h("section", { "aria-labelledby": "rooms-title" }, h("h2", { id: "rooms-title" }, "Rooms"), this.#rooms),
      this.#alone,
      h(
        "footer",
        { class: "me" },
        h("span", { class: "face", "aria-hidden": "true", "data-hue": String(hue(me)) }, initials(me)),
        h("span", { class: "name" }, h("b", {}, me), isAdmin && h("small", {}, "administrator")),
        h(
          "button",
          { type: "button", class: "quiet", "aria-label": "Log out", title: "Log out", on: { click: logOut } },
          icon("out"),
        ),
      ),
    );
  }

  draw(places: readonly Place[], here: string | undefined): void {
    const users = places.filter((place) => place.kind === "user");
    this.#alone.hidden = users.length === 0;
    for (const [list, some] of [
      [this.#rooms, places.filter((place) => place.kind === "room")],
      [this.#users, users],
    ] as const) {
      const draw = (element: HTMLElement, place: Place) => {
        const link = element.firstElementChild ?? element.appendChild(h("a", { href: `#${place.path}` }));
        link.className = place.isIn ? "in" : "";
        if (place.path === here) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
        fill(
          link,
          h("span", { class: "name" }, place.name),
          place.unread > 0
            ? h(
                "span",
                { class: "unread" },
                String(Math.min(place.unread, 99)),
                h("span", { class: "hidden" }, ` ${count(place.unread, "new message")}`),
              )
            : h("span", { class: "note" }, place.note),
        );
        return element;
      };
      keep(
        list,
        some,
        (place) => place.path,
        (place) => draw(h("li"), place),
        draw,
      );
    }
  }
}
