// `using` and `await using`. Bundlers lower them for browsers that have neither, and then look for symbols that are registered instead.

/** The symbols that a platform has. */
type Symbols = Partial<Pick<SymbolConstructor, "dispose" | "asyncDispose">>;

/** Has an object disposed of by `using`. */
export function onDispose(of: object, dispose: () => void, platform: Symbols = Symbol): void {
  Object.assign(of, { [platform.dispose ?? Symbol.for("Symbol.dispose")]: dispose });
}

/** Has an object disposed of by `await using`. */
export function onAsyncDispose(of: object, dispose: () => Promise<void>, platform: Symbols = Symbol): void {
  Object.assign(of, { [platform.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]: dispose });
}
