// What the explorer shows where it cannot show what is served: refused, off, away, unknown. And that it comes back.

import assert from "node:assert/strict";
import { after } from "node:test";
import { Program } from "../../../tests/pages/program.js";
import { becomes, close, test } from "../../../tests/pages/window.js";
import { Explorer } from "./support/explorer.js";
import { tasks, ticker } from "./support/servers.js";

const QUOTE = "#/ticker.TickerService/Quote";

after(close);

test("a_page_of_another_host_is_told_why_it_is_told_nothing", async () => {
  await using server = await ticker();
  // A name that leads to this machine, and is none of its own.
  const elsewhere = server.url.replace("127.0.0.1", "elsewhere.localhost");
  await using explorer = await Explorer.open(elsewhere);
  await explorer.shows("This server does not tell you what it serves");
  await explorer.page.getByText(/http:\/\/127\.0\.0\.1/).waitFor();
  await explorer.page.getByText(/The server says: .* \(PERMISSION_DENIED\)/).waitFor();
  assert.equal(await explorer.page.getByRole("link", { name: "Quote" }).count(), 0);
});

test("a_server_without_reflection_is_told_from_one_that_refuses", async () => {
  await using server = await ticker();
  await using explorer = await Explorer.open(server.url);
  // Every call asks for a method that there is not, which is how a server without reflection answers.
  await explorer.between(({ kind }) => {
    if (kind.case === "request") kind.value.method = 1n;
  });
  await explorer.shows("Reflection is off");
  await explorer.page.getByText(/\.reflection\(true\)/).waitFor();
});

test("a_server_that_goes_away_is_waited_for_and_what_was_filled_in_stays", async () => {
  await using server = await ticker();
  await using explorer = await Explorer.open(server.url, QUOTE);
  await explorer.fill({ symbol: "ACME" });
  await server.kill();
  await explorer.isAway();
  await explorer.page.getByText(/^The server cannot be reached: .* It is tried again at \d\d:\d\d:\d\d\.$/).waitFor();
  await server.restart();
  await explorer.connectsAgain();
  await explorer.page.getByText(/^The server cannot be reached/).waitFor({ state: "hidden" });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
});

test("a_server_that_comes_back_with_another_schema_is_shown_as_it_is_now_and_what_was_filled_in_stays", async () => {
  await using server = await ticker();
  await using explorer = await Explorer.open(server.url);
  let isNew = false;
  await explorer.between(({ kind }) => {
    if (!isNew || (kind.case !== "response" && kind.case !== "data")) return;
    // As long as what it stands for: what is around it holds the length.
    const text = Buffer.from(kind.value.body).toString("latin1");
    kind.value.body = Buffer.from(
      text.replaceAll("The first price of the day", "The other price of the day"),
      "latin1",
    );
  });
  await explorer.go(QUOTE);
  await explorer.fill({ symbol: "ACME" });
  await explorer.page.getByText(/^The first price of the day\./).waitFor();
  isNew = true;
  await server.kill();
  await explorer.isAway();
  await server.restart();
  await explorer.connectsAgain();
  await explorer.page.getByText(/^The other price of the day\./).waitFor();
  await becomes(() => explorer.request.getByLabel("symbol", { exact: true }).inputValue(), "ACME");
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
});

test("where_another_server_comes_back_its_own_services_are_shown", async () => {
  await using market = await ticker();
  await using explorer = await Explorer.open(market.url, QUOTE);
  await explorer.shows("Quote");
  const { port } = market;
  await market.kill();
  await explorer.isAway();
  await using _list = await Program.start("tasks", (_, folder) => [
    "serve",
    "--listen",
    `127.0.0.1:${port}`,
    "--database",
    `${folder}/tasks.db`,
  ]);
  await explorer.connectsAgain();
  await explorer.shows("There is no such method");
  await explorer.page.getByRole("navigation").getByRole("link", { name: "AddTask" }).waitFor();
});

test("a_stream_that_is_cut_off_says_so", async () => {
  await using server = await ticker();
  await using explorer = await Explorer.open(server.url, "#/ticker.TickerService/Watch");
  await explorer.fill({ symbol: "ACME" });
  await explorer.press("Call");
  await explorer.received();
  await server.kill();
  await explorer.outcomeIs("UNAVAILABLE");
});

test("what_is_not_served_is_said_to_be_not_served", async () => {
  await using server = await tasks();
  for (const [at, title] of [
    ["#/task.TaskService/Nothing", "There is no such method"],
    ["#/task.NoService", "There is no such service"],
    ["#/channel/nothing", "There is no such channel"],
    ["#/type/task.Nothing", "This cannot be shown"],
  ] as const) {
    await using explorer = await Explorer.open(server.url, at);
    await explorer.shows(title);
    await becomes(() => explorer.page.title(), `${title} · Explorer`);
  }
});
