// What the server does not take: said as a person would say it, the list as it was, and nothing that was typed is lost.

import assert from "node:assert/strict";
import { after } from "node:test";
import { becomes, close, test, until } from "../../../../tests/pages/window.js";
import { serve } from "./support/server.js";
import { Window } from "./support/window.js";

after(close);

test("a_task_that_is_refused_is_taken_back_and_its_text_stays", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  const { page } = ann;
  await ann.add("Buy milk");
  await ann.isSaved();
  await ann.add("Buy milk");
  await until("it is said", () => page.locator("#new-task-problem").isVisible());
  await becomes(() => page.locator("#new-task-problem").innerText(), "There is a task of this name already.");
  await becomes(() => page.locator("#new-task").inputValue(), "Buy milk");
  await becomes(() => page.locator("#new-task").getAttribute("aria-invalid"), "true");
  await ann.tasksAre("Buy milk");

  const long = "a".repeat(201);
  await ann.add(long);
  await until("it is said", async () =>
    /^It is too long. It has 201 characters; 200 is the most.$/.test(
      await page.locator("#new-task-problem").innerText(),
    ),
  );
  await becomes(() => page.locator("#new-task").inputValue(), long);
  await ann.tasksAre("Buy milk");
  await ann.add("   ");
  await becomes(() => page.locator("#new-task-problem").innerText(), "Write what is to be done first.");
});

test("a_name_that_is_refused_can_be_mended_and_the_old_one_is_back", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  const { page } = ann;
  await ann.add("Buy milk");
  await ann.add("Buy bread");
  await ann.isSaved();
  await ann.rename("Buy bread", "Buy milk");
  await ann.noticeIs(/Buy bread.* was not renamed: there is a task of this name already\./);
  await ann.tasksAre("Buy milk", "Buy bread");
  await page.getByRole("button", { name: "Edit it" }).click();
  await becomes(() => page.locator(".edit .field").inputValue(), "Buy milk");
  await page.locator(".edit .field").fill("Bake bread");
  await page.keyboard.press("Enter");
  await ann.tasksAre("Buy milk", "Bake bread");
  await ann.isSaved();
});

test("a_registration_that_is_refused_says_which_field_is_wrong", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  const { page } = ann;
  await page.locator("#log-in").click();
  await page.locator("#login-switch").click();
  const says = async (field: string, wanted: RegExp) =>
    until(`${field} says ${wanted}`, async () =>
      wanted.test(await page.locator(`#login-${field}-problem`).innerText()),
    );
  const attempt = async (name: string, password: string) => {
    await page.locator("#login-name").fill(name);
    await page.locator("#login-password").fill(password);
    await page.locator("#login-submit").click();
  };
  await attempt("Ada Lovelace", "short");
  await says("name", /^A name begins with a small letter/);
  await says("password", /^A password has eight characters or more\.$/);
  await becomes(() => page.locator("#login-name").getAttribute("aria-invalid"), "true");
  await becomes(() => page.locator("#login-password").inputValue(), "short", "it stays");
  await attempt("ada", "open sesame");
  await until("it is taken", async () => !(await page.locator("#login").isVisible()));
  await page.locator("#log-out").click();
  await page.locator("#log-in").click();
  await page.locator("#login-switch").click();
  await attempt("ada", "open sesame");
  await says("name", /^Somebody has this name already\.$/);
});

test("too_many_wrong_passwords_are_answered_with_the_time_to_wait", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  const { page } = ann;
  await page.locator("#log-in").click();
  await page.locator("#login-name").fill("ada");
  await page.locator("#login-password").fill("wrong");
  const problem = page.locator("#login-problem");
  // All that stands on the button, one after the other: what is left to wait may be over before somebody looks.
  const onButton = page.locator("#login-submit");
  await onButton.evaluate((button) => {
    new MutationObserver((changes) => {
      const texts = changes.flatMap(({ addedNodes }) => [...addedNodes].map((node) => node.textContent ?? ""));
      button.setAttribute("data-said", `${button.getAttribute("data-said") ?? ""}${texts.join("|")}|`);
    }).observe(button, { childList: true });
  });
  let tries = 0;
  for (; tries < 40; tries += 1) {
    await onButton.click();
    await until("it is answered", () => problem.isVisible());
    if ((await problem.innerText()) !== "The name or the password is wrong.") break;
  }
  assert.ok(tries >= 20, `${tries} tries`);
  await becomes(() => problem.innerText(), /^That were too many tries\. Try again in (a second|\d+ seconds)\.$/);
  await becomes(() => onButton.getAttribute("data-said"), /\|Wait (a second|\d+ seconds)\|/);
  await becomes(() => page.locator("#login-password").inputValue(), "wrong");
  await until("it may be tried again", async () => (await onButton.innerText()) === "Log in");
});
