// Which page a hash names, so that links lead to everything that is shown.

/** What is shown. */
export type Route =
  | { readonly page: "overview" }
  | { readonly page: "service"; readonly service: string }
  | { readonly page: "method"; readonly service: string; readonly method: string }
  | { readonly page: "type"; readonly name: string }
  | { readonly page: "channel"; readonly pattern: string };

/** Where one is: on which endpoint, by its path as the page shows it, and what is shown. */
export interface Place {
  /** `undefined`: the main one. */
  readonly endpoint: string | undefined;
  readonly route: Route;
}

/** Reads a hash, such as `#/task.TaskService/AddTask?at=/auth`. What names nothing is the overview. */
export function read(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const endpoint = new URLSearchParams(query).get("at") ?? undefined;
  const [first = "", second = "", ...rest] = path.split("/").map(decoded);
  return { endpoint, route: rest.length > 0 ? { page: "overview" } : route(first, second) };
}

function route(first: string, second: string): Route {
  if (first === "type" && second !== "") return { page: "type", name: second };
  if (first === "channel" && second !== "") return { page: "channel", pattern: second };
  if (first !== "" && second !== "") return { page: "method", service: first, method: second };
  if (first !== "") return { page: "service", service: first };
  return { page: "overview" };
}

/** The hash of a place. */
export function hash({ endpoint, route }: Place): string {
  const at = endpoint === undefined ? "" : `?${new URLSearchParams({ at: endpoint }).toString()}`;
  return `#/${parts(route).map(encodeURIComponent).join("/")}${at}`;
}

function parts(route: Route): string[] {
  switch (route.page) {
    case "overview":
      return [];
    case "service":
      return [route.service];
    case "method":
      return [route.service, route.method];
    case "type":
      return ["type", route.name];
    case "channel":
      return ["channel", route.pattern];
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
