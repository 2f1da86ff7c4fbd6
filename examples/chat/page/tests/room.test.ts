// A room as its client knows it, without a page and without a server: its hub is what the test makes of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type { Hub } from "rpc-websocket";
import { JoinedSchema } from "rpc-websocket/protos/hub/v1/hub";
import { Room } from "../src/chat/room.js";
import type { ChatService } from "../src/gen/chat/chat_pb.js";

/** A question who is there, which the test answers. */
interface Question {
  answer(...users: readonly string[]): void;
  refuse(code: Code): void;
}

/** A room in which the test says what happens. */
class World {
  readonly room: Room;
  readonly #heard = new Map<string, (what: unknown) => void>();
  #questions: Question[] = [];
  #wake = () => {};
  #ids = 0;

  constructor() {
    const on = (what: unknown, callback: (what: unknown) => void) => {
      if (typeof what === "string" && !this.#heard.has(what)) this.#heard.set(what, callback);
    };
    const subscription = { on, ready: Promise.resolve(), status: "live", channel: "room:kitchen" };
    const hub = {
      subscribe: () => subscription,
      history: async () => ({ events: [], more: false }),
      presence: () =>
        new Promise((resolve, reject) => {
          this.#questions.push({
            answer: (...users) => resolve({ members: users.map((userId) => ({ userId })) }),
            refuse: (code) => reject(new ConnectError("no", code)),
          });
          this.#wake();
        }),
    };
    const nothing = () => {};
    const listener = { lines: nothing, people: nothing, typing: nothing, ended: nothing };
    this.room = new Room("kitchen", "ann", "", hub as unknown as Hub, {} as Client<typeof ChatService>, listener);
    this.#heard.get("status")?.("live");
  }

  get people(): string[] {
    return this.room.people.map(({ user }) => user);
  }

  /** Somebody comes. */
  comes(userId: string): void {
    this.#ids += 1;
    const position = { epoch: 1n, offset: BigInt(this.#ids) };
    const event = { id: `event ${this.#ids}`, type: JoinedSchema.typeName, message: { userId }, position };
    this.#heard.get("item")?.({ ...event, kind: "live", time: new Date() });
  }

  /** The next question. */
  async asked(): Promise<Question> {
    while (this.#questions[0] === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#questions.shift() as Question;
  }

  /** All is over that was due in less than so many milliseconds: its timers were set before this one. */
  async passes(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    assert.equal(this.#questions.length, 0, "nobody asks meanwhile");
  }
}

test("who_is_there_is_asked_once_more_behind_an_answer_that_is_on_its_way", async () => {
  const world = new World();
  const first = await world.asked();
  world.comes("bob");
  await world.passes(200);
  first.answer("ann");
  (await world.asked()).answer("ann", "bob");
  await world.passes(200);
  assert.deepEqual(world.people, ["ann", "bob"]);
});

test("who_is_there_is_asked_again_where_the_server_was_asked_too_much", async () => {
  const world = new World();
  (await world.asked()).refuse(Code.ResourceExhausted);
  (await world.asked()).answer("ann", "bob");
  await world.passes(1);
  assert.deepEqual(world.people, ["ann", "bob"]);
  // Whatever else it says, it will say again.
  world.comes("eve");
  (await world.asked()).refuse(Code.PermissionDenied);
  await world.passes(1_000);
});
