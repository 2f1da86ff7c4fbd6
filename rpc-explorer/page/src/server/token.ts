// The tokens that say who one is at each endpoint. They are kept for as long as the tab is open, and nowhere else.

/** Of pages that are served under several paths each has its own. */
const key = (endpoint: string) => `explorer ${location.pathname} ${endpoint}`;

/** Where storage is forbidden they are kept until the page is left. */
const memory = new Map<string, string>();

/** The token that was given last for an endpoint, if any. */
export function token(endpoint: string): string | undefined {
  try {
    return sessionStorage.getItem(key(endpoint)) ?? undefined;
  } catch {
    return memory.get(endpoint);
  }
}

/** Keeps a token, or forgets it. */
export function keep(endpoint: string, given: string | undefined): void {
  if (given === undefined) memory.delete(endpoint);
  else memory.set(endpoint, given);
  try {
    if (given === undefined) sessionStorage.removeItem(key(endpoint));
    else sessionStorage.setItem(key(endpoint), given);
  } catch {
    // As above.
  }
}
