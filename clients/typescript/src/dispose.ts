// `using` and `await using`, where the platform has them.

/** Has an object disposed of by `using`. */
export function onDispose(of: Disposable, dispose: () => void): void {
  // Browsers without the symbol have no `using` either.
  if (Symbol.dispose) of[Symbol.dispose] = dispose;
}

/** Has an object disposed of by `await using`. */
export function onAsyncDispose(of: AsyncDisposable, dispose: () => Promise<void>): void {
  if (Symbol.asyncDispose) of[Symbol.asyncDispose] = dispose;
}
