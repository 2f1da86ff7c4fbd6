// The page as it is built: what it needs to run under the policy that it is served with.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

test("the_built_page_has_nothing_inline_and_names_its_files_relative_to_wherever_it_is_served", () => {
  const html = readFileSync("dist/index.html", "utf8");
  assert.match(html, /src="\.\/assets\/explorer\.js"/);
  assert.match(html, /href="\.\/assets\/explorer\.css"/);
  assert.doesNotMatch(html, /<style|<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=/);
  assert.doesNotMatch(html, /(?:src|href)="\//);
});
