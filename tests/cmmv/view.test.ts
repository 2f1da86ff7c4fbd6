// The published clients add, update, list and delete on the example `tasks`, as they are.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Program } from "../pages/program.ts";
import { type Message, Page, published } from "./page.ts";

const VERSIONS = [
  ["cmmv-view-0.5", "0.5.11"],
  ["cmmv-view-0.8", "0.8.32"],
] as const;

/** Where CMMV's own server has the script, and so where pages look for it. */
const SCRIPT = "core/contracts.min.js";

/** What `google.rpc.Code` has for it. */
const ALREADY_EXISTS = 6;
const NOT_FOUND = 5;

for (const [name, version] of VERSIONS) {
  describe(`@cmmv/view ${version}`, () => {
    const { version: installed, code } = published(name);
    let program: Program;
    let page: Page;

    /** A page that has connected and knows the contracts. */
    async function open(path = ""): Promise<Page> {
      const opened = new Page(program.url + path, code);
      const script = await fetch(program.url + SCRIPT);
      assert.match(script.headers.get("content-type") ?? "", /^text\/javascript/);
      opened.run(await script.text());
      await opened.opened();
      return opened;
    }

    /** Adds a task as pages do, by the function that the client has made of the message. */
    async function add(item: Message): Promise<Message> {
      const request = page.client["AddTaskRequest"] as (item: Message) => void;
      return await page.next("task", "AddTaskResponse", () => request(item));
    }

    async function list(): Promise<Message[]> {
      const answer = await page.next("task", "GetAllTaskResponse", () => {
        page.client.rpc.get("task", "GetAllTaskRequest");
      });
      return answer["items"].items.map((item: Message) => ({ ...item }));
    }

    before(async () => {
      program = await Program.start("tasks", (address) => ["--listen", address, "--memory"]);
      page = await open();
    });
    after(async () => {
      page?.[Symbol.dispose]();
      await program?.[Symbol.asyncDispose]();
    });

    test("is the version that it is said to be, and finds nothing wrong with what is announced", () => {
      assert.equal(installed, version);
      assert.deepEqual(page.errors, []);
    });

    test("adds, updates, lists and deletes a task", async () => {
      assert.deepEqual(await list(), []);
      // The function that the client makes of the message to list sends nothing: `rpc.get` lists.
      const sent = page.sent.length;
      (page.client["GetAllTaskRequest"] as () => void)();
      assert.equal(page.sent.length, sent);
      const added = await add({ label: "Buy milk", checked: false });
      assert.equal(typeof added["id"], "string");
      assert.deepEqual({ ...added["item"] }, { label: "Buy milk", checked: false, removed: false });
      // What was captured of it.
      assert.ok(page.sent.includes("080010081a00"), "the list");
      assert.ok(page.sent.includes("080010021a0e0a0c0a08427579206d696c6b1000"), "the task");

      const updated = await page.next("task", "UpdateTaskResponse", () => {
        page.client.rpc.update("task", "UpdateTaskRequest", { ...added["item"], id: added["id"], checked: true });
      });
      assert.equal(updated["id"], added["id"]);
      assert.deepEqual({ ...updated["item"] }, { label: "Buy milk", checked: true, removed: false });
      assert.deepEqual(await list(), [{ label: "Buy milk", checked: true, removed: false }]);

      const remove = page.client["DeleteTaskRequest"] as (id: string) => void;
      const deleted = await page.next("task", "DeleteTaskResponse", () => remove(added["id"]));
      assert.deepEqual({ ...deleted }, { success: true, affected: 1, id: added["id"] });
      assert.deepEqual(await list(), []);
      assert.deepEqual(page.errors, []);
    });

    test("is told what went wrong", async () => {
      await add({ label: "Twice" });
      const twice = await page.next("wserror", "WsError", () => {
        page.client.rpc.add("task", "AddTaskRequest", { label: "Twice" });
      });
      assert.equal(twice["code"], ALREADY_EXISTS);
      assert.equal(twice["context"], "AddTaskRequest");
      assert.equal(twice["message"], "label: another task has it already");

      const nobody = await page.next("wserror", "WsError", () => {
        page.client.rpc.update("task", "UpdateTaskRequest", { id: "nobody", label: "Nothing" });
      });
      assert.equal(nobody["code"], NOT_FOUND);
      assert.deepEqual(page.errors, []);
    });

    test("connects from whatever path its page has", async () => {
      using elsewhere = await open("deep/in/the/site.html?with=query");
      const answer = await elsewhere.next("task", "GetAllTaskResponse", () => {
        elsewhere.client.rpc.get("task", "GetAllTaskRequest");
      });
      assert.ok(answer["items"]);
      assert.deepEqual(elsewhere.errors, []);
    });

    test("comes back to a server that was restarted", async () => {
      const closed = page.closed();
      await program.kill("SIGTERM");
      await closed;
      await program.restart();
      // What it wants to do in ten seconds.
      page.later.splice(0).forEach((connect) => {
        connect();
      });
      await page.opened();
      const added = await add({ label: "After all" });
      assert.equal(added["item"].label, "After all");
    });
  });
}
