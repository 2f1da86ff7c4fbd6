// Somebody in front of the page of the chat.

import type { BrowserContextOptions, Page } from "playwright-core";
import { Program } from "../../../../../tests/pages/program.js";
import { until, Window } from "../../../../../tests/pages/window.js";

/** Everybody's. */
export const PASSWORD = "open sesame";

/** The server of the chat, with a database that a restart keeps. */
export function serve(...options: readonly string[]): Promise<Program> {
  return Program.start("chat", (address, folder) => [
    "serve",
    "--listen",
    address,
    "--database",
    `${folder}/chat.db`,
    ...options,
  ]);
}

/** Makes somebody an administrator. */
export function promote(server: Program, user: string): void {
  server.run("promote", user, "--database", `${server.folder}/chat.db`);
}

/** Somebody, with a window of their own. */
export class Person extends Window {
  private constructor(page: Page) {
    super(page);
  }

  /** Opens the page. */
  static open(url: string, options: BrowserContextOptions = {}): Promise<Person> {
    return Person.make((page) => new Person(page), url, options);
  }

  /** Opens the page, and registers. */
  static async comes(url: string, name: string, options: BrowserContextOptions = {}): Promise<Person> {
    const person = await Person.open(url, options);
    await person.page.getByRole("button", { name: "I am new here" }).click();
    await person.logIn(name, "Register");
    return person;
  }

  async logIn(name: string, button = "Log in", password = PASSWORD): Promise<void> {
    await this.page.getByLabel("Name").fill(name);
    await this.page.getByLabel("Password").fill(password);
    await this.page.getByRole("button", { name: button }).click();
    await this.page.locator("#text").waitFor();
    await this.isThere();
  }

  /** The server has this person in the room that is looked at. */
  async isThere(): Promise<void> {
    // Also where a narrow window does not show it.
    const people = async () => (await this.page.locator(".persons b").allTextContents()).join(", ");
    const me = (await this.page.locator(".me b").textContent()) ?? "";
    await until(`${me} is there`, async () => (await people()).split(", ").includes(me), people);
  }

  async goes(room: string): Promise<void> {
    await this.page.locator(".places a", { hasText: room }).click();
    await this.page.getByRole("heading", { level: 1, name: room }).waitFor();
    await this.isThere();
  }

  /** Looks at the letters with somebody who is in the room. */
  async writesTo(other: string): Promise<void> {
    await this.page.getByRole("button", { name: `Write to ${other} alone` }).click();
    await this.page.locator("main.alone").getByRole("heading", { level: 1, name: other }).waitFor();
  }

  /** Types, and sends. */
  async says(text: string): Promise<void> {
    await this.page.locator("#text").fill(text);
    await this.page.locator("#text").press("Enter");
  }

  /** What was said, as it is shown: `ann: Hello`. What is not heard yet has a star. */
  said(): Promise<string[]> {
    return this.page.locator(".lines .spoken").evaluateAll((lines) =>
      lines.map((line) => {
        const who = line.querySelector(".who b")?.textContent ?? "";
        const text = line.querySelector(".said > .text")?.textContent ?? "";
        return `${who}: ${text}${line.classList.contains("sending") ? " *" : ""}`;
      }),
    );
  }

  /** Waits until exactly this was said, in this order. */
  async hears(...wanted: readonly string[]): Promise<void> {
    const seen = async () => JSON.stringify(await this.said());
    await until(`it is said ${JSON.stringify(wanted)}`, async () => (await seen()) === JSON.stringify(wanted), seen);
  }

  /** Waits until a remark says this: who came and went, what was missed. */
  async remarks(wanted: RegExp): Promise<void> {
    const seen = async () => JSON.stringify(await this.page.locator(".remark").allInnerTexts());
    await until(`a remark says ${wanted}`, async () => wanted.test(await seen()), seen);
  }

  /** Has the page try at once to connect, unless it has done so by itself meanwhile. */
  async tryNow(): Promise<void> {
    await this.page.locator(".banner button").evaluate((button) => {
      if (!(button as HTMLElement).hidden) (button as HTMLElement).click();
    });
  }

  /** Waits until the line about the connection says this; empty: it is not there. */
  async isTold(wanted: RegExp): Promise<void> {
    const seen = async () =>
      (await this.page.locator(".banner").isVisible()) ? this.page.locator(".banner").innerText() : "";
    await until(`it is said of the connection ${wanted}`, async () => wanted.test(await seen()), seen);
  }
}
