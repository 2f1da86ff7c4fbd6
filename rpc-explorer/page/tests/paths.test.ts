// Where paths of endpoints lead, whoever has written them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isPattern, relativeTo, shownPath } from "../src/paths.js";

/** Where the explorer may be, with what it is told of its endpoints there. */
const PLACES = [
  ["http://server.test/explorer/", ["../rpc", "../game/{id}"]],
  ["http://server.test/prefix/tools/explorer/", ["../../rpc"]],
  ["http://server.test/", ["rpc"]],
] as const;

test("a_path_leads_to_the_server_of_the_page_whatever_stands_in_it", () => {
  for (const [page, known] of PLACES) {
    for (const path of [
      "https://evil.test/rpc",
      "//evil.test/rpc",
      "///evil.test/rpc",
      "/\\evil.test/rpc",
      "\\\\evil.test/rpc",
      "\t//evil.test/rpc",
      "wss:evil.test",
      "javascript:alert(1)",
      "../../../..//evil.test",
      "?x",
      "",
    ]) {
      const { protocol, host } = new URL(relativeTo(known, path), page);
      assert.deepEqual([protocol, host], ["http:", "server.test"], `${path} from ${page}`);
    }
  }
});

test("a_path_that_was_filled_in_leads_beside_those_that_the_server_tells", () => {
  const led = PLACES.map(([page, known]) => new URL(relativeTo(known, "/game/7"), page).pathname);
  assert.deepEqual(led, ["/game/7", "/prefix/game/7", "/game/7"]);
  assert.deepEqual(["../rpc", "../../rpc", "rpc"].map(shownPath), ["/rpc", "/rpc", "/rpc"]);
  assert.deepEqual(["/game/{id}", "/game/7"].map(isPattern), [true, false]);
});
