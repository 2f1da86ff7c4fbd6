// Makes one script of TypeScript sources, for Node and for a page alike.

import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const folder = fileURLToPath(new URL("..", import.meta.url));

/** Bundles; gives where the script is. The client's own sources are found by tsconfig.json's paths. */
export async function bundle(source, name, options = {}) {
  const outfile = `${folder}build/${name}`;
  await build({
    absWorkingDir: folder,
    entryPoints: [source],
    outfile,
    bundle: true,
    format: "esm",
    target: "es2022",
    sourcemap: "inline",
    logLevel: "warning",
    ...options,
  });
  return outfile;
}
