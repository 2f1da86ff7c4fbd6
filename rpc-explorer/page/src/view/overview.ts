// What stands where no method is looked at: the overview, a service, a type.

import type { DescEnum, DescMessage, FileRegistry } from "@bufbuild/protobuf";
import { element } from "../dom.js";
import { docsOf } from "../form/docs.js";
import type { NamespaceDetails, ServiceDetails } from "../gen/rpc/reflection/v1/reflection_pb.js";
import { paragraphs } from "../parts.js";
import type { Route } from "../route.js";
import type { Served } from "../server/endpoint.js";
import { count } from "../words.js";
import { chipsOf } from "./method.js";
import { type LinkTo, schemaOf } from "./schema.js";

/** Makes the address of a page. */
export type Href = (route: Route) => string;

/** What the endpoint serves, at a glance. */
export function overview({ services, namespaces }: Served, path: string, href: Href): HTMLElement {
  const methods = services.reduce((sum, { methods }) => sum + methods.length, 0);
  const own = services.filter((service) => !service.package.startsWith("rpc."));
  const card = (service: ServiceDetails) =>
    element(
      "li",
      {},
      element(
        "a",
        { class: "tile", href: href({ page: "service", service: service.fullName }) },
        element("span", { class: "tile-name" }, service.fullName),
        element("div", { class: "soft" }, ...paragraphs(first(service.docs))),
        element("span", { class: "soft number" }, count(service.methods.length, "method")),
      ),
    );
  const channel = ({ pattern, events }: NamespaceDetails) =>
    element(
      "li",
      {},
      element(
        "a",
        { class: "tile", href: href({ page: "channel", pattern }) },
        element("span", { class: "tile-name" }, pattern),
        element("span", { class: "soft" }, events.join(", ")),
      ),
    );
  return element(
    "article",
    {},
    element(
      "header",
      { class: "page-head" },
      element("h1", {}, "What this server serves"),
      element(
        "p",
        {},
        `At `,
        element("code", {}, path),
        `: ${count(services.length, "service")} with ${count(methods, "method")}`,
        namespaces.length > 0 && `, and channels of ${count(namespaces.length, "kind")}`,
        ". Choose one on the left, or search for it: ",
        element("kbd", {}, "/"),
        " leads there.",
      ),
    ),
    own.length > 0 && element("h2", {}, "Services"),
    element("ul", { class: "tiles" }, ...own.map(card)),
    namespaces.length > 0 && element("h2", {}, "Channels"),
    element("ul", { class: "tiles" }, ...namespaces.map(channel)),
    own.length < services.length && element("h2", {}, "The framework’s own services"),
    element("ul", { class: "tiles" }, ...services.filter((service) => !own.includes(service)).map(card)),
  );
}

/** The first sentence. */
function first(docs: string): string {
  return docs.replace(/\s+/g, " ").split(/(?<=[.!?]) /)[0] ?? "";
}

/** A service and its methods. */
export function servicePage(service: ServiceDetails, href: Href): HTMLElement {
  const rows = service.methods.map((method) =>
    element(
      "li",
      { class: "method-line" },
      element("a", { href: href({ page: "method", service: service.fullName, method: method.name }) }, method.name),
      element("div", { class: "chips" }, ...chipsOf(method)),
      element("div", { class: "soft" }, ...paragraphs(first(method.docs))),
    ),
  );
  return element(
    "article",
    {},
    element(
      "header",
      { class: "page-head" },
      element("p", { class: "above" }, service.package),
      element("h1", {}, service.fullName.split(".").at(-1)),
      ...paragraphs(service.docs),
    ),
    rows.length === 0
      ? element("p", { class: "soft" }, "It has no methods here.")
      : element("ul", { class: "method-list" }, ...rows),
  );
}

/** A type, and the channels in which it is published. */
export function typePage(
  desc: DescMessage | DescEnum,
  registry: FileRegistry,
  link: LinkTo,
  served: Served,
  href: Href,
): HTMLElement {
  const channels = served.namespaces.filter(({ events }) => events.includes(desc.typeName));
  return element(
    "article",
    {},
    element(
      "header",
      { class: "page-head" },
      element("p", { class: "above" }, desc.file.proto.package),
      element("h1", {}, desc.name),
      channels.length > 0 &&
        element(
          "p",
          {},
          "Published in ",
          ...channels.flatMap(({ pattern }, at) => [
            at > 0 && ", ",
            element("a", { href: href({ page: "channel", pattern }) }, pattern),
          ]),
        ),
      docsOf(desc) === "" && channels.length === 0 && element("p", { class: "soft" }, "Its schema says nothing of it."),
    ),
    schemaOf(desc, registry, link, "h2"),
  );
}
