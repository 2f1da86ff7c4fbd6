// Headless Chromium as every test starts it: /usr/bin/chromium, unless CHROMIUM names another.

import { env } from "node:process";
import { chromium } from "playwright-core";

/** Starts a browser that asks nothing of any other machine. */
export function launch() {
  return chromium.launch({
    executablePath: env.CHROMIUM ?? "/usr/bin/chromium",
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
