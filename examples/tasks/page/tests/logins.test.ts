// Who somebody is: registering, logging in and out on the live connection, and a login that ends.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after } from "node:test";
import { Network } from "../../../../tests/pages/network.js";
import { becomes, close, test, until } from "../../../../tests/pages/window.js";
import { callsOf, SECRET, serve } from "./support/server.js";
import { Window } from "./support/window.js";

after(close);

/** How long the server waits for a fresh token when one has ended, in milliseconds. */
const GRACE_MS = 25_000;

/** A token that ends then, in seconds since 1970. The server takes it for a minute more, because clocks differ. */
function token(userId: string, ends: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { sub: userId, iss: "tasks", aud: "tasks", iat: ends - 3_600, exp: ends };
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
}

/** How many connections were made since the page was loaded. */
async function countConnections(window: Window): Promise<() => number> {
  let made = 0;
  window.page.on("websocket", (socket) => {
    if (socket.url().endsWith("/rpc")) made += 1;
  });
  return () => made;
}

test("a_list_of_ones_own_comes_and_goes_with_the_login_on_one_connection", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  await using bob = await Window.open(server.url);
  const connections = await countConnections(ann);
  await ann.add("Everybody's");
  await bob.tasksAre("Everybody's");
  await ann.logIn("ada", "open sesame", true);
  await ann.tasksAre();
  await ann.add("Ada's own");
  await ann.isSaved();
  await becomes(() => ann.page.locator("#whose").innerText(), "Your list");
  await bob.add("Also everybody's");
  await bob.isSaved();
  await ann.tasksAre("Ada's own");
  await bob.logIn("ada", "open sesame");
  await bob.tasksAre("Ada's own");
  await bob.check("Ada's own");
  await ann.tasksAre("x Ada's own");
  await ann.page.reload();
  await ann.tasksAre("x Ada's own");
  const before = connections();
  await ann.page.locator("#log-out").click();
  await ann.tasksAre("Everybody's", "Also everybody's");
  await ann.logIn("ada", "open sesame");
  await ann.tasksAre("x Ada's own");
  assert.equal(connections(), before, "the connection stays");
  assert.equal(await ann.page.evaluate(() => localStorage.length), 0);
});

test("a_login_that_ends_is_asked_for_again_and_nothing_that_was_typed_or_done_is_lost", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  const { page } = ann;
  await ann.logIn("ada", "open sesame", true);
  await ann.add("Before");
  await ann.isSaved();
  const login: { userId: string } = await page.evaluate(() =>
    JSON.parse(sessionStorage.getItem("tasks.login") ?? "{}"),
  );
  // As if it had been issued long ago: it ends in a few seconds, and the server waits for a fresh one for a while. Where it has ended before
  // the page is there again, which is another story, the next one is given longer.
  const ended = page.locator("#ended");
  let seconds = 5;
  for (; ; seconds *= 2) {
    const short = token(login.userId, Math.floor(Date.now() / 1_000) - 60 + seconds);
    await page.evaluate((login) => sessionStorage.setItem("tasks.login", JSON.stringify(login)), {
      ...login,
      token: short,
    });
    await page.reload();
    let hasEnded = false;
    await until("the list is there, or is not to be had", async () => {
      hasEnded = await ended.isVisible();
      return hasEnded || (await ann.row("Before").isVisible());
    });
    if (!hasEnded) break;
    assert.ok(seconds < 60, "a login that lives for a while is taken");
  }
  await ann.tasksAre("Before");
  await page.locator("#new-task").fill("A draft");
  await ann.row("Before").locator(".rename").click();
  await page.locator(".edit .field").fill("Another draft");
  const lastsMs = seconds * 1_000 + GRACE_MS;
  await until("the page says that the login has ended", () => ended.isVisible(), undefined, lastsMs);
  await becomes(() => page.locator("#ended-sentence").innerText(), /^Your login has ended\. What you have typed/);
  await becomes(() => ann.status(), "Not logged in");
  await ann.tasksAre("Before");
  await page.locator(".row .check").click();
  await becomes(() => ann.unsaved(), 1);
  await page.locator("#ended-log-in").click();
  await becomes(() => page.locator("#login-name").inputValue(), "ada");
  await page.locator("#login-password").fill("open sesame");
  await page.keyboard.press("Enter");
  await ann.isSaved();
  await ann.tasksAre("x Before");
  assert.ok(!(await ended.isVisible()));
  await becomes(() => page.locator("#new-task").inputValue(), "A draft");
  await becomes(() => page.locator(".edit .field").inputValue(), "Another draft");
  await page.locator(".edit .field").press("Enter");
  await ann.isSaved();
  await using other = await Window.open(server.url);
  await other.logIn("ada", "open sesame");
  await other.tasksAre("x Another draft");
});

test("a_login_that_the_server_does_not_know_any_more_is_asked_for_again", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  const { page } = ann;
  await ann.logIn("ada", "open sesame", true);
  await page.evaluate(() => {
    const login = JSON.parse(sessionStorage.getItem("tasks.login") ?? "{}");
    sessionStorage.setItem("tasks.login", JSON.stringify({ ...login, token: `${login.token}x` }));
  });
  await page.reload();
  await until("the page says that the login has ended", () => page.locator("#ended").isVisible());
  await page.locator("#ended-go-on").click();
  await ann.isSaved();
  await ann.add("Everybody's");
  await ann.isSaved();
  await using bob = await Window.open(server.url);
  await bob.tasksAre("Everybody's");
});

test("a_server_that_wants_logins_is_asked_nothing_before_there_is_one", async () => {
  await using server = await serve("--require-login");
  await using ann = await Window.open(server.url);
  const { page } = ann;
  await until("the page asks for a login", () => page.locator("#ended").isVisible());
  assert.equal(
    await page.locator("#ended-sentence").innerText(),
    "This server shows lists to those who are logged in.",
  );
  await ann.logIn("ada", "open sesame", true);
  await ann.add("Ada's own");
  await ann.isSaved();
  await ann.tasksAre("Ada's own");
});

test("logging_out_with_changes_that_are_not_saved_is_asked_about_first", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  await ann.logIn("ada", "open sesame", true);
  await ann.add("Saved");
  await ann.isSaved();
  await server.kill();
  await ann.add("Not saved");
  await ann.statusIs("Reconnecting");
  await ann.page.locator("#log-out").click();
  await ann.noticeIs(/^1 change is not saved yet, and would be lost\.$/);
  await becomes(() => ann.page.locator("#account-name").innerText(), "ada");
  await server.restart();
  await ann.tryNow();
  await ann.isSaved();
  await ann.tasksAre("Saved", "Not saved");
});

test("what_was_not_sent_before_logging_out_is_in_nobodys_list", async () => {
  await using server = await serve();
  await using network = await Network.to(server.port);
  await using ann = await Window.open(network.url);
  await using bob = await Window.open(server.url);
  await ann.logIn("ada", "open sesame", true);
  await ann.isSaved();
  // The first is on its way, and the second waits for its answer.
  network.mute();
  await ann.add("Ada's first");
  await until("the server has it", async () => (await callsOf(server)).includes("AddTask OK 1"));
  await ann.add("Ada's second");
  await ann.page.locator("#log-out").click();
  await ann.page.getByRole("button", { name: "Log out all the same" }).click();
  network.restore();
  await ann.isSaved();
  await ann.tasksAre();
  await bob.tasksAre();
  await ann.add("Everybody's");
  await bob.tasksAre("Everybody's");
  await becomes(() => callsOf(server), ["AddTask OK 2"]);
});

test("a_form_that_is_opened_again_as_soon_as_it_was_closed_logs_in", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  await ann.page.locator("#log-in").click();
  // In one turn, as quick keys may: the browser tells that it was closed when it is open again.
  await ann.page.evaluate(() => {
    (document.getElementById("login") as HTMLDialogElement).close();
    document.getElementById("log-in")?.click();
  });
  await ann.page.locator("#login-switch").click();
  await ann.page.locator("#login-name").fill("ann");
  await ann.page.locator("#login-password").fill("open sesame");
  await ann.page.locator("#login-submit").click();
  await becomes(() => ann.page.locator("#account-name").textContent(), "ann");
});
