// Runs the cases in Node, then in headless Chromium: `npm test`, or `node run.mjs [--node | --chromium] [part of a case's name]`.
//
// The server is built by cargo, unless RPC_TYPESCRIPT_SERVER names its program. Chromium is /usr/bin/chromium, unless CHROMIUM names
// another.

import { bundle } from "./runner/bundle.mjs";
import { runInChromium } from "./runner/chromium.mjs";
import { runInNode } from "./runner/node.mjs";
import { buildServer, withServer } from "./runner/server.mjs";

const words = process.argv.slice(2);
const only = words.find((word) => word.startsWith("--"));
const filter = words.find((word) => !word.startsWith("--")) ?? "";
const platforms = { "--node": runInNode, "--chromium": runInChromium };
if (only !== undefined && !(only in platforms)) {
  console.error(`there is no ${only}: say --node, --chromium, or neither for both`);
  process.exit(2);
}

const say = (line) => process.stdout.write(`${line}\n`);
const program = await buildServer();
const script = await bundle("src/main.ts", "cases.mjs");
const sums = { passed: 0, failed: 0 };
const failures = [];
for (const [name, run] of Object.entries(platforms)) {
  if (only !== undefined && only !== name) continue;
  await withServer(program, [], async (server) => {
    const report = (line) => {
      const closing = /^(\d+) passed, (\d+) failed$/.exec(line);
      if (closing) {
        sums.passed += Number(closing[1]);
        sums.failed += Number(closing[2]);
      }
      if (/^(FAIL|uncaught)/.test(line)) failures.push(`${name.slice(2)}: ${line}`);
      say(closing ? `${name.slice(2)}: ${line}` : line);
    };
    await run({ script, server, filter, report });
  });
}
// Once more at the end, which is what is left of a long log.
for (const failure of failures) say(failure);
say(`${sums.passed} passed, ${sums.failed} failed`);
// A run of nothing proves nothing.
process.exit(sums.failed > 0 || sums.passed === 0 ? 1 : 0);
