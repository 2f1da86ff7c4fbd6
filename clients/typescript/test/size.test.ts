// What a page takes on with the client: its size, and what it needs beside it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** Bytes in gzip, without the peers. Who needs more says in the commit what for. */
const LIMIT = 25 * 1024;
const CALLS_LIMIT = 16 * 1024;

/** A minified module of everything that an entry exports, and the packages that it imports. */
async function bundle(entry: string) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: fileURLToPath(new URL("../..", import.meta.url)),
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    packages: "external",
    metafile: true,
    write: false,
    outdir: "build/size",
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
  const packages = new Set(imports.map((path) => path.split("/").slice(0, 2).join("/")));
  const [file] = outputFiles;
  assert.ok(file);
  return { size: gzipSync(file.contents, { level: 9 }).length, packages: [...packages].sort() };
}

test("the client stays small and needs nothing but its two peers", async (t) => {
  const { size, packages } = await bundle("src/index.ts");
  t.diagnostic(`rpc-websocket: ${size} bytes in gzip without its peers`);
  assert.deepEqual(packages, ["@bufbuild/protobuf", "@connectrpc/connect"]);
  assert.ok(size <= LIMIT, `${size} bytes are more than ${LIMIT}`);
});

test("a program that hears no events does not take the hub on", async (t) => {
  const { size, packages } = await bundle("src/without-hub.ts");
  t.diagnostic(`rpc-websocket/calls: ${size} bytes in gzip without its peers`);
  assert.deepEqual(packages, ["@bufbuild/protobuf", "@connectrpc/connect"]);
  assert.ok(size <= CALLS_LIMIT, `${size} bytes are more than ${CALLS_LIMIT}`);
});

test("checking requests is the only thing that needs protovalidate, and needs nothing of the client", async (t) => {
  const { size, packages } = await bundle("src/validate.ts");
  t.diagnostic(`rpc-websocket/validate: ${size} bytes in gzip without its peers`);
  assert.deepEqual(packages, ["@bufbuild/protovalidate", "@connectrpc/connect"]);
  assert.ok(size <= 1024, `${size} bytes`);
});
