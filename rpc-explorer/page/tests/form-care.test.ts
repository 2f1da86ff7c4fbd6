// Forms for whoever fills them in: what is said at a field that cannot be sent or that the server will refuse, keys, and help.

import assert from "node:assert/strict";
import { after } from "node:test";
import type { Locator } from "playwright-core";
import { close, test } from "../../../tests/pages/window.js";
import { fillIn, partOf } from "./form/person.js";
import { FormWindow } from "./form/window.js";

after(close);

/** What assistive technology says of a control beside its name. */
function described(control: Locator): Promise<string> {
  return control.evaluate((control) =>
    (control.getAttribute("aria-describedby") ?? "")
      .split(" ")
      .map((id) => document.getElementById(id))
      .filter((part) => part && !part.hidden)
      .map((part) => part?.textContent)
      .join(" "),
  );
}

/** Which control has the focus: its id. */
function focused(window: FormWindow): Promise<string> {
  return window.page.evaluate(() => document.activeElement?.id ?? "");
}

test("docs_and_rules_stand_at_each_field_and_are_said_with_its_control", async () => {
  await using window = await FormWindow.open("forms.Order");
  assert.equal(
    await described(window.control("email")),
    "Who wants it.A second paragraph, with code and <b>no markup</b>. an email address",
  );
  assert.equal(await window.control("email").getAttribute("aria-required"), "true");
  assert.equal(await window.whole.locator("b").count(), 0);
  assert.equal(await described(window.control("amount")), "How many. from 1 to 100");
  const of = (name: string) => partOf(window.whole.locator(":scope > .mf-message"), name);
  assert.equal(await of("tags").locator(":scope > .mf-rules").textContent(), "1 to 3 items; each: matching ^[a-z]+$");
  assert.equal(
    await of("facts").locator(":scope > .mf-rules").textContent(),
    "at most 2 entries; keys: at most 5 characters",
  );
  assert.equal(await of("old_label").getByText("deprecated", { exact: true }).isVisible(), true);
  assert.equal(await of("email").getByText("required", { exact: true }).isVisible(), true);
  assert.equal(await of("color").getByText("required", { exact: true }).count(), 0);
  await window.control("color").selectOption("COLOR_RED");
  assert.equal(await described(window.control("color")), "How it looks. Like fire.");
});

test("what_breaks_a_rule_is_noted_at_its_field_and_is_sent_all_the_same_the_server_decides", async () => {
  await using window = await FormWindow.open("forms.Order");
  const broken = {
    email: "anna@",
    label: "x".repeat(81),
    amount: 101,
    tags: ["ok", "Not"],
    facts: { a: "1", toolong: "2", c: "3" },
    at: "2026-01-31T13:45:00Z",
    card: "1",
    note: "none",
    key: "AQID",
    rate: 1,
  };
  await fillIn(window, broken);
  assert.deepEqual(await window.message(), { ...broken, shipping: { box: {} } });
  const notes = await window.whole.locator(".mf-note:visible").allTextContents();
  assert.deepEqual(notes, [
    "The rule is: an email address.",
    "The rule is: 1 to 80 characters.",
    "The rule is: from 1 to 100.",
    "The rule is: matching ^[a-z]+$.",
    "The rule is: at most 5 characters.",
    "The rule is: at most 2 entries.",
    "The rule is: exactly 16 characters.",
    "The rule is: a UUID.",
    "The rule is: exactly 4 bytes.",
    "The rule is: more than 0 and less than 1.",
  ]);
  assert.match(await described(window.control("amount")), /The rule is: from 1 to 100\.$/);
  await window.control("amount").fill("100");
  assert.doesNotMatch(await described(window.control("amount")), /The rule is/);
});

test("what_the_server_wants_to_be_filled_in_is_noted_when_somebody_sends", async () => {
  await using window = await FormWindow.open("forms.Order");
  assert.deepEqual(await window.whole.locator(".mf-note:visible").allTextContents(), []);
  assert.deepEqual(await window.message(), { shipping: { box: {} } });
  assert.deepEqual(await window.whole.locator(".mf-note:visible").allTextContents(), [
    "The server wants this to be filled in.",
    "The rule is: 1 to 80 characters.",
    "The rule is: from 1 to 100.",
    "The rule is: 1 to 3 items.",
    "The server wants this to be set.",
    "The server wants one of these to be chosen.",
    "The rule is: exactly 4 bytes.",
    "The rule is: more than 0 and less than 1.",
  ]);
});

test("what_cannot_be_sent_is_told_at_its_field_with_what_to_write_and_stays_as_it_was_typed", async () => {
  await using window = await FormWindow.open("kitchen.Scalars");
  const wrong = {
    double: ["1,5", "Write a number such as -1.5 or 2e10, or NaN, Infinity or -Infinity."],
    int32: ["2147483648", "Write a whole number from -2147483648 to 2147483647."],
    uint64: ["18446744073709551616", "Write a whole number from 0 to 18446744073709551615."],
    bytes: [
      "A",
      "Write base64: letters, digits, + and /, four for each three bytes, such as AQID for the bytes 1, 2 and 3.",
    ],
  } as const;
  for (const [name, [typed, sentence]] of Object.entries(wrong)) {
    const control = window.control(name);
    await control.fill(typed);
    assert.equal(await control.getAttribute("aria-invalid"), null, "nobody is told before they are done");
    await control.blur();
    assert.equal(await control.getAttribute("aria-invalid"), "true", name);
    assert.ok((await described(control)).endsWith(sentence), name);
  }
  const problems = await window.problems();
  assert.deepEqual(
    problems,
    Object.entries(wrong).map(([path, [, text]]) => ({ path, text })),
  );
  assert.equal(await focused(window), await window.control("double").getAttribute("id"));
  const json = await window.json();
  for (const [name, [typed]] of Object.entries(wrong)) {
    assert.equal(JSON.parse(json)[name], typed);
    assert.equal(await window.control(name).inputValue(), typed);
  }
  const told = await window.fill(json);
  assert.deepEqual(
    told.map(({ path }) => path),
    problems.map(({ path }) => path),
  );
  assert.match(told[0]?.text ?? "", /^Line 2, column 13: Write a number such as/);
  assert.equal(await window.json(), json);
  await window.control("double").fill("1.5");
  assert.equal(await window.control("double").getAttribute("aria-invalid"), null, "it is taken back at once");
});

test("what_is_said_at_a_field_that_somebody_leaves_with_a_click_does_not_move_what_is_clicked", async () => {
  await using window = await FormWindow.open("kitchen.Lists");
  const add = window.whole.getByRole("button", { name: "Add item to int32", exact: true });
  await add.click();
  await window.control("int32 1").fill("x");
  await add.click();
  await window.control("int32 1").and(window.whole.locator("[aria-invalid=true]")).waitFor();
  assert.deepEqual(JSON.parse(await window.json()), { int32: ["x", 0] });
});

test("what_is_wrong_in_something_that_is_folded_up_is_opened_and_gets_the_focus", async () => {
  await using window = await FormWindow.open("kitchen.Node");
  await fillIn(window, { left: { children: [{ name: "a" }, { weight: 3 }] } });
  const weight = window.group("children 2").getByLabel("weight", { exact: true });
  await weight.fill("-1");
  for (const name of ["children 2", "children", "left"]) {
    await window.whole.getByRole("button", { name, exact: true, expanded: true }).first().click();
  }
  assert.equal(await weight.isVisible(), false);
  assert.match(await window.group("left").first().innerText(), /"weight": "-1"/);
  assert.deepEqual(await window.problems(), [
    { path: "left.children[1].weight", text: "Write a whole number from 0 to 4294967295." },
  ]);
  assert.equal(await weight.isVisible(), true);
  assert.equal(await focused(window), await weight.getAttribute("id"));
});

test("a_key_of_a_map_stands_once_and_the_second_one_says_so", async () => {
  await using window = await FormWindow.open("kitchen.Maps");
  await fillIn(window, { string: { a: "1", b: "2" } });
  await window.control("string key 2").fill("a");
  await window.control("string value 1").focus();
  assert.deepEqual(await window.problems(), [
    { path: 'string["a"]', text: "The key “a” stands here already: write another." },
  ]);
  assert.match(await described(window.control("string key 2")), /The key “a” stands here already/);
  assert.equal(await focused(window), await window.control("string key 2").getAttribute("id"));
  await window.control("string key 2").fill("c");
  assert.deepEqual(await window.message(), { string: { a: "1", c: "2" } });
  assert.equal((await window.fill({ node: { x: {} } })).length, 1);
  assert.deepEqual(await window.problems(), [
    { path: "node key", text: "Write a whole number from 0 to 18446744073709551615." },
  ]);
});

test("json_that_does_not_fit_is_told_with_its_place_and_the_rest_is_filled_in", async () => {
  await using window = await FormWindow.open("kitchen.Choice");
  const told = async (source: string) => (await window.fill(source)).map(({ text }) => text);
  assert.deepEqual(await told('{"text": "a"}'), []);
  assert.deepEqual(await told('{"text": '), ["Line 1, column 10: The text ends where a value is missing."]);
  assert.deepEqual(await window.message(), { text: "a" }, "what is no JSON changes nothing");
  assert.deepEqual(await told('{\n  "flag": true,\n  "text": "b"\n}'), [
    "Line 3, column 3: text and flag are of the same oneof kind: keep one of them.",
  ]);
  assert.deepEqual(await window.message(), { flag: true });
  const [unknown, ...more] = await told('{"node": {"nme": "n", "weight": 3}}');
  assert.equal(unknown, "Line 1, column 11: Node has no field “nme”. It has name, left, right, children, weight.");
  assert.deepEqual(more, []);
  assert.deepEqual(await window.message(), { node: { weight: 3 } });
  assert.deepEqual(await told('{"node": [1]}'), [
    "Line 1, column 10: Write an object with the fields of Node here, not a list.",
  ]);
  assert.deepEqual(await told("{}"), []);
  assert.equal(await window.hex(), "");
});

test("what_was_filled_in_comes_back_when_a_field_is_set_again_or_chosen_again", async () => {
  await using window = await FormWindow.open("kitchen.Choice");
  const kind = partOf(window.whole.locator(":scope > .mf-message"), "kind");
  const choose = (name: string) => kind.getByRole("radio", { name, exact: true }).check({ force: true });
  await fillIn(window, { text: "kept" });
  await choose("number");
  assert.deepEqual(await window.message(), { number: "0" });
  await choose("not set");
  assert.deepEqual(await window.message(), {});
  await choose("text");
  assert.deepEqual(await window.message(), { text: "kept" });
  await window.show("kitchen.Optionals");
  await window.set("string");
  await window.control("string").fill("kept");
  await window.page.getByLabel("string is set", { exact: true }).uncheck();
  assert.equal(await window.hex(), "");
  await window.set("string");
  assert.equal(await window.control("string").inputValue(), "kept");
});

test("rows_are_added_moved_and_taken_away_with_keys_alone_and_what_has_happened_is_said", async () => {
  await using window = await FormWindow.open("kitchen.Lists");
  const { keyboard } = window.page;
  const said = () => window.whole.locator("[aria-live=polite]").textContent();
  const list = async () => JSON.parse(await window.json()).string;
  await window.whole.getByRole("button", { name: "Add item to string", exact: true }).focus();
  await keyboard.press("Enter");
  await keyboard.type("one");
  for (const word of ["two", "three"]) {
    await window.whole.getByRole("button", { name: "Add item to string", exact: true }).focus();
    await keyboard.press("Space");
    await keyboard.type(word);
  }
  assert.deepEqual(await list(), ["one", "two", "three"]);
  await keyboard.press("Alt+ArrowUp");
  assert.deepEqual(await list(), ["one", "three", "two"]);
  assert.equal(await said(), "It is item 2 of 3 now.");
  await keyboard.type("!");
  assert.deepEqual(await list(), ["one", "three!", "two"], "the focus went with it");
  await keyboard.press("Alt+ArrowUp");
  await keyboard.press("Alt+ArrowUp");
  assert.deepEqual(await list(), ["three!", "one", "two"], "the first goes no further");
  await window.whole.getByRole("button", { name: "Remove: item 2 of string", exact: true }).focus();
  await keyboard.press("Enter");
  assert.deepEqual(await list(), ["three!", "two"]);
  assert.equal(await said(), "item 2 of string is removed.");
  const focus = () => window.page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
  assert.equal(await focus(), "Remove: item 2 of string");
  await keyboard.press("Enter");
  assert.equal(await focus(), "Remove: item 1 of string");
  await keyboard.press("Enter");
  assert.equal(await window.hex(), "");
  assert.equal(await window.page.evaluate(() => document.activeElement?.textContent), "Add item to string");
});

test("a_form_is_filled_in_with_the_tab_key_from_its_first_field_to_its_last", async () => {
  await using window = await FormWindow.open("forms.Shipping");
  const { keyboard } = window.page;
  await window.page.locator("h1").click();
  const seen: string[] = [];
  for (;;) {
    await keyboard.press("Tab");
    const name = await window.page.evaluate(() => {
      const { activeElement: active } = document;
      const label = (active as HTMLInputElement | null)?.labels?.[0];
      return label?.textContent || active?.getAttribute("aria-label") || active?.textContent || "";
    });
    if (name === "Send") break;
    seen.push(name);
    if (name === "address") await keyboard.type("Street 1");
    if (name === "label") await keyboard.type("B");
    assert.ok(seen.length < 20, seen.join(", "));
  }
  assert.deepEqual(seen, ["address", "Several lines", "box", "box is set", "label", "Several lines", "inside is set"]);
  assert.deepEqual(await window.message(), { address: "Street 1", box: { label: "B" } });
});

test("a_list_takes_no_more_rows_than_a_form_holds_and_says_so", async () => {
  await using window = await FormWindow.open("kitchen.Lists");
  const told = await window.fill({ bool: Array.from({ length: 501 }, () => true) });
  assert.deepEqual(
    told.map(({ text }) => text.replace(/^Line 1, column \d+: /, "")),
    ["A form holds at most 500 items of a list: leave out the rest."],
  );
  assert.equal(JSON.parse(await window.json()).bool.length, 500);
  const add = window.whole.getByRole("button", { name: "Add item to bool", exact: true });
  assert.equal(await add.getAttribute("aria-disabled"), "true");
});

const FULL = {
  "forms.Order": {
    email: "anna@",
    tags: ["A"],
    facts: { toolong: "1" },
    shipping: {},
    at: "never",
    cash: {},
    note: "n",
  },
  "kitchen.WellKnown": {
    timestamp: "",
    any: { "@type": "x/kitchen.Node", left: {} },
    free: {},
    list: [],
    many: [""],
    byName: { a: "1" },
  },
  "kitchen.SortedMaps": {
    int32: { a: 1 },
    bool: { true: 1 },
    bytes: { a: "A" },
    open: { "1": 77 },
    node: { a: {} },
    choice: { "1": {} },
  },
  "kitchen.Lists": { bool: [true], bytes: ["AQ=="], open: [5], node: [{}, {}, {}, {}], choice: [{ at: "x" }] },
};

for (const [mode, options] of Object.entries({
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  narrow: { viewport: { width: 320, height: 640 } },
} as const)) {
  test(`axe_finds_nothing_and_nothing_is_cut_off_${mode}`, async () => {
    await using window = await FormWindow.open("forms.Order", options);
    for (const [name, json] of Object.entries(FULL)) {
      await window.show(name);
      assert.deepEqual(await window.barriers("any"), [], `${name}, empty`);
      await window.fill(json);
      await window.read();
      assert.deepEqual(await window.barriers("any"), [], name);
      const { scrolled, wide } = await window.page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return { scrolled: scrollWidth, wide: clientWidth };
      });
      assert.ok(scrolled <= wide, `${name} is ${scrolled} wide where there is room for ${wide}`);
    }
  });
}
