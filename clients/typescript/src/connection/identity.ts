// Who the client is, as a frame says it and as a program reads it.

import type { Identity } from "../state.js";
import type { Environment } from "./environment.js";

/** What an authentication is to do, as the wire has it. */
export const Purpose = { refresh: 0, changeUser: 1, signOut: 2 } as const;

/** Who the client is now; what is not told is as before. */
export function identityOf(
  before: { readonly identity: Identity; readonly world: Environment },
  userId: string,
  expiresInUs: bigint,
  expiresSoon: boolean,
): Identity {
  const expiresAt = expiresInUs > 0n ? new Date(before.world.date() + Number(expiresInUs) / 1_000) : undefined;
  return { ...before.identity, userId: userId || undefined, expiresAt, expiresSoon };
}
