// What users write is text: markup, scripts, control characters and turned directions are shown as what they are, in every field.

import assert from "node:assert/strict";
import { after } from "node:test";
import { becomes, close, test, until } from "../../../../tests/pages/window.js";
import { visible } from "../src/words/text.js";
import { call, serve } from "./support/server.js";
import { Window } from "./support/window.js";

after(close);

const TEXTS = [
  "<img src=x onerror=alert(1)>",
  '"><script>alert(1)</script>',
  "'-alert(1)-'",
  "<svg onload=alert(1)><style>*{display:none}</style>",
  "javascript:alert(1)",
  "{{7*7}} #{7*7} <%=7*7%>",
  "&lt;b&gt; &amp;",
  "bell \u0007 escape \u001b[31m nul \u0000 next \u0085",
  "invoice \u202Egpj.exe\u202C \u2066isolated\u2069 \u200Fmark",
  "</li></ul><h1>taken over</h1>",
  "\ud800 half a pair",
];

/** What the page has of elements that no text may make. */
const made = (window: Window) =>
  window.page.evaluate(
    () => document.querySelectorAll("img, iframe, object, script:not([src]), style, h1 ~ h1").length,
  );

test("the_policy_is_in_force_and_this_test_would_see_it_at_work", async () => {
  await using server = await serve();
  const ann = await Window.open(server.url);
  const refused = await ann.page.evaluate(() => {
    const script = document.createElement("script");
    try {
      script.text = "document.title = 'taken over'";
      document.body.append(script);
    } catch {
      // Trusted types have refused the text already.
    }
    try {
      document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=alert(1)>");
    } catch (error) {
      return String(error);
    }
    return "";
  });
  assert.match(refused, /TrustedHTML/);
  await until("the policy reports", () => ann.troubles.some(({ kind }) => kind === "policy"));
  await becomes(() => ann.page.title(), "Tasks");
  await ann.page.context().close();
});

test("what_is_typed_into_any_field_is_shown_as_text", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  await using bob = await Window.open(server.url);
  const shown = TEXTS.map((text) => visible(text.toWellFormed().trim()));
  for (const text of TEXTS) await ann.add(text);
  await ann.isSaved();
  await bob.tasksAre(...shown);
  // As another name, which is another field.
  for (const [at, text] of TEXTS.entries()) {
    await bob.page.locator(".row .rename").nth(at).click();
    await becomes(() => bob.page.locator(".edit .field").inputValue(), text.toWellFormed().trim(), "unchanged to edit");
    await bob.page.locator(".edit .field").fill(`2 ${text}`);
    await bob.page.locator(".edit .field").press("Enter");
  }
  await bob.isSaved();
  await ann.tasksAre(...shown.map((text) => `2 ${text}`));
  // In sentences: of what is refused, of what is removed, of what others have done.
  for (const text of TEXTS) {
    await ann.add(`2 ${text}`);
    await until("it is refused", () => ann.page.locator("#new-task-problem").isVisible());
    await ann.page.locator("#new-task").fill("");
    await ann.page.locator(".row .remove").first().click();
    await ann.page.getByRole("button", { name: "Dismiss" }).first().click();
  }
  await bob.tasksAre();
  for (const window of [ann, bob]) assert.equal(await made(window), 0);
});

test("what_is_typed_into_the_form_to_log_in_is_text", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  const { page } = ann;
  await page.locator("#log-in").click();
  await page.locator("#login-switch").click();
  for (const text of TEXTS) {
    await page.locator("#login-name").fill(text);
    await page.locator("#login-password").fill(text);
    await page.locator("#login-submit").click();
    await until("the name is refused", () => page.locator("#login-name-problem").isVisible());
    await becomes(() => page.locator("#login-name-problem").innerText(), /^A name /);
  }
  assert.equal(await made(ann), 0);
  await page.goto(`${server.url}#<img src=x onerror=alert(1)>`);
  await ann.isSaved();
  assert.equal(await made(ann), 0);
});

test("what_other_programs_have_stored_is_text", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  const texts = ["two\nlines\tand a tab", "<script>alert(1)</script>", "\u001b]0;taken over\u0007"];
  for (const text of texts) call(server, "add", text);
  await ann.tasksAre(...texts.map(visible));
  assert.equal(await made(ann), 0);
});
