// Where this tab keeps who is logged in.
//
// The token lies in `sessionStorage`: it outlives a reload, which must not lose a login, and ends with the tab. `localStorage` would outlive
// the browser and be read by every tab. A script of somebody else could read either; the page's policy lets none run.

/** A login of this tab. */
export interface Login {
  readonly token: string;
  readonly userId: string;
  readonly name: string;
  /** When the token ends, in milliseconds since 1970. */
  readonly expires: number;
}

const KEY = "tasks.login";

/** The login that was kept; `undefined` where there is none, or it has ended, or is none of this page's. */
export function kept(now: number): Login | undefined {
  try {
    const login: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    return isLogin(login) && login.expires > now ? login : undefined;
  } catch {
    // Storage may be forbidden, or hold anything.
    return undefined;
  }
}

/** Keeps a login, or forgets it. A browser that forbids it has the page forget at a reload. */
export function keep(login: Login | undefined): void {
  try {
    if (login) sessionStorage.setItem(KEY, JSON.stringify(login));
    else sessionStorage.removeItem(KEY);
  } catch {
    // Nothing else depends on it.
  }
}

function isLogin(value: unknown): value is Login {
  if (typeof value !== "object" || value === null) return false;
  const { token, userId, name, expires } = value as Record<string, unknown>;
  return (
    typeof token === "string" && typeof userId === "string" && typeof name === "string" && typeof expires === "number"
  );
}
