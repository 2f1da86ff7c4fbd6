// The page as a whole: which endpoint, which view, and what stands around it.

import { type FileRegistry, toBinary, toJsonString } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";
import { element, fill } from "./dom.js";
import { MethodDetailsSchema, NamespaceDetailsSchema } from "./gen/rpc/reflection/v1/reflection_pb.js";
import { isPattern, relativeTo, shownPath } from "./paths.js";
import { hash, type Place, type Route, read } from "./route.js";
import { Endpoint, type Served } from "./server/endpoint.js";
import type { Schemas } from "./server/schemas.js";
import { ChannelPage } from "./view/channel.js";
import { Frames } from "./view/frames.js";
import { Head } from "./view/head.js";
import { Login } from "./view/login.js";
import { MethodPage } from "./view/method.js";
import { Nav } from "./view/nav.js";
import { notice, pathForm, waiting } from "./view/notice.js";
import { overview, servicePage, typePage } from "./view/overview.js";
import { button } from "./view/parts.js";
import type { LinkTo } from "./view/schema.js";
import { refusal, why } from "./words.js";

/** What is shown, and kept when one looks at something else: a call goes on, and so does what has been filled in. */
type View = MethodPage | ChannelPage | { readonly element: HTMLElement };

/** A view that is kept, and of what it was made. */
interface Kept {
  readonly endpoint: Endpoint;
  readonly view: MethodPage | ChannelPage;
  /** What the server sent for it, to be compared. */
  readonly made: string;
  /** When that was: after others have come it is seen whether they differ. */
  schemas: Schemas;
  served: Served;
}

export class App {
  readonly element: HTMLElement;
  readonly #main = element("main", { class: "main", id: "main", tabindex: -1 });
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #views = new Map<string, Kept>();
  readonly #nav: Nav;
  readonly #head: Head;
  readonly #login: Login;
  readonly #frames = new Frames();
  #place: Place;
  /** The main one has no path in links. */
  #path = "";
  /** What is shown, or is being made: where nothing of it changes it stays. */
  #wanted: readonly unknown[] = [];

  constructor(readonly paths: readonly string[]) {
    this.#nav = new Nav((route) => this.#href(route));
    this.#login = new Login(
      async (token) => void (await this.#logIn(token)),
      () => this.#signOut(),
    );
    this.#head = new Head({
      paths: paths.map(shownPath),
      choose: (path) => this.#chooseEndpoint(path),
      again: () => this.#again(),
      toggleNav: (isOpen) => this.element.classList.toggle("nav-open", isOpen),
      login: this.#login.element,
    });
    this.element = element(
      "div",
      { class: "app" },
      element(
        "a",
        { class: "skip", href: "#main", on: { click: (event: Event) => this.#skip(event) } },
        "To the content",
      ),
      this.#head.element,
      this.#nav.element,
      element("div", { class: "stage" }, this.#main, this.#frames.element),
      this.#login.dialog,
    );
    this.#place = read(location.hash);
    this.#main.addEventListener("call", () => this.#followFrames());
    addEventListener("hashchange", () => {
      this.#place = read(location.hash);
      this.#head.closeNav();
      this.#update();
      this.#main.scrollTop = 0;
      this.#main.focus({ preventScroll: true });
    });
    this.#update();
  }

  get #endpoint(): Endpoint {
    return this.#endpointAt(this.#path);
  }

  #endpointAt(path: string): Endpoint {
    let endpoint = this.#endpoints.get(path);
    if (!endpoint) {
      endpoint = new Endpoint(relativeTo(this.paths, path));
      this.#endpoints.set(path, endpoint);
      endpoint.onChange(() => this.#path === path && this.#update());
    }
    return endpoint;
  }

  #href(route: Route, path = this.#path): string {
    const isMain = path === shownPath(this.paths[0] ?? "");
    return hash({ endpoint: isMain ? undefined : path, route });
  }

  /** Makes links to types and services of an endpoint. */
  #linkIn(path: string, served: Served): LinkTo {
    return (name, ...children) => {
      const isService = served.services.some(({ fullName }) => fullName === name);
      const route: Route = isService ? { page: "service", service: name } : { page: "type", name };
      return element("a", { class: "type-link", href: this.#href(route, path) }, ...children);
    };
  }

  #chooseEndpoint(path: string): void {
    location.hash = hash({
      endpoint: path === shownPath(this.paths[0] ?? "") ? undefined : path,
      route: { page: "overview" },
    });
  }

  /** Tries a token at each endpoint: the one that gives tokens is mostly not the one that they are for. Gives the paths of those that took it. */
  async #logIn(token: string): Promise<readonly string[]> {
    const paths = [...new Set([this.#path, ...this.paths.map(shownPath)])].filter((path) => !isPattern(path));
    const endpoints = paths.map((path) => this.#endpointAt(path));
    const before = endpoints.map(({ identity }) => identity.userId);
    const tried = await Promise.allSettled(endpoints.map((endpoint) => endpoint.logIn(token)));
    for (const [at, endpoint] of endpoints.entries()) {
      const was = before[at];
      if (was !== undefined && endpoint.identity.userId !== was) this.#forget(endpoint);
    }
    const taken = paths.filter((_, at) => tried[at]?.status === "fulfilled");
    if (taken.length > 0) return taken;
    const refused = tried.find((one) => one.status === "rejected");
    throw refused?.reason;
  }

  async #signOut(): Promise<void> {
    // Where it is refused one stays known, which the head shows.
    const endpoints = [...this.#endpoints.values()];
    for (const endpoint of endpoints) this.#forget(endpoint);
    await Promise.allSettled(endpoints.map((endpoint) => endpoint.signOut()));
  }

  /** What one user was told is not for the next one. */
  #forget(endpoint: Endpoint): void {
    for (const kept of this.#views.values()) if (kept.endpoint === endpoint) kept.view.forget();
    endpoint.wire.clear();
  }

  #again(): void {
    const endpoint = this.#endpoint;
    if (endpoint.state.status === "closed") endpoint.reopen();
    else if (endpoint.state.status === "open") void endpoint.reflect();
    else endpoint.transport.reconnect();
  }

  #skip(event: Event): void {
    event.preventDefault();
    this.#main.focus();
  }

  /** Shows how all stands now. */
  #update(): void {
    this.#path = this.#place.endpoint ?? shownPath(this.paths[0] ?? "/rpc");
    this.#leave();
    if (isPattern(this.#path)) {
      this.#head.update(undefined, this.#path);
      this.#nav.update(undefined);
      if (this.#wants("pattern", this.#path)) this.#put(pathForm(this.#path, (path) => this.#chooseEndpoint(path)));
      return;
    }
    const endpoint = this.#endpoint;
    this.#head.update(endpoint, this.#path);
    this.#login.update(endpoint);
    this.#nav.update(endpoint);
    this.#nav.mark(this.#href(this.#place.route));
    this.#frames.of(endpoint.wire);
    void this.#show(endpoint);
  }

  /** Ends connections to endpoints whose paths were filled in, where one has gone elsewhere. */
  #leave(): void {
    for (const [path, endpoint] of this.#endpoints) {
      if (path === this.#path || this.paths.some((known) => shownPath(known) === path)) continue;
      endpoint.close();
      this.#endpoints.delete(path);
      for (const [key, kept] of this.#views) if (kept.endpoint === endpoint) this.#views.delete(key);
    }
  }

  /** Whether something else is to be shown than is. */
  #wants(...wanted: readonly unknown[]): boolean {
    const isSame = wanted.length === this.#wanted.length && wanted.every((one, at) => one === this.#wanted[at]);
    this.#wanted = wanted;
    return !isSame;
  }

  async #show(endpoint: Endpoint): Promise<void> {
    const { route } = this.#place;
    const key = this.#href(route);
    const { reflected, state, schemas } = endpoint;
    const kept = this.#views.get(key);
    if (kept && (reflected.is !== "told" || (kept.schemas === schemas && kept.served === reflected.served))) {
      if (this.#wants(kept.view)) this.#put(kept.view.element);
      return;
    }
    if (reflected.is === "refused") {
      if (this.#wants(endpoint, key, reflected, state.status)) this.#put(this.#refused(endpoint, reflected.error));
      return;
    }
    if (reflected.is === "asking") {
      const text =
        state.status === "waiting"
          ? "The server cannot be reached. The explorer goes on trying."
          : "Asking the server what it serves…";
      if (this.#wants(endpoint, key, text)) this.#put(waiting(text));
      return;
    }
    if (!this.#wants(endpoint, key, schemas, reflected.served)) return;
    // Until it is made, what was shown before stands there.
    this.#main.setAttribute("aria-busy", "true");
    const wanted = this.#wanted;
    const isWanted = () => this.#wanted === wanted;
    const slow = setTimeout(() => {
      if (isWanted() && !kept) this.#put(waiting("Asking the server for its schemas…"));
    }, 150);
    let view: View;
    try {
      view = await this.#make(endpoint, schemas, reflected.served, route, kept);
    } catch (error) {
      view = {
        element: notice(
          "bad",
          "This cannot be shown",
          [why(error)],
          button("", () => this.#retry(), "Try again"),
        ),
      };
    } finally {
      clearTimeout(slow);
    }
    if (isWanted()) this.#put(view.element);
  }

  #retry(): void {
    this.#wanted = [];
    this.#update();
  }

  #put(view: HTMLElement): void {
    if (this.#main.firstElementChild !== view) fill(this.#main, view);
    this.#main.removeAttribute("aria-busy");
    const title = view.querySelector("h1")?.textContent;
    document.title = title ? `${title} · Explorer` : "Explorer";
    this.#followFrames();
  }

  #followFrames(): void {
    const view = this.#views.get(this.#href(this.#place.route))?.view;
    this.#frames.ofCall(view instanceof MethodPage ? () => view.streams : undefined);
  }

  async #make(
    endpoint: Endpoint,
    schemas: Schemas,
    served: Served,
    route: Route,
    kept: Kept | undefined,
  ): Promise<View> {
    const path = this.#path;
    const href = (route: Route) => this.#href(route, path);
    const link = this.#linkIn(path, served);
    switch (route.page) {
      case "overview":
        return { element: overview(served, path, href) };
      case "service": {
        const service = served.services.find(({ fullName }) => fullName === route.service);
        return { element: service ? servicePage(service, href) : this.#missing("service", route.service) };
      }
      case "method": {
        const { service: serviceName, method: name } = route;
        const service = served.services.find(({ fullName }) => fullName === serviceName);
        const details = service?.methods.find((method) => method.name === name);
        if (!service || !details) return { element: this.#missing("method", `${serviceName}/${name}`) };
        if (!service.hasSchema) return { element: withoutSchema(name) };
        const { desc, registry } = await schemas.method(serviceName, name);
        const made = toJsonString(MethodDetailsSchema, details) + textOf(registry);
        const useToken = (token: string) => this.#logIn(token);
        const logIn = () => this.#login.open();
        return this.#keep(
          href(route),
          { endpoint, schemas, served, made },
          kept,
          (filled) => new MethodPage({ endpoint, service, details, desc, registry, link, useToken, logIn, filled }),
        );
      }
      case "type": {
        const { desc, registry } = await schemas.type(route.name);
        return { element: typePage(desc, registry, link, served, href) };
      }
      case "channel": {
        const { hasHub } = served;
        const namespace = served.namespaces.find(({ pattern }) => pattern === route.pattern);
        if (!namespace) return { element: this.#missing("channel", route.pattern) };
        const asked = await Promise.allSettled(namespace.events.map((name) => schemas.message(name)));
        // Those without a schema are shown as bytes.
        const events = asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
        const texts = events.map(({ registry }) => textOf(registry));
        const made = [toJsonString(NamespaceDetailsSchema, namespace), hasHub, ...texts].join("\n");
        return this.#keep(
          href(route),
          { endpoint, schemas, served, made },
          kept,
          (filled) => new ChannelPage({ endpoint, namespace, events, hasHub, link, filled }),
        );
      }
    }
  }

  /** Keeps a view; the one that was kept before, where nothing that it is made of has changed. */
  #keep(
    key: string,
    of: Omit<Kept, "view">,
    kept: Kept | undefined,
    make: (filled: string | undefined) => MethodPage | ChannelPage,
  ): MethodPage | ChannelPage {
    if (kept?.made === of.made) {
      kept.schemas = of.schemas;
      kept.served = of.served;
      return kept.view;
    }
    const filled = kept?.view.filled;
    kept?.view.close();
    const view = make(filled);
    this.#views.set(key, { ...of, view });
    return view;
  }

  #missing(what: string, name: string): HTMLElement {
    const home = element("a", { class: "button", href: this.#href({ page: "overview" }) }, "What there is");
    return notice(
      "warn",
      `There is no such ${what}`,
      [element("code", {}, name), " is not served at ", element("code", {}, this.#path), "."],
      home,
    );
  }

  #refused(endpoint: Endpoint, error: ConnectError): HTMLElement {
    const { title, text } = refusal(error);
    const others = this.paths.map(shownPath).filter((path) => path !== this.#path);
    const logIn = button("strong", () => this.#login.open(), "Log in");
    const isClosed = endpoint.state.status === "closed";
    return notice(
      "warn",
      isClosed ? "The server has closed the connection" : title,
      [text, element("span", { class: "said-by-server" }, `The server says: ${why(error)}`)],
      logIn,
      button("", () => this.#again(), "Try again"),
      ...others.map((path) =>
        element(
          "a",
          { class: "button", href: hash({ endpoint: path, route: { page: "overview" } }) },
          `Look into ${path}`,
        ),
      ),
    );
  }
}

function withoutSchema(name: string): HTMLElement {
  const text =
    "Its server has no schema of it, because no build script has read its contract: add the file to those of `rpc_build` in its build.rs.";
  return notice("warn", `${name} has no schema`, [text]);
}

/** All that schemas say, to be compared with what they say after a change. */
function textOf(registry: FileRegistry): string {
  return [...registry.files].map(({ proto }) => base64Encode(toBinary(FileDescriptorProtoSchema, proto))).join("\n");
}
