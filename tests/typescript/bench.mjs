// Measures the client in one tab of headless Chromium, beside Connect over HTTP: `npm run bench`, after `cargo xtask bench browser` has
// built the two servers, or with their programs in RPC_TYPESCRIPT_SERVER and RPC_BROWSER_BENCH. Bounded in time; nothing here passes or
// fails by how long it takes.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { bundle } from "./runner/bundle.mjs";
import { withBrowser } from "./runner/chromium.mjs";
import { withServer } from "./runner/server.mjs";

const say = (line) => process.stdout.write(`${line}\n`);

/** The bytes of the bundle of a few lines, minified, and of that by gzip. */
async function size(name, text, external = []) {
  const file = await bundle(undefined, `size-${name}.mjs`, {
    entryPoints: undefined,
    stdin: { contents: text, resolveDir: fileURLToPath(new URL(".", import.meta.url)), loader: "ts" },
    minify: true,
    sourcemap: false,
    external,
  });
  const bytes = await readFile(file);
  return `${(bytes.length / 1024).toFixed(1)} KiB, by gzip ${(gzipSync(bytes, { level: 9 }).length / 1024).toFixed(1)} KiB`;
}

const PEERS = ["@bufbuild/protobuf", "@bufbuild/protobuf/*", "@connectrpc/connect", "@connectrpc/connect/*"];
const OURS = `export { createWebSocketTransport } from "rpc-websocket"; export { createClient } from "@connectrpc/connect";`;
const WEB = `export { createConnectTransport } from "@connectrpc/connect-web"; export { createClient } from "@connectrpc/connect";`;
say(`bundle, with the hub, without peers: ${await size("ours-alone", OURS, PEERS)}`);
say(`bundle, with the hub, with peers: ${await size("ours", OURS)}`);
say(`bundle of connect-web, without peers: ${await size("web-alone", WEB, PEERS)}`);
say(`bundle of connect-web, with peers: ${await size("web", WEB)}`);

const programs = { RPC_TYPESCRIPT_SERVER: "typescript-server", RPC_BROWSER_BENCH: "rpc-browser-bench" };
for (const [variable, name] of Object.entries(programs)) {
  if (!process.env[variable])
    throw new Error(`${variable} names no ${name}: run this by \`cargo xtask bench browser\``);
}
const script = await bundle("bench/main.ts", "bench.mjs");
await withServer(process.env.RPC_TYPESCRIPT_SERVER, [], (ours) =>
  withServer(process.env.RPC_BROWSER_BENCH, [script], (connect) =>
    withBrowser(async (browser) => {
      const page = await browser.newPage();
      await page.goto(connect.url);
      await page.exposeFunction("report", say);
      await page.evaluate(async (control) => {
        const { measure } = await import("/script.mjs");
        await measure(control, location.origin, (line) => window.report(line));
      }, ours.control);
    }),
  ),
);
