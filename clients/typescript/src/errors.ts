// What a program can learn of an error beyond its code.

/**
 * Whether a call that failed may have run on the server all the same, and so may have had its effect: it was sent, and ended without an
 * answer, because its connection was lost, its signal was aborted, its `timeoutMs` passed or the transport was closed, or with an answer
 * that this client does not take, such as one that is too long. `false`: it has not run, because it was never sent or the server has said
 * so, and can be repeated. Calls that the server has answered with a status have run as far as that status says; for those this is
 * `false` too.
 *
 * Calls that end with one error object, such as a `ConnectError` that their shared signal was aborted with, have one answer: `true`
 * where it is true of any of them.
 */
export function mayHaveRun(error: unknown): boolean {
  return typeof error === "object" && error !== null && uncertain.has(error);
}

const uncertain = new WeakSet<object>();

/** Marks an error of a call that may have run. */
export function markAsUncertain<E>(error: E): E {
  if (typeof error === "object" && error !== null) uncertain.add(error);
  return error;
}
