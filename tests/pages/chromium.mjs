// Headless Chromium as every test starts it: /usr/bin/chromium, unless CHROMIUM names another.

import { env } from "node:process";
import { chromium } from "playwright-core";

/** How long it may take to start, in milliseconds: cold, beside whatever else the machine does. */
const PATIENCE_MS = 120_000;

/** Starts a browser that asks nothing of any other machine. */
export function launch() {
  return chromium.launch({
    executablePath: env.CHROMIUM ?? "/usr/bin/chromium",
    timeout: PATIENCE_MS,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
