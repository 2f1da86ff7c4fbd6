// What is sent, in which order, and what becomes of a change that fails: with calls that the test answers, and a clock that it turns.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Board, type Change, type Task } from "../src/model/board.js";
import { Outbox, type Verdict } from "../src/model/outbox.js";

/** A list whose calls the test answers. */
class World {
  readonly board = new Board();
  readonly outbox: Outbox;
  /** What was called, in words. */
  readonly calls: string[] = [];
  readonly said: string[] = [];
  /** Given with the last call. */
  signal: AbortSignal | undefined;
  #answers: { resolve: (id: string) => void; reject: (verdict: Verdict) => void }[] = [];
  #timers: { ms: number; then: () => void }[] = [];

  constructor(...tasks: Task[]) {
    this.board.snapshot(tasks);
    const call = (text: string) =>
      new Promise<string>((resolve, reject) => {
        this.calls.push(text);
        this.#answers.push({ resolve, reject });
      });
    this.outbox = new Outbox(this.board, {
      calls: {
        add: (label, _checked, signal) => {
          this.signal = signal;
          return call(`add ${label}`);
        },
        update: async ({ id, label, checked }) => void (await call(`update ${id} ${label} ${checked}`)),
        remove: async (id) => void (await call(`remove ${id}`)),
      },
      judge: (error) => error as Verdict,
      changed: () => {},
      refused: (change, label, error) => this.said.push(`${change.kind} ${label}: ${error ? "refused" : "gone"}`),
      asksToWait: (ms) => this.said.push(`wait ${ms}`),
      needsLogin: () => this.said.push("log in"),
      after: (ms, then) => {
        const timer = { ms, then };
        this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((other) => other !== timer);
        };
      },
    });
  }

  do(...changes: Change[]): void {
    for (const change of changes) this.outbox.make(change);
  }

  async answer(id = "1"): Promise<void> {
    this.#answers.shift()?.resolve(id);
    await settled();
  }

  async fail(verdict: Verdict): Promise<void> {
    this.#answers.shift()?.reject(verdict);
    await settled();
  }

  /** The wait that is running, in milliseconds. */
  get waits(): readonly number[] {
    return this.#timers.map(({ ms }) => ms);
  }

  /** The wait is over. */
  async passes(): Promise<void> {
    const [timer] = this.#timers.splice(0, 1);
    timer?.then();
    await settled();
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const milk: Task = { id: "m", label: "milk", checked: false };
const add = (label: string): Change => ({ kind: "add", key: `new ${label}`, label, checked: false });
const check: Change = { kind: "check", key: "m", checked: true };
const remove: Change = { kind: "remove", key: "m" };

test("changes_wait_for_a_live_list_and_go_out_one_by_one_in_order", async () => {
  const world = new World(milk);
  world.do(add("salt"), check);
  assert.deepEqual(world.calls, []);
  assert.equal(world.board.unsaved, 2);
  world.outbox.resume();
  assert.deepEqual(world.calls, ["add salt"]);
  await world.answer("s");
  assert.deepEqual(world.calls, ["add salt", "update m milk true"]);
  await world.answer();
  assert.equal(world.board.unsaved, 0);
});

test("a_change_whose_connection_was_lost_is_sent_again_when_the_list_is_live", async () => {
  const world = new World(milk);
  world.outbox.resume();
  world.do(check);
  world.outbox.pause();
  await world.fail({ kind: "again", unsure: true });
  assert.deepEqual([world.calls.length, world.waits.length], [1, 0]);
  world.outbox.resume();
  assert.deepEqual(world.calls, ["update m milk true", "update m milk true"]);
});

test("one_that_was_heard_meanwhile_is_not_sent_again", async () => {
  const world = new World(milk);
  world.outbox.resume();
  world.do(add("salt"));
  world.outbox.pause();
  await world.fail({ kind: "again", unsure: true });
  world.board.heard({ case: "added", value: { id: "s", label: "salt", checked: false } });
  world.outbox.resume();
  assert.deepEqual(world.calls, ["add salt"]);
  assert.equal(world.board.unsaved, 0);
});

test("a_task_that_is_there_already_was_added_the_first_time_only_where_that_was_unsure", async () => {
  const world = new World();
  world.outbox.resume();
  world.do(add("salt"));
  await world.fail({ kind: "again", unsure: true });
  await world.passes();
  await world.fail({ kind: "exists" });
  assert.deepEqual(world.said, []);
  world.do(add("bread"));
  await world.fail({ kind: "exists" });
  assert.deepEqual(world.said, ["add bread: refused"]);
});

test("a_task_that_is_gone_was_removed_as_wanted_and_cannot_be_changed", async () => {
  const world = new World(milk);
  world.outbox.resume();
  world.do(check);
  await world.fail({ kind: "missing" });
  world.do(remove);
  await world.fail({ kind: "missing" });
  assert.deepEqual(world.said, ["check milk: gone"]);
  assert.equal(world.board.unsaved, 0);
});

test("a_server_that_asks_to_wait_is_given_the_time_and_one_that_does_not_serve_more_and_more", async () => {
  const world = new World(milk);
  world.outbox.resume();
  world.do(check);
  await world.fail({ kind: "later", afterMs: 7_000 });
  assert.deepEqual([world.waits, world.said], [[7_000], ["wait 7000"]]);
  await world.passes();
  const waits = [];
  for (let tries = 0; tries < 7; tries += 1) {
    await world.fail({ kind: "again", unsure: false });
    waits.push(...world.waits);
    await world.passes();
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
  await world.answer();
  assert.equal(world.board.unsaved, 0);
});

test("a_change_that_is_refused_for_want_of_a_login_waits_for_one", async () => {
  const world = new World(milk);
  world.outbox.resume();
  world.do(check);
  await world.fail({ kind: "login" });
  assert.deepEqual([world.said, world.board.unsaved, world.calls.length], [["log in"], 1, 1]);
  world.outbox.resume();
  await world.answer();
  assert.deepEqual([world.board.unsaved, world.calls.length], [0, 2]);
});

test("what_is_done_to_a_task_before_it_is_there_is_done_to_it_when_it_is", async () => {
  const world = new World();
  world.outbox.resume();
  world.do(add("salt"), { kind: "check", key: "new salt", checked: true }, { kind: "remove", key: "new salt" });
  await world.answer("s");
  await world.answer();
  await world.answer();
  assert.deepEqual(world.calls, ["add salt", "update s salt true", "remove s"]);
});

test("no_call_outlives_the_live_list_that_it_was_made_for", async () => {
  const world = new World();
  world.outbox.resume();
  world.do(add("salt"), add("bread"));
  assert.equal(world.signal?.aborted, false);
  world.outbox.pause();
  assert.equal(world.signal?.aborted, true);
  await world.fail({ kind: "again", unsure: true });
  assert.deepEqual([world.calls, world.waits], [["add salt"], []]);
  world.outbox.resume();
  assert.equal(world.signal?.aborted, false);
});
