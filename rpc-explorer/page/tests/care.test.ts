// What the explorer is to those who do not use a mouse, do not see it, or have a small window.

import assert from "node:assert/strict";
import { after } from "node:test";
import type { BrowserContextOptions } from "playwright-core";
import { becomes, close, test } from "../../../tests/pages/window.js";
import { Explorer } from "./support/explorer.js";
import { chat, tasks, ticker } from "./support/servers.js";

const market = await ticker();
const list = await tasks();
const rooms = await chat();

after(async () => {
  await close();
  for (const server of [market, list, rooms]) await server[Symbol.asyncDispose]();
});

const NARROW = { width: 360, height: 640 };

/** What there is to look at, with how one gets there. */
const VIEWS: readonly (readonly [string, string, string, string, ((explorer: Explorer) => Promise<void>)?])[] = [
  ["the overview", list.url, "", "What this server serves"],
  ["a service", list.url, "#/task.TaskService", "TaskService"],
  ["a type", list.url, "#/type/task.TaskChanged", "TaskChanged"],
  ["a channel", list.url, "#/channel/tasks%3A%7Blist%7D", "tasks:{list}"],
  ["a refusal", rooms.url, "", "This endpoint wants to know who you are"],
  [
    "an error with details, and metadata to send",
    list.url,
    "#/task.TaskService/AddTask",
    "AddTask",
    async (explorer) => {
      await explorer.sendsMetadata("key", "value");
      await explorer.json('{"item": {"label": ""}}');
      await explorer.press("Call");
      await explorer.outcomeIs("INVALID_ARGUMENT");
    },
  ],
  [
    "a stream, and its frames",
    market.url,
    "#/ticker.TickerService/Trade",
    "Trade",
    async (explorer) => {
      await explorer.fill({ symbol: "ACME", shares: "10" });
      await explorer.press("Send");
      await explorer.received();
      await explorer.press("Finish");
      await explorer.outcomeIs("OK");
      await explorer.frames();
      await explorer.page.locator("tr.frame").getByRole("button").first().click();
    },
  ],
  [
    "the way to log in",
    list.url,
    "",
    "What this server serves",
    (explorer) => explorer.page.getByRole("banner").getByRole("button", { name: "Log in" }).click(),
  ],
];

for (const [scheme, options] of [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["a narrow window", { viewport: NARROW }],
] as const satisfies readonly (readonly [string, BrowserContextOptions])[]) {
  for (const [what, url, at, title, prepare] of VIEWS) {
    test(`nobody is kept from ${what} in ${scheme}`, async () => {
      await using explorer = await Explorer.open(url, at, options);
      await explorer.shows(title);
      await prepare?.(explorer);
      assert.deepEqual(await explorer.barriers("any"), []);
      const wide = await explorer.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `the page is ${wide}px wider than the window`);
    });
  }
}

test("one_finds_a_method_calls_it_and_gets_back_by_keys_alone", async () => {
  await using explorer = await Explorer.open(market.url);
  const { page } = explorer;
  await explorer.shows("What this server serves");
  await page.keyboard.press("/");
  await page.keyboard.type("ticker quo");
  await page.getByText("1 match", { exact: true }).waitFor();
  await page.keyboard.press("Enter");
  await explorer.shows("Quote");
  // The focus is at what is new: the first key goes on from there.
  await becomes(() => page.evaluate(() => document.activeElement?.id), "main");
  await explorer.request.getByLabel("symbol", { exact: true }).focus();
  await page.keyboard.type("ACME");
  await page.keyboard.press("Control+Enter");
  await explorer.outcomeIs("OK");
  await page.goBack();
  await explorer.shows("What this server serves");
});

test("what_is_not_found_is_said_and_escape_shows_everything_again", async () => {
  await using explorer = await Explorer.open(market.url);
  await explorer.shows("What this server serves");
  const search = explorer.page.getByRole("searchbox");
  await search.fill("nobody is called so");
  await explorer.page.getByText("Nothing is called so.").waitFor();
  await search.press("Escape");
  await explorer.page.getByRole("navigation").getByRole("link", { name: "Quote" }).waitFor();
});

test("in_a_narrow_window_the_list_is_behind_a_button_and_goes_away_when_one_has_chosen", async () => {
  await using explorer = await Explorer.open(market.url, "", { viewport: NARROW });
  const list = explorer.page.getByRole("navigation", { name: "What there is" });
  await explorer.shows("What this server serves");
  assert.equal(await list.isVisible(), false);
  await explorer.page.getByRole("button", { name: "What there is" }).click();
  await list.getByRole("link", { name: "Quote" }).click();
  await explorer.shows("Quote");
  await list.waitFor({ state: "hidden" });
});
