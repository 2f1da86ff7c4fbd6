// What is asked of reflection, and how often.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { ReflectionService } from "../src/gen/rpc/reflection/v1/reflection_pb.js";
import { Schemas } from "../src/server/schemas.js";

/** Schemas of a server that knows none, and the names that it was asked for. */
function asked(code: () => Code): { schemas: Schemas; names: string[] } {
  const names: string[] = [];
  const transport = createRouterTransport(({ service }) => {
    service(ReflectionService, {
      // biome-ignore lint/correctness/useYield: it fails before there is anything to give
      async *getFiles({ symbols }) {
        names.push(...symbols);
        throw new ConnectError("there is none", code());
      },
    });
  });
  return { schemas: new Schemas(transport), names };
}

test("a_name_that_a_publisher_made_up_is_asked_for_once", async () => {
  const { schemas, names } = asked(() => Code.NotFound);
  for (let at = 0; at < 3; at += 1) await assert.rejects(schemas.guessed("made.Up"));
  assert.deepEqual(names, ["made.Up"]);
});

test("of_made_up_names_no_more_than_a_hundred_are_asked_for", async () => {
  const { schemas, names } = asked(() => Code.NotFound);
  for (let at = 0; at < 150; at += 1) await assert.rejects(schemas.guessed(`made.Up${at}`));
  assert.equal(names.length, 100);
});

test("a_name_is_asked_for_again_where_the_server_could_not_be_asked", async () => {
  const codes = [Code.Unavailable, Code.NotFound];
  const { schemas, names } = asked(() => codes.shift() ?? Code.NotFound);
  for (let at = 0; at < 3; at += 1) await assert.rejects(schemas.guessed("made.Up"));
  assert.deepEqual(names, ["made.Up", "made.Up"]);
});
