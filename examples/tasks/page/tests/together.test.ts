// Several windows of one list, and what keeps them from each other: what one does the others show, and nothing is lost or doubled when
// the server is killed or the network is cut.

import assert from "node:assert/strict";
import { after } from "node:test";
import { Network } from "../../../../tests/pages/network.js";
import { becomes, close, test, until } from "../../../../tests/pages/window.js";
import { callsOf, serve } from "./support/server.js";
import { Window } from "./support/window.js";

after(close);

test("what_is_done_in_one_window_is_seen_in_all", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  await using bob = await Window.open(server.url);
  await ann.add("Buy milk");
  await ann.add("Buy bread");
  await bob.tasksAre("Buy milk", "Buy bread");
  await bob.check("Buy milk");
  await ann.tasksAre("x Buy milk", "Buy bread");
  await ann.rename("Buy bread", "Bake bread");
  await bob.tasksAre("x Buy milk", "Bake bread");
  await bob.remove("Buy milk");
  await ann.tasksAre("Bake bread");
  await bob.page.getByRole("button", { name: "Put it back" }).click();
  for (const window of [ann, bob]) {
    await window.tasksAre("Bake bread", "x Buy milk");
    await window.isSaved();
  }
  await until("others are told", async () =>
    ((await ann.page.locator("#announce").textContent()) ?? "").includes("“Buy milk” was removed, elsewhere."),
  );
});

test("changes_that_were_on_their_way_when_the_server_was_killed_are_made_once", async () => {
  await using server = await serve();
  await using network = await Network.to(server.port);
  await using ann = await Window.open(network.url);
  await using bob = await Window.open(server.url);
  const labels = Array.from({ length: 40 }, (_, index) => `Task ${index}`);
  for (const label of labels.slice(0, 4)) await ann.add(label);
  await ann.isSaved();
  await bob.isSaved();
  // All others at once. The server is killed in the middle of them: it has done the first of them, and nobody knows.
  network.mute();
  await ann.page.locator("#new-task").evaluate((field, all) => {
    const { form } = field as HTMLInputElement;
    for (const label of all) {
      (field as HTMLInputElement).value = label;
      form?.requestSubmit();
    }
  }, labels.slice(4));
  await bob.tasksAre(...labels.slice(0, 5));
  await server.kill();
  network.cut();
  await ann.statusIs("Reconnecting");
  await bob.statusIs("Reconnecting");
  await becomes(() => ann.tasks(), labels, "what was done is seen, saved or not");
  await becomes(() => ann.unsaved(), 36);
  // Goes on without a server: also with what is not known to be there.
  await ann.check("Task 1");
  await ann.rename("Task 39", "The last");
  await bob.remove("Task 0");
  await server.restart();
  network.restore();
  for (const window of [ann, bob]) await window.tryNow();
  for (const window of [ann, bob]) await window.isSaved();
  const wanted = [...labels.slice(1, 39), "The last"].map((label) => (label === "Task 1" ? "x Task 1" : label));
  await ann.tasksAre(...wanted);
  await bob.tasksAre(...wanted);
  await using fresh = await Window.open(server.url);
  await fresh.tasksAre(...wanted);
  assert.deepEqual(await ann.notices(), [], "nobody is bothered with it");
});

test("a_change_whose_answer_was_lost_is_not_made_again", async () => {
  await using server = await serve();
  await using network = await Network.to(server.port);
  await using ann = await Window.open(network.url);
  await using bob = await Window.open(server.url);
  await ann.isSaved();
  // The connection is lost when the server has done it and nobody knows: the list is recovered, change by change.
  const lose = async (change: () => Promise<void>, ...tasks: string[]) => {
    network.mute();
    await change();
    await bob.tasksAre(...tasks);
    await becomes(() => ann.unsaved(), 1);
    network.cut();
    network.restore();
    await ann.tryNow();
    await ann.isSaved();
    await ann.tasksAre(...tasks);
  };
  await lose(() => ann.add("Buy milk"), "Buy milk");
  await lose(() => ann.check("Buy milk"), "x Buy milk");
  await lose(() => ann.rename("Buy milk", "Buy bread"), "x Buy bread");
  await lose(() => ann.remove("Buy bread"));
  await becomes(() => callsOf(server), ["AddTask OK 1", "DeleteTask OK 1", "UpdateTask OK 2"]);
  // The server forgets what it has told: the list is given anew.
  network.mute();
  await ann.add("Buy salt");
  await bob.tasksAre("Buy salt");
  await server.kill();
  await server.restart();
  network.cut();
  network.restore();
  for (const window of [ann, bob]) {
    await window.tryNow();
    await window.isSaved();
    await window.tasksAre("Buy salt");
  }
  assert.deepEqual(await callsOf(server), []);
  assert.deepEqual(await ann.notices(), []);
});

test("a_window_whose_network_was_cut_catches_up_and_sends_what_was_done_in_it", async () => {
  await using server = await serve();
  await using network = await Network.to(server.port);
  await using ann = await Window.open(network.url);
  await using bob = await Window.open(server.url);
  await ann.add("Buy milk");
  await ann.isSaved();
  await bob.tasksAre("Buy milk");
  network.cut();
  await ann.statusIs("Reconnecting");
  await until("the page says when it tries again", async () =>
    /^Next try in (a second|\d+ seconds)\.$/.test(
      (await ann.page.locator("#connection-countdown").textContent()) ?? "",
    ),
  );
  await ann.add("Ann's, offline");
  await ann.check("Buy milk");
  await becomes(() => ann.unsaved(), 2);
  await bob.add("Bob's, meanwhile");
  await bob.rename("Buy milk", "Buy oat milk");
  await bob.isSaved();
  await until("it has tried again in vain", () => network.refused > 0);
  network.restore();
  for (const window of [ann, bob]) {
    await window.tasksAre("x Buy oat milk", "Bob's, meanwhile", "Ann's, offline");
    await window.isSaved();
  }
  await until("it is said", async () =>
    ((await ann.page.locator("#announce").textContent()) ?? "").includes("Connected again."),
  );
});

test("a_browser_that_is_offline_says_so_and_goes_on_when_it_is_back", async () => {
  await using server = await serve();
  await using network = await Network.to(server.port);
  await using ann = await Window.open(network.url);
  await ann.add("Buy milk");
  await ann.isSaved();
  await ann.page.context().setOffline(true);
  network.cut();
  await ann.statusIs("Offline");
  await ann.add("Buy bread");
  await becomes(() => ann.unsaved(), 1);
  network.restore();
  await ann.page.context().setOffline(false);
  await ann.isSaved();
  await ann.tasksAre("Buy milk", "Buy bread");
});

test("a_task_that_goes_while_it_is_renamed_leaves_what_was_typed", async () => {
  await using server = await serve();
  await using ann = await Window.open(server.url);
  await using bob = await Window.open(server.url);
  await ann.add("Buy milk");
  await bob.tasksAre("Buy milk");
  await ann.row("Buy milk").locator(".rename").click();
  await ann.page.locator(".edit .field").fill("Buy oat milk");
  await bob.remove("Buy milk");
  await ann.noticeIs(/Buy milk.*was removed while you were renaming it to .*Buy oat milk/);
  await ann.page.getByRole("button", { name: "Add it anew" }).click();
  await becomes(() => ann.page.locator("#new-task").inputValue(), "Buy oat milk");
  await ann.page.keyboard.press("Enter");
  await bob.tasksAre("Buy oat milk");
});
