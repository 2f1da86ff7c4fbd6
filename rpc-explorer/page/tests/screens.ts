// Takes pictures of the explorer in all of its states, to be looked at: `npm run screens -w explorer-page`. They are left in
// `build/screens`.

import { mkdirSync } from "node:fs";
import process from "node:process";
import type { BrowserContextOptions } from "playwright-core";
import { close } from "../../../tests/pages/window.js";
import { FormWindow } from "./form/window.js";
import { Explorer } from "./support/explorer.js";
import { chat, tasks, ticker } from "./support/servers.js";

const FOLDER = "build/screens";

const DARK: BrowserContextOptions = { colorScheme: "dark" };
const NARROW: BrowserContextOptions = { viewport: { width: 390, height: 844 } };

/** Those whose names begin so; all without. */
const wanted = process.argv.slice(2);

async function take(
  name: string,
  url: string,
  at: string,
  options: BrowserContextOptions,
  prepare: (explorer: Explorer) => Promise<void>,
): Promise<void> {
  if (wanted.length > 0 && !wanted.some((one) => name.startsWith(one))) return;
  const explorer = await Explorer.open(url, at, options);
  try {
    await prepare(explorer);
    await new Promise((resolve) => setTimeout(resolve, 250));
    await explorer.page.screenshot({ path: `${FOLDER}/${name}.png` });
    console.warn(name);
  } catch (error) {
    await explorer.page.screenshot({ path: `${FOLDER}/${name}-failed.png` });
    console.error(name, error);
    process.exitCode = 1;
  }
  await explorer.page.context().close();
}

mkdirSync(FOLDER, { recursive: true });
await using market = await ticker();
await using list = await tasks();
await using rooms = await chat();

for (const [name, options] of [
  ["light", {}],
  ["dark", DARK],
  ["narrow", NARROW],
] as const) {
  await take(`overview-${name}`, list.url, "", options, (explorer) => explorer.shows("What this server serves"));
  await take(`unary-${name}`, list.url, "#/task.TaskService/AddTask", options, async (explorer) => {
    await explorer.shows("AddTask");
    await explorer.json(JSON.stringify({ item: { label: `Buy <b>milk</b> (${name})` } }));
    await explorer.request.getByRole("button", { name: "Form", exact: true }).click();
    await explorer.press("Call");
    await explorer.outcomeIs("OK", "UNAUTHENTICATED", "PERMISSION_DENIED");
  });
  await take(`refused-${name}`, list.url, "#/task.TaskService/AddTask", options, async (explorer) => {
    await explorer.shows("AddTask");
    await explorer.json('{"item": {"label": ""}}');
    await explorer.press("Call");
    await explorer.outcomeIs("INVALID_ARGUMENT");
  });
  await take(`stream-${name}`, market.url, "#/ticker.TickerService/Watch", options, async (explorer) => {
    await explorer.shows("Watch");
    await explorer.json('{"symbol": "ACME", "every": "0.1s"}');
    await explorer.press("Call");
    await explorer.answer.locator(".message").nth(6).waitFor();
    await explorer.page.getByRole("button", { name: "Frames" }).click();
    await explorer.page.locator(".frame").nth(5).getByRole("button").first().click();
  });
  await take(`frames-${name}`, market.url, "#/ticker.TickerService/Quote", options, async (explorer) => {
    await explorer.sendsMetadata("trader", "ann");
    await explorer.fill({ symbol: "ACME" });
    await explorer.press("Call");
    await explorer.outcomeIs("OK");
    await explorer.frames();
    await explorer.page.locator("tr.frame").getByRole("button").first().click();
  });
  await take(`both-${name}`, market.url, "#/ticker.TickerService/Trade", options, async (explorer) => {
    await explorer.shows("Trade");
    await explorer.json('{"symbol": "ACME", "shares": "10"}');
    await explorer.press("Send");
    await explorer.press("Send");
    await explorer.answer.locator(".message.in").nth(1).waitFor();
  });
  await take(`record-${name}`, market.url, "#/ticker.TickerService/Record", options, async (explorer) => {
    await explorer.fill({ symbol: "ACME", cents: "300" });
    await explorer.press("Send");
    await explorer.press("Send");
    await explorer.sent(2);
    await explorer.press("Finish");
    await explorer.outcomeIs("OK");
  });
  await take(`desk-${name}`, market.url, "#/ticker.TickerService/Desk", options, async (explorer) => {
    await explorer.fill({ follow: "ACME" });
    await explorer.press("Send");
    await explorer.received(3);
  });
  for (const form of ["kitchen.Scalars", "kitchen.Optionals", "kitchen.WellKnown", "kitchen.Choice", "forms.Order"]) {
    if (wanted.length > 0 && !wanted.some((one) => `form-${form}-${name}`.startsWith(one))) continue;
    const window = await FormWindow.open(form, { viewport: { width: 720, height: 900 }, ...options });
    await window.read();
    await window.page.screenshot({ path: `${FOLDER}/form-${form}-${name}.png`, fullPage: true });
    console.warn(`form-${form}-${name}`);
    await window.page.context().close();
  }
  await take(`login-${name}`, rooms.url, "", options, async (explorer) => {
    await explorer.shows("This endpoint wants to know who you are");
  });
}
await take("dialog", rooms.url, "#/?at=%2Fauth", {}, async (explorer) => {
  await explorer.page.getByRole("banner").getByRole("button", { name: "Log in" }).click();
});
await take("channel", rooms.url, "#/auth.AuthService/Register?at=%2Fauth", {}, async (explorer) => {
  await explorer.shows("Register");
  await explorer.json('{"name": "ann", "password": "a long password"}');
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  await explorer.page.getByRole("button", { name: "Log in with this token" }).click();
  await explorer.page.getByText("You are logged in").waitFor();
  await explorer.page.screenshot({ path: `${FOLDER}/token.png` });
  await explorer.go("#/channel/room%3A%7Broom%7D");
  const channel = explorer.page.getByRole("textbox", { name: "Channel" });
  await channel.fill("room:kitchen");
  await explorer.page.getByRole("button", { name: "Subscribe" }).click();
  await explorer.page.getByText("Subscribed to room:kitchen.").waitFor();
  await explorer.go("#/chat.ChatService/Say");
  for (const text of ["Hello!", "Is anybody there?"]) {
    await explorer.fill({ room: "kitchen", text, key: `0123456789 ${text}` });
    await explorer.press("Call");
    await explorer.outcomeIs("OK");
  }
  await explorer.page.screenshot({ path: `${FOLDER}/say.png` });
  await explorer.go("#/channel/room%3A%7Broom%7D");
  await explorer.page.getByRole("button", { name: "Who is there" }).click();
  await explorer.page.getByRole("list", { name: "Events" }).locator("summary").first().click();
});
await take("service", list.url, "#/task.TaskService", {}, (explorer) => explorer.shows("TaskService"));
await take("type", list.url, "#/type/task.TaskChanged", {}, (explorer) => explorer.shows("TaskChanged"));
await take("missing", list.url, "#/task.TaskService/Nothing", {}, (explorer) =>
  explorer.shows("There is no such method"),
);
await take("search", list.url, "", {}, async (explorer) => {
  await explorer.shows("What this server serves");
  await explorer.page.getByRole("searchbox").fill("task add");
});
await take("nothing-found", list.url, "", DARK, async (explorer) => {
  await explorer.shows("What this server serves");
  await explorer.page.getByRole("searchbox").fill("nobody is called so");
});
await take("menu", list.url, "", NARROW, async (explorer) => {
  await explorer.shows("What this server serves");
  await explorer.page.getByRole("button", { name: "What there is" }).click();
});
for (const [name, options] of [
  ["light", {}],
  ["narrow", NARROW],
] as const) {
  await take(`gone-${name}`, market.url, "#/ticker.TickerService/Quote", options, async (explorer) => {
    await explorer.shows("Quote");
    await market.kill();
    await explorer.isAway();
  });
  await market.restart();
}
await close();
