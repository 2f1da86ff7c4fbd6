// What the explorer tells of a server to who reads: the list, the overview, services, methods with their types, docs and rules.

import assert from "node:assert/strict";
import { after } from "node:test";
import { becomes, close, test } from "../../../tests/pages/window.js";
import { FormWindow } from "./form/window.js";
import { Explorer } from "./support/explorer.js";
import { tasks } from "./support/servers.js";

const server = await tasks();

after(async () => {
  await close();
  await server[Symbol.asyncDispose]();
});

test("the_list_has_packages_with_their_methods_channels_and_events", async () => {
  await using explorer = await Explorer.open(server.url);
  await explorer.shows("What this server serves");
  const list = explorer.page.getByRole("navigation", { name: "What there is" });
  let titles: string[] = [];
  const last = async () => {
    titles = await list.getByRole("heading", { level: 2 }).allTextContents();
    return titles.at(-1);
  };
  await becomes(last, "rpc.session.v1", "the framework's own are the last");
  for (const title of ["task", "auth", "Channels", "Events"]) assert.ok(titles.includes(title), titles.join());
  const group = (name: string) => list.getByRole("group", { name, exact: true });
  await becomes(
    () => group("task").locator(".nav-leaf .nav-name").allTextContents(),
    ["AddTask", "UpdateTask", "DeleteTask", "GetAllTask"],
  );
  await becomes(() => group("Channels").getByRole("link").allTextContents(), ["tasks:{list}"]);
  assert.ok((await group("Events").getByRole("link").allTextContents()).includes("task.TaskChanged"));
  await group("Events").getByRole("link", { name: "task.TaskChanged", exact: true }).click();
  await explorer.shows("TaskChanged");
});

test("the_overview_leads_to_services_and_these_to_their_methods", async () => {
  await using explorer = await Explorer.open(server.url);
  const main = explorer.page.getByRole("main");
  await main.getByRole("link", { name: /^task\.TaskService.*4 methods$/ }).click();
  await explorer.shows("TaskService");
  const line = main.getByRole("listitem").filter({ has: explorer.page.getByRole("link", { name: "AddTask" }) });
  await line.getByText("unary", { exact: true }).waitFor();
  await line.getByRole("paragraph").filter({ hasText: /\.$/ }).waitFor();
  await line.getByRole("link", { name: "AddTask" }).click();
  await explorer.shows("AddTask");
});

test("a_method_tells_what_it_takes_and_answers_with_docs_and_rules_and_types_have_pages", async () => {
  await using explorer = await Explorer.open(server.url, "#/task.TaskService/AddTask");
  await explorer.shows("AddTask");
  const types = explorer.page.getByRole("region", { name: "Types" });
  for (const heading of ["What it takes", "What it answers"])
    await types.getByRole("heading", { level: 2, name: heading, exact: true }).waitFor();
  const label = types.getByRole("row").filter({ has: explorer.page.getByRole("cell", { name: "label", exact: true }) });
  await label
    .first()
    .getByText(/ characters/)
    .waitFor();
  await explorer.go("#/type/task.TaskChanged");
  await explorer.shows("TaskChanged");
  await explorer.page.getByText("Published in").getByRole("link", { name: "tasks:{list}" }).click();
  await explorer.shows("tasks:{list}");
});

test("a_schema_says_what_is_deprecated_what_is_required_and_each_rule", async () => {
  await using window = await FormWindow.open("forms.Order");
  await window.schema("forms.Order");
  const rules = (field: string) =>
    window.page
      .locator("tr", { has: window.page.getByRole("cell", { name: field, exact: true }) })
      .first()
      .locator(".rules")
      .textContent();
  assert.equal(await rules("email"), "required · an email address");
  assert.equal(await rules("old_label"), "deprecated");
  assert.equal(await rules("tags"), "1 to 3 items · each: matching ^[a-z]+$");
  assert.equal(await rules("facts"), "at most 2 entries · keys: at most 5 characters");
});
