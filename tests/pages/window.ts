// A browser window with a page in it, as a person uses it, which sees what never should be.
//
// PAGE_SLOWDOWN=8 in the environment gives every page an eighth of the processor, which shows what a test reads before it is drawn.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { env } from "node:process";
import { test as run } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launch } from "./chromium.mjs";
import { look, told } from "./seen.js";

/** How long to wait for anything, in milliseconds. What is waited for decides; the time is only when to give up. */
export const PATIENCE_MS = 40_000;

/** What is never to be seen: a dialog, an error of a script, something that the policy had to forbid. */
export interface Trouble {
  readonly kind: "dialog" | "error" | "policy";
  readonly text: string;
}

let browser: Promise<Browser> | undefined;

/** The browser of this process, which {@link close} ends. */
function opened(): Promise<Browser> {
  browser ??= launch();
  return browser;
}

/** Closes the browser. */
export async function close(): Promise<void> {
  const opened = browser;
  browser = undefined;
  await (await opened)?.close();
}

/** What was seen in the windows of the test that runs, when they were closed. */
let seen: string[] = [];

/** A test with windows. Where it fails, its message ends with what was seen in them: that is all that is left of it where logs are lost. */
export function test(name: string, body: () => Promise<void> | void): void {
  void run(name, async () => {
    seen = [];
    try {
      await body();
    } catch (error) {
      throw told(error, seen);
    }
  });
}

/** Waits until something holds; says what was there instead. What takes `lastsMs` by itself is waited for so much longer. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  seen: () => Promise<string> | string = () => "",
  lastsMs = 0,
): Promise<void> {
  const patience = PATIENCE_MS + lastsMs;
  const end = Date.now() + patience;
  while (!(await holds())) {
    if (Date.now() > end) assert.fail(`${what}: not within ${patience} ms; ${await seen()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until what is read equals a value, or matches an expression. For whatever is drawn: what is read once may be what was there before. */
export async function becomes<Value>(
  read: () => Promise<Value>,
  wanted: Value | RegExp,
  what = `it is ${wanted instanceof RegExp ? wanted : JSON.stringify(wanted)}`,
): Promise<void> {
  let seen: Value | undefined;
  const holds = async () => {
    seen = await read();
    return wanted instanceof RegExp ? wanted.test(String(seen)) : isDeepStrictEqual(seen, wanted);
  };
  await until(what, holds, () => JSON.stringify(seen) ?? "nothing");
}

/** A window that shares nothing with others. */
export class Window implements AsyncDisposable {
  readonly troubles: Trouble[] = [];
  /** The errors that its console has shown. */
  readonly errors: string[] = [];

  protected constructor(readonly page: Page) {
    page.setDefaultTimeout(PATIENCE_MS);
  }

  /** A page of the browser that reports its troubles to the window that is made of it. */
  protected static async make<Kind extends Window>(
    of: (page: Page) => Kind,
    url: string,
    options: BrowserContextOptions,
  ): Promise<Kind> {
    const context = await (await opened()).newContext({ reducedMotion: "reduce", ...options });
    const page = await context.newPage();
    if (env.PAGE_SLOWDOWN) {
      const rate = Number(env.PAGE_SLOWDOWN);
      await (await context.newCDPSession(page)).send("Emulation.setCPUThrottlingRate", { rate });
    }
    const window = of(page);
    const trouble = (kind: Trouble["kind"], text: string) => window.troubles.push({ kind, text });
    page.on("dialog", (dialog) => {
      // The browser asks before it leaves a page with changes that are not saved: that is as it should be.
      if (dialog.type() !== "beforeunload") trouble("dialog", dialog.message());
      void dialog.accept();
    });
    page.on("console", (line) => line.type() === "error" && window.errors.push(line.text()));
    page.on("pageerror", (error) => trouble("error", error.message));
    await page.exposeFunction("reportPolicy", (text: string) => trouble("policy", text));
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        const report: unknown = Reflect.get(globalThis, "reportPolicy");
        if (typeof report === "function") report(`${event.effectiveDirective}: ${event.sourceFile} ${event.sample}`);
      });
    });
    await page.goto(url);
    return window;
  }

  /** Nothing has happened that never should. Closes the window. */
  async [Symbol.asyncDispose](): Promise<void> {
    seen.push(await look(this.page, this.troubles, this.errors));
    await this.page.context().close();
    assert.deepEqual(this.troubles, []);
  }

  /** What a person who needs help would be kept from, by axe's rules: serious and critical findings, or `any`. */
  async barriers(counted: "serious" | "any" = "serious"): Promise<string[]> {
    const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    await this.page.evaluate(source);
    const found = await this.page.evaluate(async () => {
      const axe = Reflect.get(globalThis, "axe") as typeof import("axe-core");
      const { violations, passes } = await axe.run();
      return { violations, passes: passes.length };
    });
    assert.ok(found.passes > 10, "axe has looked at the page");
    return found.violations
      .filter(({ impact }) => counted === "any" || impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
  }
}
