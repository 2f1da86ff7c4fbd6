// What becomes of a page whose connection, server or login is gone: nothing is lost, nothing comes twice, and it says what is going on.

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after } from "node:test";
import type { WebSocketRoute } from "playwright-core";
import { Network } from "../../../../tests/pages/network.js";
import { becomes, close, test, until } from "../../../../tests/pages/window.js";
import { PASSWORD, Person, serve } from "./support/person.js";

after(close);

test("what_was_said_while_the_network_was_cut_is_heard_once_and_the_page_says_so", async () => {
  await using server = await serve();
  await using network = await Network.to(server.port);
  await using ann = await Person.comes(server.url, "ann");
  await using bob = await Person.comes(network.url, "bob");
  await ann.says("Before");
  await bob.hears("ann: Before");
  network.cut();
  await bob.isTold(/The connection is lost\. What you write waits\./);
  for (const text of ["One", "Two", "Three"]) await ann.says(text);
  await bob.says("From afar");
  await bob.hears("ann: Before", "bob: From afar *");
  await until("it was tried in vain", () => network.refused > 0);
  network.restore();
  await bob.tryNow();
  await bob.isTold(/You are connected again\./);
  const all = ["ann: Before", "ann: One", "ann: Two", "ann: Three", "bob: From afar"];
  for (const person of [ann, bob]) await person.hears(...all);
  await bob.remarks(/You were away\. \d+ things that happened meanwhile are above\./);
  await bob.isTold(/^$/);
});

test("a_server_that_is_killed_and_started_again_is_come_back_to", async () => {
  await using server = await serve();
  await using ann = await Person.comes(server.url, "ann");
  await using bob = await Person.comes(server.url, "bob");
  await ann.says("Before");
  await bob.hears("ann: Before");
  await server.kill();
  for (const person of [ann, bob]) await person.isTold(/The connection is lost/);
  await ann.says("Meanwhile");
  await server.restart();
  // What rooms keep was in the memory of the server that is gone: that is said, too.
  for (const person of [ann, bob]) {
    await person.hears("ann: Before", "ann: Meanwhile");
    await person.remarks(/Something is missing here/);
    await person.isThere();
  }
  await bob.says("After");
  for (const person of [ann, bob]) await person.hears("ann: Before", "ann: Meanwhile", "bob: After");
});

test("a_login_that_is_not_good_any_more_is_asked_for_and_nothing_that_was_written_is_lost", async () => {
  await using server = await serve();
  await using ann = await Person.comes(server.url, "ann");
  await ann.goes("garden");
  await ann.page.locator("#text").fill("Half a sentence");
  // Another database signs with another secret.
  await server.kill();
  for (const ending of ["", "-wal", "-shm"]) rmSync(`${server.folder}/chat.db${ending}`, { force: true });
  await server.restart();
  await using again = await Person.comes(server.url, "ann");
  await again.goes("garden");
  await ann.page.getByRole("heading", { name: "Log in again" }).waitFor();
  await ann.page.getByText(/You have been logged out/).waitFor();
  await becomes(() => ann.page.getByLabel("Name").inputValue(), "ann");
  await ann.page.getByLabel("Password").fill("open sesame");
  await ann.page.getByRole("button", { name: "Log in" }).click();
  await ann.page.getByRole("heading", { level: 1, name: "garden" }).waitFor();
  await becomes(() => ann.page.locator("#text").inputValue(), "Half a sentence");
  await ann.page.locator("#text").press("Enter");
  await again.hears("ann: Half a sentence");
});

/** Puts a hand on the connections of somebody who is there: gives what ends the one that is made last with a code. */
async function ender(person: Person): Promise<(code: number, reason: string) => Promise<void>> {
  let last: WebSocketRoute | undefined;
  await person.page.routeWebSocket("**/rpc", (route) => {
    route.connectToServer();
    last = route;
  });
  await person.page.reload();
  await person.isThere();
  return async (code, reason) => await last?.close({ code, reason });
}

test("a_login_that_ends_is_asked_for_and_one_is_in_the_same_rooms_again", async () => {
  await using server = await serve();
  await using ann = await Person.comes(server.url, "ann");
  await using bob = await Person.comes(server.url, "bob");
  const end = await ender(ann);
  await ann.goes("garden");
  await ann.goes("kitchen");
  await ann.page.locator("#text").fill("Half a sentence");
  // As a server does some time after a token has ended for which no fresh one has come.
  await end(4401, "the token has expired");
  await ann.page.getByRole("heading", { name: "Log in again" }).waitFor();
  await ann.page.getByText("You have been logged out: your login has ended.").waitFor();
  await ann.page.getByLabel("Password").fill(PASSWORD);
  await ann.page.getByRole("button", { name: "Log in" }).click();
  await ann.page.getByRole("heading", { level: 1, name: "kitchen" }).waitFor();
  await ann.isThere();
  await becomes(() => ann.page.locator("#text").inputValue(), "Half a sentence");
  await bob.goes("garden");
  await becomes(() => bob.page.locator(".persons b").allInnerTexts(), ["ann", "bob"]);
  await bob.says("Who is here?");
  await ann.page.locator(".places a", { hasText: "garden" }).getByText("1 new message").waitFor();
});

test("a_connection_that_is_over_for_good_is_made_anew_by_who_wants_it_and_nobody_logs_in_again", async () => {
  await using server = await serve();
  await using ann = await Person.comes(server.url, "ann");
  const end = await ender(ann);
  await ann.goes("garden");
  await ann.page.locator("#text").fill("Half a sentence");
  await end(4504, "this server speaks another protocol");
  await ann.isTold(/The connection is over: .*another protocol.*Connect again/s);
  await ann.page.getByRole("button", { name: "Connect again" }).click();
  await ann.isThere();
  await ann.page.getByRole("heading", { level: 1, name: "garden" }).waitFor();
  await becomes(() => ann.page.locator("#text").inputValue(), "Half a sentence");
  await ann.isTold(/^$/);
});

test("trying_again_takes_the_focus_from_nobody_and_the_line_is_read_out_once", async () => {
  await using server = await serve();
  await using network = await Network.to(server.port);
  await using ann = await Person.comes(network.url, "ann");
  network.cut();
  await ann.isTold(/The connection is lost/);
  // Each change of the line is read out.
  await ann.page.locator(".banner [role=status]").evaluate((line) => {
    new MutationObserver((changes) => {
      line.setAttribute("data-changes", String(Number(line.getAttribute("data-changes")) + changes.length));
    }).observe(line, { childList: true, characterData: true, subtree: true });
  });
  const again = ann.page.getByRole("button", { name: "Try now" });
  await again.focus();
  const refused = network.refused;
  for (let tries = 1; tries <= 3; tries += 1) {
    await ann.page.keyboard.press("Enter");
    await until("it was tried in vain", () => network.refused >= refused + tries);
    await until("it waits", async () => /Next try in/.test(await ann.page.locator(".banner").innerText()));
    assert.ok(await again.evaluate((button) => button === document.activeElement), "the focus stays");
  }
  await becomes(() => ann.page.locator(".banner [role=status]").getAttribute("data-changes"), null);
  network.restore();
  await ann.page.keyboard.press("Enter");
  await ann.isTold(/You are connected again\./);
  await becomes(() => ann.page.evaluate(() => document.activeElement?.className), "banner");
});

test("who_loads_the_page_again_is_still_there_and_who_logs_out_is_not", async () => {
  await using server = await serve();
  await using ann = await Person.comes(server.url, "ann");
  await ann.says("Here");
  await ann.hears("ann: Here");
  await ann.page.reload();
  await ann.isThere();
  await ann.hears("ann: Here");
  await ann.page.getByRole("button", { name: "Log out" }).click();
  await ann.page.reload();
  await ann.page.getByRole("button", { name: "Log in" }).waitFor();
});
