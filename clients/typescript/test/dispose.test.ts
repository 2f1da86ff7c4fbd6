// `using`, also where the platform does not have it, and bundlers have lowered it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { onAsyncDispose, onDispose } from "../src/dispose.js";

test("what is disposed of has the platform's symbols, or those that lowered `using` looks for", async () => {
  const own = { dispose: Symbol("dispose"), asyncDispose: Symbol("asyncDispose") } as object;
  for (const platform of [undefined, {}, own]) {
    const disposed: string[] = [];
    const of: Record<symbol, () => unknown> = {};
    onDispose(of, () => disposed.push("sync"), platform);
    onAsyncDispose(of, async () => void disposed.push("async"), platform);
    const symbols = (platform ?? Symbol) as { readonly dispose?: symbol; readonly asyncDispose?: symbol };
    of[symbols.dispose ?? Symbol.for("Symbol.dispose")]?.();
    await of[symbols.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]?.();
    assert.deepEqual(disposed, ["sync", "async"]);
  }
});
