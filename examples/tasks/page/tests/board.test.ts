// The list and what is done to it, without a page and without a server.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Board, type Change, type Task } from "../src/model/board.js";

const task = (id: string, label: string, checked = false): Task => ({ id, label, checked });
const add = (key: string, label: string): Change => ({ kind: "add", key, label, checked: false });

/** The labels that are seen; those that are not saved with a star. */
const seen = (board: Board) => board.rows().map((row) => `${row.label}${row.unsaved ? "*" : ""}`);

function boardOf(...tasks: Task[]): Board {
  const board = new Board();
  board.snapshot(tasks);
  return board;
}

test("what_is_done_here_is_seen_at_once_and_what_is_refused_is_taken_back", () => {
  const board = boardOf(task("1", "milk"), task("2", "bread"));
  const added = board.make(add("new", "salt"));
  const renamed = board.make({ kind: "rename", key: "1", label: "oat milk" });
  const removed = board.make({ kind: "remove", key: "2" });
  assert.deepEqual(seen(board), ["oat milk*", "salt*"]);
  for (const pending of [added, renamed, removed]) board.refused(pending);
  assert.deepEqual(seen(board), ["milk", "bread"]);
  assert.equal(board.unsaved, 0);
});

test("an_answer_and_its_event_are_one_task_whichever_comes_first", () => {
  for (const first of ["answer", "event"]) {
    const board = boardOf();
    const pending = board.make(add("new", "milk"));
    pending.stage = "sent";
    const answer = () => board.answered(pending, "1");
    const event = () => assert.equal(board.heard({ case: "added", value: task("1", "milk") }), undefined);
    for (const step of first === "answer" ? [answer, event] : [event, answer]) {
      step();
      assert.equal(board.rows().length, 1, first);
      assert.equal(board.rows()[0]?.key, "new", "its line stays the same, and with it the focus");
    }
    assert.deepEqual(seen(board), ["milk"]);
    assert.equal(board.idOf("new"), "1");
    assert.equal(board.next(), undefined);
  }
});

test("an_answer_that_comes_behind_a_later_change_of_somebody_else_does_not_win", () => {
  const board = boardOf(task("1", "milk"));
  const pending = board.make({ kind: "rename", key: "1", label: "mine" });
  pending.stage = "sent";
  board.heard({ case: "updated", value: task("1", "mine") });
  board.heard({ case: "updated", value: task("1", "theirs") });
  board.answered(pending);
  assert.deepEqual(seen(board), ["theirs"]);
});

test("what_others_do_is_told_and_what_was_done_here_is_no_news", () => {
  const board = boardOf(task("1", "milk"), task("2", "bread"));
  const pending = board.make({ kind: "check", key: "1", checked: true });
  pending.stage = "sent";
  assert.equal(board.heard({ case: "updated", value: task("1", "milk", true) }), undefined);
  assert.deepEqual(board.heard({ case: "updated", value: task("2", "cake") }), {
    what: "renamed",
    key: "2",
    label: "cake",
  });
  assert.deepEqual(board.heard({ case: "deleted", value: { id: "2" } }), { what: "removed", key: "2", label: "cake" });
  assert.equal(board.heard({ case: "deleted", value: { id: "2" } }), undefined, "it was gone already");
});

test("a_change_takes_with_it_what_others_have_made_of_the_task_meanwhile", () => {
  const board = boardOf(task("1", "milk"));
  const pending = board.make({ kind: "check", key: "1", checked: true });
  board.heard({ case: "updated", value: task("1", "oat milk") });
  assert.deepEqual(board.wanted(pending), task("1", "oat milk", true));
});

test("what_was_done_while_the_connection_was_lost_is_not_done_twice", () => {
  const board = boardOf(task("1", "milk"), task("2", "bread"));
  const changes: Change[] = [
    add("new", "salt"),
    { kind: "check", key: "1", checked: true },
    { kind: "remove", key: "2" },
  ];
  const pending = changes.map((change) => board.make(change));
  for (const each of pending) each.stage = "unsure";
  board.heard({ case: "added", value: task("3", "salt") });
  board.heard({ case: "updated", value: task("1", "milk", true) });
  board.heard({ case: "deleted", value: { id: "2" } });
  assert.equal(board.next(), undefined);
  assert.deepEqual(seen(board), ["milk", "salt"]);

  const again = boardOf(task("1", "milk"), task("2", "bread"));
  for (const change of changes) again.make(change).stage = "unsure";
  again.snapshot([task("1", "milk", true), task("3", "salt")]);
  assert.equal(again.next(), undefined);
  assert.deepEqual(seen(again), ["milk", "salt"]);
});

test("what_was_not_done_while_the_connection_was_lost_is_still_to_be_done", () => {
  const board = boardOf(task("1", "milk"));
  const pending = board.make(add("new", "salt"));
  pending.stage = "unsure";
  board.snapshot([task("1", "milk")]);
  assert.equal(board.next(), pending);
  assert.deepEqual(seen(board), ["milk", "salt*"]);
});

test("what_was_done_to_a_task_that_is_not_added_after_all_goes_with_it", () => {
  const board = boardOf();
  const pending = board.make(add("new", "salt"));
  board.make({ kind: "check", key: "new", checked: true });
  assert.deepEqual(
    board.rows().map((row) => row.checked),
    [true],
  );
  board.refused(pending);
  assert.deepEqual(seen(board), []);
  assert.equal(board.next(), undefined);
});

test("a_task_that_was_never_sent_needs_no_removing", () => {
  const board = boardOf();
  board.make(add("new", "salt"));
  assert.ok(board.withdraw("new"));
  assert.equal(board.next(), undefined);
  const sent = board.make(add("other", "salt"));
  sent.stage = "sent";
  assert.ok(!board.withdraw("other"), "it may be there already");
});

test("a_task_that_somebody_else_adds_at_the_same_time_is_not_shown_twice", () => {
  const board = boardOf();
  board.make(add("new", "salt"));
  board.heard({ case: "added", value: task("1", "salt") });
  assert.deepEqual(seen(board), ["salt"]);
});
