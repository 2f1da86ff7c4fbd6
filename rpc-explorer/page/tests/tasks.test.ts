// The methods of tasks called through their forms on the real server, as nobody and as somebody; and its channel.

import assert from "node:assert/strict";
import { after } from "node:test";
import { becomes, close, test, until } from "../../../tests/pages/window.js";
import { Explorer } from "./support/explorer.js";
import { tasks } from "./support/servers.js";

const server = await tasks();

after(async () => {
  await close();
  await server[Symbol.asyncDispose]();
});

function open(at: string): Promise<Explorer> {
  return Explorer.open(server.url, at);
}

const TASKS = "#/task.TaskService/";
const AUTH = "?at=%2Fauth";

test("tasks_are_added_changed_listed_and_deleted_by_forms", async () => {
  await using explorer = await open(`${TASKS}AddTask`);
  await explorer.fill({ "item.label": "Buy <b>milk</b>" });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  const id = String((await explorer.received())[0]?.["id"]);

  await explorer.go(`${TASKS}UpdateTask`);
  await explorer.shows("UpdateTask");
  await explorer.fill({ id, "item.label": "Buy oat milk", "item.checked": true });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");

  await explorer.go(`${TASKS}GetAllTask`);
  await explorer.shows("GetAllTask");
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  const [all] = await explorer.received();
  const listed = ((all?.["items"] ?? []) as { id: string; label: string; checked: boolean }[]).find(
    (item) => item.id === id,
  );
  assert.deepEqual([listed?.label, listed?.checked], ["Buy oat milk", true]);

  await explorer.go(`${TASKS}DeleteTask`);
  await explorer.shows("DeleteTask");
  await explorer.fill({ id });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  assert.equal((await explorer.received())[0]?.["success"], true);
});

test("what_is_filled_in_and_what_was_answered_stays_while_one_looks_at_something_else", async () => {
  await using explorer = await open(`${TASKS}AddTask`);
  await explorer.fill({ "item.label": "Water the plants" });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  await explorer.page.getByRole("link", { name: "GetAllTask" }).click();
  await explorer.shows("GetAllTask");
  await explorer.answer.getByText("Nothing has been called yet.").waitFor();
  await explorer.page.goBack();
  await explorer.shows("AddTask");
  await explorer.outcomeIs("OK");
  await becomes(() => explorer.request.getByLabel("label", { exact: true }).inputValue(), "Water the plants");
});

test("one_registers_by_a_form_and_logs_in_with_the_token_that_is_answered", async () => {
  await using explorer = await open(`#/auth.AuthService/Register${AUTH}`);
  await explorer.fill({ name: "ann", password: "a long password" });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  await explorer.page.getByRole("button", { name: "Log in with this token" }).click();
  await explorer.answer.getByText("You are logged in at /auth and /rpc.").waitFor();
  const who = explorer.page.getByRole("banner").locator(".who-name");
  await who.locator("bdi").waitFor();

  await explorer.go(`#/auth.AuthService/WhoAmI${AUTH}`);
  await explorer.shows("WhoAmI");
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  assert.equal((await explorer.received())[0]?.["name"], "ann");

  // A reload keeps who one is; signing out ends it.
  await explorer.page.reload();
  await explorer.shows("WhoAmI");
  await who.locator("bdi").waitFor();
  await explorer.page.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
  await becomes(() => who.innerText(), "Anonymous");
  await explorer.request.getByText("This method is not for anonymous clients.").waitFor();
  await explorer.press("Call");
  await explorer.outcomeIs("UNAUTHENTICATED");
});

test("what_one_user_was_answered_is_gone_when_they_sign_out", async () => {
  await using explorer = await open(`#/auth.AuthService/Register${AUTH}`);
  await explorer.fill({ name: "bea", password: "a long password" });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  const token = String(JSON.parse(await explorer.answer.locator(".message.in .json").innerText()).token);
  assert.ok((await explorer.page.content()).includes(token));
  await explorer.page.getByRole("button", { name: "Log in with this token" }).click();
  await explorer.frames();
  await explorer.page.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
  await explorer.answer.getByText("Nothing has been called yet.").waitFor();
  await explorer.page.getByRole("button", { name: "Log in with this token" }).waitFor({ state: "detached" });
  // Nor does it come back with what is drawn a little later.
  await explorer.drawn();
  assert.ok(!(await explorer.page.content()).includes(token), "the token is nowhere in the page");
});

test("the_token_of_the_latest_answer_is_what_one_logs_in_with", async () => {
  await using explorer = await open(`#/auth.AuthService/Register${AUTH}`);
  for (const name of ["carl", "dana"]) {
    await explorer.fill({ name, password: "a long password" });
    await explorer.press("Call");
    await explorer.outcomeIs("OK");
  }
  await explorer.go(`#/auth.AuthService/Login${AUTH}`);
  await explorer.shows("Login");
  for (const name of ["carl", "dana"]) {
    await explorer.fill({ name, password: "a long password" });
    await explorer.press("Call");
    await explorer.outcomeIs("OK");
  }
  await explorer.page.getByRole("button", { name: "Log in with this token" }).click();
  await explorer.page.getByRole("banner").locator(".who-name bdi").waitFor();
  await explorer.go(`#/auth.AuthService/WhoAmI${AUTH}`);
  await explorer.shows("WhoAmI");
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  assert.equal((await explorer.received())[0]?.["name"], "dana");

  await explorer.go("#/auth.UsersService/ListUsers");
  await explorer.shows("ListUsers");
  await explorer.press("Call");
  await explorer.outcomeIs("PERMISSION_DENIED");
});

test("the_main_endpoint_is_the_only_one_that_is_connected_to_before_one_looks_at_another", async () => {
  await using explorer = await open("");
  await explorer.shows("What this server serves");
  const dialled: string[] = [];
  explorer.page.on("websocket", (socket) => dialled.push(new URL(socket.url()).pathname));
  await explorer.page.reload();
  await explorer.shows("What this server serves");
  await becomes(async () => dialled, ["/rpc"]);
  await explorer.page.getByLabel("Endpoint").selectOption("/auth");
  await explorer.page.getByRole("link", { name: "WhoAmI" }).waitFor();
  await becomes(async () => dialled, ["/rpc", "/auth"]);
});

/** Registers somebody by the form, and gives their token. */
async function registered(explorer: Explorer, name: string): Promise<string> {
  await explorer.go(`#/auth.AuthService/Register${AUTH}`);
  await explorer.shows("Register");
  await explorer.fill({ name, password: "a long password" });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  return String(JSON.parse(await explorer.answer.locator(".message.in .json").innerText()).token);
}

test("who_becomes_somebody_else_sees_nothing_that_the_one_before_was_answered", async () => {
  await using explorer = await open("");
  const [first, second] = [await registered(explorer, "eva"), await registered(explorer, "finn")];
  await explorer.logIn(first);
  const who = explorer.page.getByRole("banner").locator(".who-name bdi");
  await who.waitFor();
  const eva = await who.innerText();
  const asks = async (name: string) => {
    await explorer.press("Call");
    await explorer.outcomeIs("OK");
    assert.equal((await explorer.received())[0]?.["name"], name);
  };
  await explorer.go(`#/auth.AuthService/WhoAmI${AUTH}`);
  await explorer.shows("WhoAmI");
  await asks("eva");
  await explorer.logIn(second);
  await until("somebody else is named", async () => (await who.innerText()) !== eva);
  await explorer.answer.getByText("Nothing has been called yet.").waitFor();
  await asks("finn");
});

test("a_login_that_the_server_takes_later_than_one_waits_is_shown_when_it_does", async () => {
  await using explorer = await open("");
  const token = await registered(explorer, "gina");
  await explorer.go("#/");
  await explorer.shows("What this server serves");
  let isHeld = true;
  const release = await explorer.between(({ kind }) => (isHeld && kind.case === "identity" ? "hold" : undefined));
  await explorer.shows("What this server serves");
  await explorer.showsToken(token);
  await explorer.page.getByText(/^The server does not take it: the server does not answer/).waitFor();
  isHeld = false;
  release();
  await explorer.page.getByRole("banner").locator(".who-name bdi").waitFor();
  // It stays so over a reload: the token is kept.
  await explorer.page.reload();
  await explorer.page.getByRole("banner").locator(".who-name bdi").waitFor();
});

test("an_administrator_lists_users_and_sessions", async () => {
  await using explorer = await open("");
  const token = await registered(explorer, "root");
  server.run("user", "promote", "root", "--database", `${server.folder}/tasks.db`);
  await explorer.logIn(token);
  for (const [method, answer] of [
    ["auth.UsersService/ListUsers", /"name": "root"/],
    ["rpc.admin.v1.AdminService/ListSessions", /"clientId": "\w+/],
    ["rpc.session.v1.SessionService/Info", /"path": "\/rpc"/],
  ] as const) {
    await explorer.go(`#/${method}`);
    await explorer.shows(method.split("/")[1] ?? "");
    await explorer.press("Call");
    await explorer.outcomeIs("OK");
    await becomes(() => explorer.answer.locator(".message.in .json").innerText(), answer);
  }
});

test("a_token_that_the_server_does_not_know_is_refused_in_the_dialog_and_changes_nothing", async () => {
  await using explorer = await open("");
  await explorer.shows("What this server serves");
  await explorer.page.getByRole("banner").getByRole("button", { name: "Log in" }).click();
  const dialog = explorer.page.getByRole("dialog", { name: "Log in" });
  await dialog.getByLabel("Token").fill("nonsense");
  await dialog.getByRole("button", { name: "Log in", exact: true }).click();
  await dialog.getByText(/The server does not take it/).waitFor();
  await dialog.getByLabel("Token").and(explorer.page.locator("[aria-invalid=true]")).waitFor();
  await explorer.page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await becomes(() => explorer.page.getByRole("banner").locator(".who-name").innerText(), "Anonymous");
  assert.equal(
    await explorer.page.evaluate(() => Object.keys(sessionStorage).length),
    0,
    "no token that was refused is kept",
  );
});

test("a_token_that_is_pasted_as_soon_as_the_dialog_is_open_again_stays", async () => {
  await using explorer = await open("");
  await explorer.shows("What this server serves");
  await explorer.page.getByRole("banner").getByRole("button", { name: "Log in" }).click();
  await explorer.page.getByRole("dialog").getByLabel("Token").fill("the first");
  // In one turn, as quick keys do it: that the dialog was closed is told after that.
  await explorer.page.evaluate(() => {
    const dialog = document.querySelector("dialog") as HTMLDialogElement;
    dialog.addEventListener("close", () => setTimeout(() => dialog.classList.add("told")), { once: true });
    dialog.close();
    for (const one of document.querySelectorAll<HTMLElement>(".who button")) one.click();
    const token = dialog.querySelector("textarea") as HTMLTextAreaElement;
    token.value = "the second";
  });
  await explorer.page.locator("dialog.told").waitFor();
  await becomes(() => explorer.page.getByRole("dialog").getByLabel("Token").inputValue(), "the second");
});

test("a_method_that_is_guarded_says_so_and_is_refused", async () => {
  await using explorer = await open("#/rpc.admin.v1.AdminService/ListSessions");
  await explorer.shows("ListSessions");
  await explorer.page.locator(".page-head .chip", { hasText: "guard" }).waitFor();
  await explorer.press("Call");
  await explorer.outcomeIs("UNAUTHENTICATED", "PERMISSION_DENIED");
});
