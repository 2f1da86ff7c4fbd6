// A browser window with the page in it, as a person uses it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { env } from "node:process";
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";

/** How long to wait for anything, in milliseconds. What is waited for decides; the time is only when to give up. */
const PATIENCE_MS = 40_000;

/** What is never to be seen: a dialog, an error of a script, something that the policy had to forbid. */
export interface Trouble {
  readonly kind: "dialog" | "error" | "policy";
  readonly text: string;
}

let browser: Promise<Browser> | undefined;

/** The browser of this process; `close` ends it. */
function opened(): Promise<Browser> {
  browser ??= chromium.launch({
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
  return browser;
}

/** Closes the browser. */
export async function close(): Promise<void> {
  const opened = browser;
  browser = undefined;
  await (await opened)?.close();
}

/** Waits until something holds; says what was there instead. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  seen = async () => "",
): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > end) assert.fail(`${what}: not within ${PATIENCE_MS} ms; ${await seen()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export class Window implements AsyncDisposable {
  readonly page: Page;
  readonly troubles: Trouble[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(PATIENCE_MS);
  }

  /** Opens the page in a window that shares nothing with others. */
  static async open(url: string, options: BrowserContextOptions = {}): Promise<Window> {
    const context = await (await opened()).newContext({ reducedMotion: "reduce", ...options });
    const page = await context.newPage();
    const window = new Window(page);
    const trouble = (kind: Trouble["kind"], text: string) => window.troubles.push({ kind, text });
    page.on("dialog", (dialog) => {
      // The browser asks before it leaves a page with changes that are not saved: that is as it should be.
      if (dialog.type() !== "beforeunload") trouble("dialog", dialog.message());
      void dialog.accept();
    });
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
    await this.page.context().close();
    assert.deepEqual(this.troubles, []);
  }

  /** What stands in the head of the connection. */
  async status(): Promise<string> {
    return (await this.page.locator("#status-word").textContent()) ?? "";
  }

  async statusIs(...wanted: string[]): Promise<void> {
    await until(
      `the status is ${wanted.join(" or ")}`,
      async () => wanted.includes(await this.status()),
      () => this.status(),
    );
  }

  /** The labels that are shown, done ones behind `x `. */
  async tasks(): Promise<string[]> {
    return this.page.locator("#list .row").evaluateAll((rows) =>
      rows.map((row) => {
        const label = row.querySelector(".label")?.textContent ?? "";
        return row.querySelector<HTMLInputElement>(".check")?.checked ? `x ${label}` : label;
      }),
    );
  }

  async tasksAre(...wanted: string[]): Promise<void> {
    const seen = async () => JSON.stringify(await this.tasks());
    await until(`the tasks are ${JSON.stringify(wanted)}`, async () => (await seen()) === JSON.stringify(wanted), seen);
  }

  /** How many changes are not saved. */
  async unsaved(): Promise<number> {
    return Number.parseInt((await this.page.locator("#unsaved").textContent()) || "0", 10);
  }

  /** Everything that was done here is saved, and the list is the server's. */
  async isSaved(): Promise<void> {
    await until("all is saved", async () => (await this.unsaved()) === 0 && (await this.status()) === "Live");
  }

  /** Has the page try at once to connect, unless it does already. */
  async tryNow(): Promise<void> {
    await this.page.locator("#connection-try").evaluate((button) => {
      if (!(button as HTMLElement).hidden) (button as HTMLElement).click();
    });
  }

  row(label: string): Locator {
    return this.page.locator("#list .row", { has: this.page.locator(".label").getByText(label, { exact: true }) });
  }

  async add(label: string): Promise<void> {
    await this.page.locator("#new-task").fill(label);
    await this.page.locator("#new-task").press("Enter");
  }

  async check(label: string): Promise<void> {
    await this.row(label).locator(".check").click();
  }

  async remove(label: string): Promise<void> {
    await this.row(label).locator(".remove").click();
  }

  async rename(from: string, to: string): Promise<void> {
    await this.row(from).locator(".rename").click();
    // The line is not found by its label while its field is open.
    await this.page.locator(".edit .field").fill(to);
    await this.page.locator(".edit .field").press("Enter");
  }

  /** The notices that are shown, as they are read. */
  async notices(): Promise<string[]> {
    const texts = await this.page.locator("#notices .notice p").allInnerTexts();
    return texts.map((text) => text.trim());
  }

  async noticeIs(wanted: RegExp): Promise<void> {
    const seen = async () => JSON.stringify(await this.notices());
    await until(`a notice says ${wanted}`, async () => (await this.notices()).some((text) => wanted.test(text)), seen);
  }

  /** Registers a user, or logs one in. */
  async logIn(name: string, password: string, isNew = false): Promise<void> {
    await this.page.getByRole("button", { name: "Log in" }).first().click();
    if (isNew) await this.page.locator("#login-switch").click();
    await this.page.locator("#login-name").fill(name);
    await this.page.locator("#login-password").fill(password);
    await this.page.locator("#login-submit").click();
    await until("somebody is logged in", async () => (await this.page.locator("#account-name").textContent()) === name);
  }

  /** What a person who needs help would be kept from, by axe's rules: serious and critical findings. */
  async barriers(): Promise<string[]> {
    const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    await this.page.evaluate(source);
    const found = await this.page.evaluate(async () => {
      const axe = Reflect.get(globalThis, "axe") as typeof import("axe-core");
      const { violations, passes } = await axe.run();
      return { violations, passes: passes.length };
    });
    assert.ok(found.passes > 10, "axe has looked at the page");
    return found.violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
  }
}
