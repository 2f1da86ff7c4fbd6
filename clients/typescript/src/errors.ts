// What a program can learn of an error beyond its code.

/**
 * Whether a call that failed may have run on the server all the same, and so may have had its effect: its connection was lost while
 * it was on its way. `false`: it has not run, because it was never sent or the server has said so, and can be repeated. Calls that the
 * server has answered with a status have run as far as that status says; for those this is `false` too.
 */
export function mayHaveRun(error: unknown): boolean {
  return typeof error === "object" && error !== null && uncertain.has(error);
}

const uncertain = new WeakSet<object>();

/** Marks an error of a call that may have run. */
export function markAsUncertain<E extends object>(error: E): E {
  uncertain.add(error);
  return error;
}
