// The page for those who use no mouse, or do not see it: everything by keyboard, the focus where it is expected, and no barrier that axe
// knows, in each state and both colour schemes.

import assert from "node:assert/strict";
import { after } from "node:test";
import { becomes, close, test, until } from "../../../../tests/pages/window.js";
import { serve } from "./support/server.js";
import { Window } from "./support/window.js";

after(close);

/** The name of what has the focus, as a screen reader says it. */
const focused = (window: Window) =>
  window.page.evaluate(() => {
    const active = document.activeElement;
    const label = active?.getAttribute("aria-labelledby");
    return (
      active?.getAttribute("aria-label") ??
      (label ? document.getElementById(label)?.textContent : undefined) ??
      (active instanceof HTMLInputElement ? active.labels?.[0]?.textContent?.trim() : active?.textContent?.trim()) ??
      ""
    );
  });

async function focusIs(window: Window, wanted: string): Promise<void> {
  await until(
    `the focus is on ${wanted}`,
    async () => (await focused(window)) === wanted,
    () => focused(window),
  );
}

test("everything_can_be_done_with_a_keyboard_alone", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  const press = async (...keys: string[]) => {
    for (const key of keys) await ann.page.keyboard.press(key);
  };
  const type = (text: string) => ann.page.keyboard.type(text);
  await focusIs(ann, "New task");
  for (const label of ["Buy milk", "Buy bread", "Buy salt"]) {
    await type(label);
    await press("Enter");
  }
  await ann.isSaved();
  await focusIs(ann, "New task");
  await press("Tab");
  await focusIs(ann, "Add");
  await press("Tab");
  await focusIs(ann, "All 3");
  await press("Tab");
  await focusIs(ann, "Buy milk");
  await press("Space");
  await ann.tasksAre("x Buy milk", "Buy bread", "Buy salt");
  await focusIs(ann, "Buy milk");
  await press("ArrowDown");
  await focusIs(ann, "Buy bread");
  await press("Tab");
  await focusIs(ann, "Rename “Buy bread”");
  await press("Enter");
  await focusIs(ann, "New name for “Buy bread”");
  await press("Escape");
  await focusIs(ann, "Rename “Buy bread”");
  await press("F2");
  await type("Bake bread");
  await press("Enter");
  await focusIs(ann, "Rename “Bake bread”");
  await ann.tasksAre("x Buy milk", "Bake bread", "Buy salt");
  await press("Tab");
  await focusIs(ann, "Remove “Bake bread”");
  await press("Enter");
  await focusIs(ann, "Remove “Buy salt”");
  await press("Delete");
  await focusIs(ann, "Remove “Buy milk”");
  await press("Tab");
  await focusIs(ann, "Put it back");
  await press("Enter");
  await focusIs(ann, "New task");
  await ann.tasksAre("x Buy milk", "Buy salt");
  // Which are shown, by arrows as in every group of choices.
  await press("Tab", "Tab", "ArrowRight");
  await focusIs(ann, "Open 1");
  await ann.tasksAre("Buy salt");
  await press("Tab");
  await focusIs(ann, "Buy salt");
  await press("Space");
  await ann.tasksAre();
  await focusIs(ann, "New task");
});

test("the_form_to_log_in_takes_the_focus_and_gives_it_back", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  const { keyboard } = ann.page;
  await focusIs(ann, "New task");
  await keyboard.press("Shift+Tab");
  await focusIs(ann, "Log in");
  await keyboard.press("Enter");
  await focusIs(ann, "Name");
  await keyboard.press("Escape");
  await focusIs(ann, "Log in");
  await keyboard.press("Enter");
  await focusIs(ann, "Name");
  await keyboard.type("ada");
  await keyboard.press("Enter");
  await focusIs(ann, "Password");
  await keyboard.type("open sesame");
  await keyboard.press("Enter");
  await until("it is refused", () => ann.page.locator("#login-problem").isVisible());
  await becomes(() => ann.page.locator("#announce-now").textContent(), /The name or the password is wrong\./);
  await focusIs(ann, "Password");
});

test("the_focus_stays_where_it_is_while_others_change_the_list", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  await using bob = await Window.open(server.url);
  for (const label of ["One", "Two", "Three"]) await ann.add(label);
  await bob.tasksAre("One", "Two", "Three");
  await ann.row("Two").locator(".rename").focus();
  await bob.remove("One");
  await bob.check("Two");
  await bob.add("Four");
  await ann.tasksAre("x Two", "Three", "Four");
  await focusIs(ann, "Rename “Two”");
  await bob.remove("Two");
  await ann.tasksAre("Three", "Four");
  await focusIs(ann, "Rename “Three”");
  await ann.row("Four").locator(".check").focus();
  await bob.remove("Four");
  await ann.tasksAre("Three");
  await focusIs(ann, "Three");
  await bob.remove("Three");
  await ann.tasksAre();
  await focusIs(ann, "New task");
});

test("what_is_typed_stays_while_others_change_the_list", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  await using bob = await Window.open(server.url);
  await ann.add("One");
  await bob.tasksAre("One");
  await ann.row("One").locator(".rename").click();
  await ann.page.keyboard.type("My na");
  await bob.rename("One", "Uno");
  await bob.add("Two");
  await ann.tasksAre("Uno", "Two");
  await ann.page.keyboard.type("me");
  await becomes(() => ann.page.locator(".edit .field").inputValue(), "My name");
  await ann.page.keyboard.press("Enter");
  await bob.tasksAre("My name", "Two");
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe_finds_no_barrier_in_any_state_in_${colorScheme}_colours`, async () => {
    await using server = await serve();
    await using ann = await Window.open(server.url, { colorScheme, viewport: { width: 360, height: 800 } });
    const { page } = ann;
    const none = async (state: string) => assert.deepEqual(await ann.barriers(), [], state);
    await ann.isSaved();
    await none("empty");
    for (const label of ["Buy milk", "a".repeat(200), "לקנות חלב ולחם", "<b>Buy bread</b>"]) await ann.add(label);
    await ann.check("Buy milk");
    await ann.isSaved();
    await none("filled");
    await page.locator(".row .rename").nth(1).click();
    await none("editing");
    await page.keyboard.press("Escape");
    await ann.add("Buy milk");
    await until("it is refused", () => page.locator("#new-task-problem").isVisible());
    await ann.remove("Buy milk");
    await ann.rename("<b>Buy bread</b>", "a".repeat(201));
    await ann.noticeIs(/too long/);
    await ann.remove("לקנות חלב ולחם");
    await ann.noticeIs(/is removed/);
    await none("refused, with notices");
    await page.locator("#log-in").click();
    await none("logging in");
    await page.locator("#login-switch").click();
    await page.locator("#login-submit").click();
    await until("it is refused", () => page.locator("#login-name-problem").isVisible());
    await none("registering, refused");
    await page.locator("#login-name").fill("ada");
    await page.locator("#login-password").fill("open sesame");
    await page.keyboard.press("Enter");
    await until("somebody is logged in", () => page.locator("#account").isVisible());
    await ann.isSaved();
    await none("logged in");
    await server.kill();
    await ann.statusIs("Reconnecting");
    await ann.add("Not saved");
    await none("reconnecting");
    await page.context().setOffline(true);
    await ann.statusIs("Offline");
    await none("offline");
    await page.context().setOffline(false);
    await server.restart();
    await ann.tryNow();
    await ann.isSaved();
    await page.evaluate(() => {
      const login = JSON.parse(sessionStorage.getItem("tasks.login") ?? "{}");
      sessionStorage.setItem("tasks.login", JSON.stringify({ ...login, token: "of nobody" }));
    });
    await page.reload();
    await until("the login has ended", () => page.locator("#ended").isVisible());
    await none("asked to log in again");
  });
}
