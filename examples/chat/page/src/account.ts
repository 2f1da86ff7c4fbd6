// Who somebody is: logging in, and what is kept of it.

import { timestampDate } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createWebSocketTransport } from "rpc-websocket";
import { AuthService } from "./gen/auth/auth_pb.js";

/** A login. */
export interface Login {
  readonly user: string;
  readonly token: string;
  readonly expires: Date;
  readonly isAdmin: boolean;
}

/**
 * Where the login is kept: until this tab is closed, also over a reload. Two tabs may be two people; and what a tab forgets
 * nobody finds on a machine that others use.
 */
const PLACE = "chat.login";

/** How long a login is waited for: its password is hashed with care, perhaps behind others. */
const PATIENCE_MS = 30_000;

/** Logs in; with `register`, makes the user first. */
export async function login(user: string, password: string, register: boolean): Promise<Login> {
  // A connection of its own: it is over when the login is there, and the one that is used then begins with it.
  using transport = createWebSocketTransport({
    url: "/auth",
    reconnect: { attempts: 2 },
    defaultTimeoutMs: PATIENCE_MS,
  });
  const auth = createClient(AuthService, transport);
  const answer = await (register ? auth.register({ name: user, password }) : auth.login({ name: user, password }));
  const known: Login = {
    user,
    token: answer.token,
    expires: answer.expires ? timestampDate(answer.expires) : new Date(0),
    isAdmin: answer.isAdmin,
  };
  try {
    sessionStorage.setItem(PLACE, JSON.stringify(known));
  } catch {
    // Where nothing may be kept, the login is gone with the page.
  }
  return known;
}

/** The login of this tab, while it is good. */
export function kept(): Login | undefined {
  try {
    const read = JSON.parse(sessionStorage.getItem(PLACE) ?? "null") as Record<string, unknown> | null;
    if (typeof read?.["user"] !== "string" || typeof read["token"] !== "string") return undefined;
    const expires = new Date(String(read["expires"]));
    // Also where it is no date.
    if (!(expires.getTime() > Date.now())) return undefined;
    return { user: read["user"], token: read["token"], expires, isAdmin: read["isAdmin"] === true };
  } catch {
    return undefined;
  }
}

/** Forgets the login. */
export function forget(): void {
  try {
    sessionStorage.removeItem(PLACE);
  } catch {
    // Where nothing may be kept, nothing is.
  }
}
