// A browser window with the page of the tasks in it, as a person uses it.

import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import { Window as AnyWindow, until } from "../../../../../tests/pages/window.js";

export class Window extends AnyWindow {
  private constructor(page: Page) {
    super(page);
  }

  /** Opens the page in a window that shares nothing with others. */
  static open(url: string, options: BrowserContextOptions = {}): Promise<Window> {
    return Window.make((page) => new Window(page), url, options);
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
}
