// People in rooms, each with a window of their own: what one does the others see.

import assert from "node:assert/strict";
import { after } from "node:test";
import { Network } from "../../../../tests/pages/network.js";
import { becomes, close, test, until } from "../../../../tests/pages/window.js";
import { Person, promote, serve } from "./support/person.js";

after(close);

test("what_one_says_the_others_hear_and_who_comes_and_goes_is_seen", async () => {
  await using server = await serve();
  await using ann = await Person.comes(server.url, "ann");
  {
    await using bob = await Person.comes(server.url, "bob");
    await ann.remarks(/bob came in/);
    await ann.says("Hello, bob!");
    await bob.hears("ann: Hello, bob!");
    await bob.says("Hello, ann!");
    for (const person of [ann, bob]) await person.hears("ann: Hello, bob!", "bob: Hello, ann!");
    await becomes(() => ann.page.locator(".persons b").allInnerTexts(), ["ann", "bob"]);
  }
  await ann.remarks(/bob went away/);
  await until("nobody else is there", async () => (await ann.page.locator(".persons b").count()) === 1);
});

test("that_somebody_is_writing_is_seen_until_they_have_said_it", async () => {
  await using server = await serve();
  await using ann = await Person.comes(server.url, "ann");
  await using bob = await Person.comes(server.url, "bob");
  const typing = ann.page.locator(".typing");
  // What is typed before the page may publish is not told: the next letter is.
  let typed = "";
  await until("bob is writing", async () => {
    typed += "w";
    await bob.page.locator("#text").press("w");
    return (await typing.innerText()) === "bob is writing…";
  });
  assert.equal(await bob.page.locator(".typing").innerText(), "", "one does not see oneself");
  await bob.page.locator("#text").press("Enter");
  await ann.hears(`bob: ${typed}`);
  await until("nobody is writing", async () => (await typing.innerText()) === "");
});

/** Somebody says so much that it is read in three parts; gives it as it is shown. */
async function saysMuch(person: Person, name: string): Promise<string[]> {
  const all = Array.from({ length: 90 }, (_, number) => `${name}: ${number}`);
  for (const line of all) await person.says(line.slice(name.length + 2));
  await person.hears(...all);
  return all;
}

test("what_was_said_before_is_read_while_one_scrolls_to_it", async () => {
  await using server = await serve("--history", "200");
  await using ann = await Person.comes(server.url, "ann");
  const all = await saysMuch(ann, "ann");
  await using bob = await Person.comes(server.url, "bob");
  await bob.page.getByText("89", { exact: true }).waitFor();
  assert.ok((await bob.said()).length < 90, "not all of it at once");
  const scroll = bob.page.locator(".scroll");
  await until("everything was read", async () => {
    await scroll.evaluate((element) => element.scrollTo(0, 0));
    return (await bob.said()).length === 90;
  });
  await bob.hears(...all);
  // Where one reads one stays, though somebody says something.
  await scroll.evaluate((element) => element.scrollTo(0, 200));
  await ann.says("News");
  const news = bob.page.getByRole("button", { name: "1 new message" });
  await news.click();
  await bob.page.getByText("News", { exact: true }).waitFor();
  await until("one is at the end", () => scroll.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight < 80));
});

test("what_was_said_before_is_read_on_where_its_beginning_stays_in_sight", async () => {
  await using server = await serve("--history", "200");
  await using ann = await Person.comes(server.url, "ann");
  const all = await saysMuch(ann, "ann");
  // A window that shows more than what is read at once.
  await using eve = await Person.comes(server.url, "eve", { viewport: { width: 800, height: 6_000 } });
  await eve.hears(...all);
  // Somebody who is at the top again before the first frame with what was read.
  await using bob = await Person.comes(server.url, "bob");
  await bob.page.getByText("89", { exact: true }).waitFor();
  await bob.page.locator(".scroll").evaluate((scroll) => {
    const toTop = () => scroll.scrollTo(0, 0);
    new MutationObserver(toTop).observe(scroll.querySelector(".lines") as Element, { childList: true });
    toTop();
  });
  await bob.hears(...all);
});

test("who_scrolls_back_stays_there_however_soon_something_is_said", async () => {
  await using server = await serve("--history", "200");
  await using network = await Network.to(server.port);
  await using ann = await Person.comes(server.url, "ann");
  const all = await saysMuch(ann, "ann");
  await using bob = await Person.comes(network.url, "bob");
  await bob.page.getByText("89", { exact: true }).waitFor();
  // Both come at once, and between them bob scrolls: the second is drawn before that is told.
  network.mute();
  for (const text of ["One", "Two"]) await ann.says(text);
  await ann.hears(...all, "ann: One", "ann: Two");
  await bob.page.locator(".scroll").evaluate((scroll) => {
    const scrolls = new MutationObserver(() => {
      scrolls.disconnect();
      scroll.scrollTo(0, 600);
    });
    scrolls.observe(scroll.querySelector(".lines") as Element, { childList: true });
  });
  network.restore();
  await bob.page.getByText("Two", { exact: true }).waitFor();
  await bob.page.getByRole("button", { name: /^(1 new message|To the latest)$/ }).waitFor();
  await becomes(() => bob.page.locator(".scroll").evaluate((scroll) => scroll.scrollTop), 600);
});

test("letters_are_for_two_and_are_read_by_who_comes_later", async () => {
  await using server = await serve();
  await using ann = await Person.comes(server.url, "ann");
  await using eve = await Person.comes(server.url, "eve");
  {
    await using bob = await Person.comes(server.url, "bob");
    await ann.writesTo("bob");
    await ann.says("Between us.");
    await ann.hears("ann: Between us.");
    await bob.page.locator(".places a", { hasText: "ann" }).getByText("1 new message").waitFor();
  }
  await ann.says("You are away.");
  await ann.page.getByText("waits until they come").waitFor();
  await using bob = await Person.open(server.url);
  await bob.logIn("bob");
  await bob.page.locator(".places a", { hasText: "ann" }).click();
  await bob.hears("ann: Between us.", "ann: You are away.");
  await bob.says("I am back.");
  await ann.hears("ann: Between us.", "ann: You are away.", "bob: I am back.");
  assert.equal(await eve.page.getByText("Between us.").count(), 0);
  assert.equal(await eve.page.locator("#alone-title").isVisible(), false);
});

test("what_is_new_where_one_does_not_look_is_counted", async () => {
  await using server = await serve();
  await using ann = await Person.comes(server.url, "ann");
  await using bob = await Person.comes(server.url, "bob");
  await bob.goes("garden");
  await ann.says("One");
  await ann.says("Two");
  await bob.page.locator(".places a", { hasText: "kitchen" }).getByText("2 new messages").waitFor();
  await until(
    "the title says so",
    async () => (await bob.page.title()) === "(2) garden – Chat",
    () => bob.page.title(),
  );
  await bob.goes("kitchen");
  await bob.hears("ann: One", "ann: Two");
  await until(
    "all is seen",
    async () => (await bob.page.title()) === "kitchen – Chat",
    () => bob.page.title(),
  );
});

test("an_administrator_puts_somebody_out_and_everybody_is_told_why", async () => {
  await using server = await serve();
  {
    await using first = await Person.comes(server.url, "ann");
    assert.equal(await first.page.getByText("administrator").count(), 0);
  }
  promote(server, "ann");
  await using ann = await Person.open(server.url);
  await ann.logIn("ann");
  await using bob = await Person.comes(server.url, "bob");
  await using eve = await Person.comes(server.url, "eve");
  assert.equal(await eve.page.getByRole("button", { name: /^Put / }).count(), 0, "who may not is not offered it");
  await ann.page.getByRole("button", { name: "Put out bob" }).click();
  await ann.page.getByLabel("Why; everybody in the room reads it").fill("too loud");
  await ann.page.getByRole("dialog").getByRole("button", { name: "Put out" }).click();
  await bob.page.getByText("You are not in kitchen: you were put out of kitchen by ann: too loud.").waitFor();
  await bob.page.getByRole("heading", { name: "You are in no room" }).waitFor();
  for (const other of [ann, eve]) await other.remarks(/bob was put out by ann: too loud/);
  // They are kept out, which is said once more: what was said first goes by itself, nobody knows when.
  await bob.page.locator(".toast button").evaluateAll((buttons) => {
    for (const button of buttons) (button as HTMLElement).click();
  });
  await bob.page.locator(".places a", { hasText: "kitchen" }).click();
  await bob.page.getByText(/You are not in kitchen/).waitFor();
  await bob.goes("garden");
});

test("it_is_used_by_keyboard_alone", async () => {
  await using server = await serve();
  await using ann = await Person.open(server.url);
  const { keyboard } = ann.page;
  const tabTo = async (name: string) => {
    const focused = () =>
      ann.page.evaluate(() => {
        const element = document.activeElement?.closest("a, button");
        return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
      });
    for (let tabs = 0; tabs < 30; tabs += 1) {
      await keyboard.press("Tab");
      if ((await focused()).includes(name)) return;
    }
    assert.fail(`${name} is not reached by Tab`);
  };
  await tabTo("I am new here");
  await keyboard.press("Enter");
  await keyboard.type("ann");
  await keyboard.press("Tab");
  await keyboard.type("open sesame");
  await keyboard.press("Enter");
  await ann.isThere();
  // Whoever comes in writes.
  await keyboard.type("Without a mouse");
  await keyboard.press("Shift+Enter");
  await keyboard.type("in two lines");
  await keyboard.press("Enter");
  await ann.hears("ann: Without a mouse\nin two lines");
  await tabTo("garden");
  await keyboard.press("Enter");
  await ann.page.getByRole("heading", { level: 1, name: "garden" }).waitFor();
  await tabTo("Log out");
  await keyboard.press("Enter");
  await ann.page.getByRole("button", { name: "Log in" }).waitFor();
});
