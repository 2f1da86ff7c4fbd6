// A browser window with the explorer in it, as a person uses it.

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import { type Frame, FrameSchema } from "rpc-websocket/protos/v1/frame";
import { until, Window } from "../../../../tests/pages/window.js";

/** What a message is in JSON. */
export type Json = Record<string, unknown>;

/** Sets a field that can be not set. */
async function set(within: Locator, name: string): Promise<void> {
  const isSet = within.getByLabel(`${name} is set`, { exact: true });
  // Whether it can be not set is seen once the field is there.
  const field = within.getByLabel(name, { exact: true }).or(within.getByRole("group", { name, exact: true }));
  await isSet.or(field).first().waitFor({ state: "attached" });
  if ((await isSet.count()) > 0) await isSet.first().check();
}

export class Explorer extends Window {
  private constructor(page: Page) {
    super(page);
  }

  /** Opens the explorer of a server, where `at` is a hash such as `#/task.TaskService/AddTask`. */
  static open(url: string, at = "", options: BrowserContextOptions = {}): Promise<Explorer> {
    return Window.make((page) => new Explorer(page), `${url}explorer/${at}`, {
      viewport: { width: 1280, height: 860 },
      ...options,
    });
  }

  /**
   * Changes the frames that the page sends and is sent from now on; each is given as it crosses, and held back where `change` says
   * `hold`. Opens the page anew for that. Gives what lets those go on that are held back.
   */
  async between(change: (frame: Frame, direction: "out" | "in") => "hold" | undefined): Promise<() => void> {
    const held: (() => void)[] = [];
    await this.page.routeWebSocket(/./, (near) => {
      const far = near.connectToServer();
      const pass = (data: string | Buffer, direction: "out" | "in") => {
        const into = direction === "out" ? far : near;
        if (typeof data === "string") return into.send(data);
        const frame = fromBinary(FrameSchema, data);
        const isHeld = change(frame, direction) === "hold";
        const send = () => into.send(Buffer.from(toBinary(FrameSchema, frame)));
        if (isHeld) held.push(send);
        else send();
      };
      near.onMessage((data) => pass(data, "out"));
      far.onMessage((data) => pass(data, "in"));
    });
    await this.page.reload();
    return () => {
      for (const send of held.splice(0)) send();
    };
  }

  /** Goes to another place by its hash. What was shown before is gone then. */
  async go(at: string): Promise<void> {
    await this.page.evaluate(
      (at) =>
        new Promise<void>((resolve) => {
          const before = location.href;
          addEventListener("hashchange", () => resolve(), { once: true });
          location.hash = at;
          if (location.href === before) resolve();
        }),
      at,
    );
    await this.page.locator("main:not([aria-busy])").waitFor();
  }

  /** Waits for the page of something. */
  async shows(title: string): Promise<void> {
    await this.page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
  }

  get request(): Locator {
    return this.page.getByRole("form", { name: "Request" });
  }

  get answer(): Locator {
    return this.page.getByRole("region", { name: "Answer" });
  }

  /** Fills the request's form in by labels: `item.label` is in the message `item`. One of a oneof is chosen first. */
  async fill(values: Readonly<Record<string, string | boolean>>, form: Locator = this.request): Promise<void> {
    await form.waitFor();
    for (const [path, value] of Object.entries(values)) {
      const names = path.split(".");
      const name = names.pop() ?? "";
      let within = form;
      for (const message of names) {
        await set(within, message);
        within = within.getByRole("group", { name: message, exact: true }).first();
      }
      await set(within, name);
      const one = within.getByRole("radio", { name, exact: true });
      if ((await one.count()) > 0) await one.first().check({ force: true });
      const control = within.locator("input:not([type=radio]), textarea").and(within.getByLabel(name, { exact: true }));
      if (typeof value === "boolean") await control.first().setChecked(value);
      else await control.first().fill(value);
    }
  }

  async press(name: string): Promise<void> {
    await this.request.getByRole("button", { name, exact: true }).click();
  }

  /** Adds metadata to the calls that are made from now on. */
  async sendsMetadata(key: string, value: string): Promise<void> {
    await this.settings();
    await this.press("Add metadata");
    await this.request.getByLabel("Key", { exact: true }).last().fill(key);
    await this.request.getByLabel("Value", { exact: true }).last().fill(value);
  }

  async hasDeadline(ms: string): Promise<void> {
    await this.settings();
    await this.request.getByLabel("Deadline in milliseconds").fill(ms);
  }

  private async settings(): Promise<void> {
    const settings = this.request.locator("details.settings");
    if ((await settings.getAttribute("open")) === null) await settings.locator("summary").click();
  }

  /** Fills the request in as JSON. */
  async json(text: string): Promise<void> {
    await this.request.getByRole("button", { name: "JSON", exact: true }).click();
    await this.request.getByRole("textbox", { name: / in JSON$/ }).fill(text);
  }

  /** Waits until the call has come to this, in a word. */
  async outcomeIs(...wanted: string[]): Promise<void> {
    const outcome = this.answer.locator(".outcome .chip");
    await until(
      `the outcome is ${wanted.join(" or ")}`,
      async () => wanted.includes((await outcome.allTextContents())[0] ?? ""),
      () => this.answer.innerText(),
    );
  }

  /** The messages of the call that were received, as far as they are shown: so many at least, which are waited for. */
  received(many = 1): Promise<Json[]> {
    return this.messages("in", many);
  }

  /** Those that were sent. */
  sent(many = 1): Promise<Json[]> {
    return this.messages("out", many);
  }

  private async messages(direction: string, many: number): Promise<Json[]> {
    const previews = this.answer.locator(`.message.${direction} .message-preview`);
    if (many > 0) await previews.nth(many - 1).waitFor({ state: "attached" });
    return (await previews.allTextContents()).map((line) => JSON.parse(line));
  }

  /** The metadata of the answer, which is waited for: `Header` or `Trailer`. */
  async metadata(name: string): Promise<Record<string, string>> {
    const rows = this.answer.locator(`h3:text-is("${name}") + table tbody tr`);
    await rows.first().waitFor();
    return Object.fromEntries(
      await rows.evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? ""))),
    );
  }

  /** What crossed the wire, as the panel lists it: `out request`. */
  async frames(): Promise<string[]> {
    const panel = this.page.getByRole("button", { name: "Frames" });
    if ((await panel.getAttribute("aria-expanded")) === "false") await panel.click();
    const rows = this.page.locator("tr.frame");
    return rows.evaluateAll((rows) => rows.map((row) => `${row.classList[1]} ${row.children[2]?.textContent}`));
  }

  /** Logs in, or becomes somebody else. */
  async logIn(token: string): Promise<void> {
    await this.showsToken(token);
    await this.page.getByRole("dialog").waitFor({ state: "hidden" });
  }

  /** Gives a token in the dialog, without waiting for what comes of it. */
  async showsToken(token: string): Promise<void> {
    await this.page
      .getByRole("banner")
      .getByRole("button", { name: /^(Log in|Change user)$/ })
      .click();
    const dialog = this.page.getByRole("dialog");
    await dialog.getByLabel("Token").fill(token);
    await dialog.getByRole("button", { name: "Log in", exact: true }).click();
  }

  /** Subscribes to a channel of the namespace that is shown. */
  async subscribe(channel: string): Promise<void> {
    await this.page.getByRole("textbox", { name: "Channel" }).fill(channel);
    await this.page.getByRole("button", { name: "Subscribe", exact: true }).click();
    await this.page.getByText(`Subscribed to ${channel}.`).waitFor();
  }

  /** The events of the channel that is shown. */
  get events(): Locator {
    return this.page.getByRole("list", { name: "Events" });
  }

  /** Waits until all that has come by now is drawn: what is drawn a little later is due before this timer of the same page. */
  async drawn(): Promise<void> {
    await this.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
  }

  /** Sees that the connection is lost. */
  async isAway(): Promise<void> {
    await this.page.getByRole("banner").getByText("No connection").waitFor();
  }

  /** Tries at once whether the server is there again, as often as it takes. */
  async connectsAgain(): Promise<void> {
    const banner = this.page.getByRole("banner");
    const again = banner.getByRole("button", { name: "Try now" });
    await until("it is connected again", async () => {
      if (await banner.getByText("Connected", { exact: true }).isVisible()) return true;
      // While it is being tried there is no button.
      if (await again.isVisible()) await again.click({ timeout: 1_000 }).catch(() => {});
      return false;
    });
  }
}
