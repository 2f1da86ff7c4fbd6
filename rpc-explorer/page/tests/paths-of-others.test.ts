// The explorer where its server's paths are not what the server says: behind a prefix, and endpoints whose paths have parts to fill in.

import assert from "node:assert/strict";
import { after } from "node:test";
import { becomes, close, test } from "../../../tests/pages/window.js";
import { Explorer } from "./support/explorer.js";
import { ReverseProxy } from "./support/proxy.js";
import { ticker } from "./support/servers.js";

const server = await ticker();

after(async () => {
  await close();
  await server[Symbol.asyncDispose]();
});

const QUOTE = "#/ticker.TickerService/Quote";

test("behind_a_proxy_with_a_prefix_all_is_found_below_that", async () => {
  await using proxy = await ReverseProxy.to(server.port, (path) =>
    path.startsWith("/pre/") ? path.slice(4) : undefined,
  );
  await using explorer = await Explorer.open(`${proxy.url}pre/`, QUOTE);
  await explorer.fill({ symbol: "ACME" });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  assert.deepEqual(proxy.open, ["/pre/rpc"]);
  // Without the slash behind it as well, where the server does not know the prefix.
  await explorer.page.goto(`${proxy.url}pre/explorer`);
  await explorer.shows("What this server serves");
  assert.equal(explorer.page.url().split("#")[0], `${proxy.url}pre/explorer/`);
});

test("the_parts_of_a_path_that_are_in_braces_are_asked_for_and_the_connection_ends_when_one_goes_elsewhere", async () => {
  await using proxy = await ReverseProxy.to(server.port, (path) => (path === "/room/blue%20one" ? "/rpc" : path));
  await using explorer = await Explorer.open(proxy.url);
  await explorer.page.route("**/endpoints.json", (route) =>
    route.fulfill({ json: { endpoints: ["../rpc", "../room/{id}"] } }),
  );
  await explorer.page.reload();
  await explorer.shows("What this server serves");
  await explorer.page.getByLabel("Endpoint").selectOption("/room/{id}");
  await explorer.shows("Which one?");
  const go = explorer.page.getByRole("button", { name: "Go there" });
  await go.click();
  await becomes(() => explorer.page.evaluate(() => (document.activeElement as HTMLInputElement | null)?.name), "id");
  await becomes(async () => proxy.open, ["/rpc"]);
  await explorer.page.getByLabel("id", { exact: true }).fill("blue one");
  await go.click();
  await explorer.shows("What this server serves");
  await becomes(async () => proxy.open, ["/rpc", "/room/blue%20one"]);
  await explorer.page.getByRole("navigation").getByRole("link", { name: "Quote" }).click();
  await explorer.shows("Quote");
  await explorer.fill({ symbol: "ACME" });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  await explorer.page.getByLabel("Endpoint").selectOption("/rpc");
  await explorer.shows("What this server serves");
  await becomes(async () => proxy.open, ["/rpc"]);
});
