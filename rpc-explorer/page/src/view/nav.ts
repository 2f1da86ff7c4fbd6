// The list of what there is: packages, services, methods, channels, events. What is searched for stays.

import { element, fill } from "../dom.js";
import type { NamespaceDetails, ServiceDetails } from "../gen/rpc/reflection/v1/reflection_pb.js";
import { icon, newId } from "../parts.js";
import type { Route } from "../route.js";
import type { Endpoint, Served } from "../server/endpoint.js";
import { count, kindOf } from "../words.js";
import { chip } from "./parts.js";

/** The framework's own packages, which stand behind the program's. */
const OWN = /^rpc\./;

export class Nav {
  readonly element: HTMLElement;
  readonly #search = element("input", {
    type: "search",
    id: newId(),
    placeholder: "Search",
    autocomplete: "off",
    spellcheck: "false",
    "aria-label": "Search services, methods, channels and events",
    on: { input: () => this.#filter() },
  });
  readonly #list = element("div", { class: "nav-list" });
  readonly #none = element("p", { class: "nav-none soft", role: "status" });
  #shown: Served | undefined;
  #current = "";

  constructor(readonly href: (route: Route) => string) {
    this.element = element(
      "nav",
      { class: "nav", "aria-label": "What there is" },
      element(
        "div",
        { class: "nav-search" },
        this.#search,
        element("kbd", { class: "nav-key", "aria-hidden": "true" }, "/"),
      ),
      this.#none,
      this.#list,
    );
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]")) return;
      event.preventDefault();
      this.#search.focus();
      this.#search.select();
    });
    this.#search.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#search.value !== "") {
        this.#search.value = "";
        this.#filter();
        event.preventDefault();
      } else if (event.key === "Enter") {
        this.#list.querySelector<HTMLAnchorElement>("li:not([hidden]) > a.nav-leaf")?.click();
      }
    });
  }

  /** Shows what an endpoint serves, as far as that is known. */
  update(endpoint: Endpoint | undefined): void {
    const served = endpoint?.reflected.is === "told" ? endpoint.reflected.served : undefined;
    if (served === this.#shown) return;
    this.#shown = served;
    fill(this.#list, ...(served ? this.#groups(served) : []));
    this.mark(this.#current);
    this.#filter();
  }

  /** Marks what is shown, by its link. */
  mark(href: string): void {
    this.#current = href;
    for (const link of this.#list.querySelectorAll("a")) {
      if (link.getAttribute("href") === href) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    this.#list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }

  #groups({ services, namespaces, hasHub }: Served): HTMLElement[] {
    const packages = Map.groupBy(services, ({ package: name }) => name);
    const sorted = [...packages].sort(([one], [other]) => Number(OWN.test(one)) - Number(OWN.test(other)));
    const groups = sorted.map(([name, services]) =>
      this.#group(
        name === "" ? "Without a package" : name,
        OWN.test(name),
        services.map((service) => this.#service(service)),
      ),
    );
    if (namespaces.length > 0) {
      const channels = namespaces.map(({ pattern }) => this.#leaf({ page: "channel", pattern }, pattern));
      groups.unshift(this.#group(hasHub ? "Channels" : "Channels (not for clients)", false, channels));
      const events = [...new Set(namespaces.flatMap(({ events }: NamespaceDetails) => events))].sort();
      if (events.length > 0) {
        groups.splice(
          1,
          0,
          this.#group(
            "Events",
            false,
            events.map((name) => this.#leaf({ page: "type", name }, name)),
          ),
        );
      }
      // The program's own services are what one comes for.
      groups.push(...groups.splice(0, events.length > 0 ? 2 : 1));
      groups.sort((one, other) => Number(one.dataset["own"] === "true") - Number(other.dataset["own"] === "true"));
    }
    return groups;
  }

  #group(name: string, isOwn: boolean, children: readonly HTMLElement[]): HTMLElement {
    const id = newId();
    return element(
      "div",
      { class: "nav-group", role: "group", "data-own": String(isOwn), "aria-labelledby": id },
      element("h2", { id, class: "nav-title" }, name),
      element("ul", {}, ...children),
    );
  }

  #service(service: ServiceDetails): HTMLElement {
    const name = service.package === "" ? service.fullName : service.fullName.slice(service.package.length + 1);
    const link = element(
      "a",
      { class: "nav-service", href: this.href({ page: "service", service: service.fullName }) },
      name,
    );
    const methods = service.methods.map((method) => {
      const kind = kindOf(method.kind);
      const needs = method.auth || method.guards.length > 0;
      return this.#leaf(
        { page: "method", service: service.fullName, method: method.name },
        method.name,
        needs &&
          element(
            "span",
            { class: "nav-lock", title: "Not for everybody" },
            icon("lock"),
            element("span", { class: "unseen" }, "not for everybody"),
          ),
        kind !== "" && chip("plain", kind),
      );
    });
    return element("li", { "data-words": service.fullName.toLowerCase() }, link, element("ul", {}, ...methods));
  }

  #leaf(route: Route, name: string, ...behind: readonly (HTMLElement | false)[]): HTMLElement {
    const link = element(
      "a",
      { class: "nav-leaf", href: this.href(route) },
      element("span", { class: "nav-name" }, name),
      ...behind,
    );
    return element("li", { "data-words": name.toLowerCase() }, link);
  }

  /** Shows what all words that are searched for are in, with what stands around it. */
  #filter(): void {
    const words = this.#search.value
      .toLowerCase()
      .split(/[\s/]+/)
      .filter((word) => word !== "");
    let found = 0;
    const isFound = (text: string) => words.every((word) => text.includes(word));
    for (const group of this.#list.querySelectorAll<HTMLElement>(".nav-group")) {
      const title = group.querySelector(".nav-title")?.textContent?.toLowerCase() ?? "";
      let inGroup = 0;
      for (const item of group.querySelectorAll<HTMLElement>(":scope > ul > li")) {
        const own = `${title} ${item.dataset["words"] ?? ""}`;
        const leaves = [...item.querySelectorAll<HTMLElement>("li")];
        const matching = leaves.filter((leaf) => isFound(`${own} ${leaf.dataset["words"] ?? ""}`));
        for (const leaf of leaves) leaf.hidden = !matching.includes(leaf);
        item.hidden = matching.length === 0 && !isFound(own);
        if (!item.hidden) inGroup += 1;
        found += leaves.length > 0 ? matching.length : Number(!item.hidden);
      }
      group.hidden = inGroup === 0;
    }
    const isEmpty = this.#shown !== undefined && this.#list.childElementCount === 0;
    if (isEmpty) this.#none.textContent = "This endpoint serves nothing.";
    else if (words.length > 0)
      this.#none.textContent = found === 0 ? "Nothing is called so." : `${count(found, "match", "matches")}`;
    else this.#none.textContent = "";
    this.#none.hidden = this.#none.textContent === "";
  }
}
