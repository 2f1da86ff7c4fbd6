// Paths of endpoints: as the server tells them, relative to the page, and as the page shows them.

/** Whether a path has parts in braces, which are to be filled in. */
export function isPattern(path: string): boolean {
  return /\{\w+\}/.test(path);
}

/**
 * Where the path of an endpoint leads, from the page: up to where the server is, as the server has said of those that it knows. What
 * stands in the path is never read as another host: links name paths too, and whoever is led there shows a token.
 */
export function relativeTo(known: readonly string[], path: string): string {
  const exact = known.find((url) => shownPath(url) === path);
  if (exact !== undefined) return exact;
  const up = /^(\.\.\/)*/.exec(known[0] ?? "")?.[0];
  return `${up || "./"}${path.replace(/^\//, "")}`;
}

/** The path of an endpoint as the page shows it: without the way up to it. */
export function shownPath(url: string): string {
  return `/${url.replace(/^(\.\.\/)+/, "").replace(/^\//, "")}`;
}
