// What is written is shown, whatever it is; and nobody is kept out by how the page is made.

import assert from "node:assert/strict";
import { after } from "node:test";
import { becomes, close, test, until } from "../../../../tests/pages/window.js";
import { Person, promote, serve } from "./support/person.js";

after(close);

/** What would do something, where text became anything else. */
const HOSTILE = [
  `<img src=x onerror="alert('img')">`,
  `"><script>alert("script")</script>`,
  `'--></style><svg/onload=alert(1)>`,
  `javascript:alert(1) {{7*7}} \${7*7}`,
  "bell \u0007 escape \u001b[31m null-ish \u0001 and \u202eright to left\u202c",
];

/** All that a page could have made of it. */
const made = (person: Person) =>
  person.page.evaluate(
    () => document.querySelectorAll("img[onerror], img[src='x'], svg[onload], #page script, #page style").length,
  );

test("the_policy_is_in_force_and_these_tests_would_see_it_at_work", async () => {
  await using server = await serve();
  const ann = await Person.open(server.url);
  const refused = await ann.page.evaluate(() => {
    try {
      document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=alert(1)>");
    } catch (error) {
      return String(error);
    }
    return "";
  });
  assert.match(refused, /TrustedHTML/);
  await until("the policy reports", () => ann.troubles.some(({ kind }) => kind === "policy"));
  assert.equal(await made(ann), 0);
  await ann.page.context().close();
});

test("markup_and_control_characters_are_text_in_every_field", async () => {
  await using server = await serve();
  {
    await using first = await Person.comes(server.url, "ann");
    await first.isThere();
  }
  promote(server, "ann");
  await using ann = await Person.open(server.url);
  await ann.logIn("ann");
  await using bob = await Person.comes(server.url, "bob");
  for (const text of HOSTILE) await ann.says(text);
  // A line of text has no carriage return or the like; everything else is as it was written.
  const asSaid = HOSTILE.map((text) => `ann: ${text}`);
  await bob.hears(...asSaid);

  await ann.writesTo("bob");
  for (const text of HOSTILE) await ann.says(text);
  await bob.page.locator(".places a", { hasText: "ann" }).click();
  await bob.hears(...asSaid);
  await bob.goes("kitchen");
  await ann.goes("kitchen");

  for (const name of HOSTILE) {
    const form = await Person.open(server.url);
    await form.page.getByLabel("Name").fill(name);
    await form.page.getByLabel("Password").fill(name);
    await form.page.getByRole("button", { name: "Log in" }).click();
    await form.page.getByText("A name begins with a small letter").waitFor();
    await becomes(() => form.page.getByLabel("Name").getAttribute("aria-invalid"), "true");
    await form.page.getByLabel("Name").fill("zoe");
    await form.page.getByRole("button", { name: "Log in" }).click();
    await form.page.getByText("You are not logged in: the name or the password is wrong.").waitFor();
    assert.equal(await made(form), 0);
    await form[Symbol.asyncDispose]();
  }
  // The address is a field, too.
  for (const text of HOSTILE.slice(0, 3)) {
    await bob.page.evaluate((hash) => location.assign(`#with/${encodeURIComponent(hash.replaceAll("/", ""))}`), text);
    await bob.page.locator("main.alone h1").waitFor();
    await bob.page.evaluate((hash) => location.assign(`#room/${encodeURIComponent(hash.replaceAll("/", ""))}`), text);
    await bob.page
      .getByText(/You are not in/)
      .first()
      .waitFor();
  }
  // What is no address names nothing.
  await bob.page.evaluate(() => location.assign("#room/%E0%"));
  await bob.goes("kitchen");
  await bob.page.evaluate(() => location.assign("#%"));
  await bob.page.reload();
  await bob.isThere();
  await bob.goes("kitchen");

  await ann.page.getByRole("button", { name: "Put out bob" }).click();
  await ann.page.getByLabel("Why; everybody in the room reads it").fill(HOSTILE[0] ?? "");
  await ann.page.getByRole("dialog").getByRole("button", { name: "Put out" }).click();
  await bob.page.getByText(`by ann: ${HOSTILE[0]}`).waitFor();
  await ann.remarks(/bob was put out by ann: <img src=x/);
  for (const person of [ann, bob]) assert.equal(await made(person), 0);
});

test("a_text_that_is_too_long_is_told_before_it_is_sent", async () => {
  await using server = await serve();
  await using ann = await Person.comes(server.url, "ann");
  await ann.page.locator("#text").fill("é".repeat(2_003));
  await ann.page.getByText("3 characters too many").waitFor();
  await becomes(() => ann.page.locator("#text").getAttribute("aria-invalid"), "true");
  await becomes(() => ann.page.getByRole("button", { name: "Send" }).isDisabled(), true);
  await ann.page.locator("#text").press("Backspace");
  await ann.page.getByText("2 characters too many").waitFor();
  await ann.page.locator("#text").fill("é".repeat(2_000));
  await becomes(() => ann.page.locator("#text").getAttribute("aria-invalid"), null);
  await ann.page.locator("#text").press("Enter");
  await ann.hears(`ann: ${"é".repeat(2_000)}`);
});

test("where_nothing_is_written_nothing_is_sent_however_soon_one_presses_enter", async () => {
  await using server = await serve();
  await using ann = await Person.comes(server.url, "ann");
  // Behind the page's own answer to the new address, and ahead of the first frame that shows it.
  await ann.page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const press = () => resolve(document.querySelector<HTMLFormElement>("main.alone form")?.requestSubmit());
        window.addEventListener("hashchange", press, { once: true });
        location.assign("#with/bob");
      }),
  );
  await ann.says("Now.");
  await ann.hears("ann: Now.");
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe_finds_nothing_serious_in_any_state_when_it_is_${colorScheme}`, async () => {
    await using server = await serve();
    {
      await using first = await Person.comes(server.url, "ann", { colorScheme });
      await first.isThere();
    }
    promote(server, "ann");
    await using ann = await Person.open(server.url, { colorScheme });
    assert.deepEqual(await ann.barriers(), [], "the login");
    await ann.page.getByRole("button", { name: "Log in" }).click();
    assert.deepEqual(await ann.barriers(), [], "a login that is refused");
    await ann.logIn("ann");
    assert.deepEqual(await ann.barriers(), [], "an empty room");
    await using bob = await Person.comes(server.url, "bob", { colorScheme });
    await ann.says("Hello!");
    await bob.says("Hello!");
    await bob.page.locator("#text").pressSequentially("And");
    await ann.hears("ann: Hello!", "bob: Hello!");
    assert.deepEqual(await ann.barriers(), [], "a room where people talk");
    await ann.page.getByRole("button", { name: "Put out bob" }).click();
    assert.deepEqual(await ann.barriers(), [], "a question");
    await ann.page.getByRole("button", { name: "Cancel" }).click();
    await ann.writesTo("bob");
    await ann.says("Between us.");
    await ann.hears("ann: Between us.");
    assert.deepEqual(await ann.barriers(), [], "letters");
    await bob.page.setViewportSize({ width: 360, height: 700 });
    assert.deepEqual(await bob.barriers(), [], "a narrow window");
    const wide = () => bob.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
    await until("nothing is wider than the window", wide);
    await bob.page.locator(".count").click();
    assert.deepEqual(await bob.barriers(), [], "the people of a narrow window");
    await bob.page.getByRole("button", { name: "Close" }).click();
    await bob.page.getByRole("button", { name: "Rooms" }).click();
    assert.deepEqual(await bob.barriers(), [], "the places of a narrow window");
    await server.kill();
    await ann.isTold(/The connection is lost/);
    await ann.says("Waits");
    await ann.hears("ann: Between us.", "ann: Waits *");
    assert.deepEqual(await ann.barriers(), [], "without a connection");
  });
}
