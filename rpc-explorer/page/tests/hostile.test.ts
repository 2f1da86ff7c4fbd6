// What others say is text: markup, scripts, control characters and turned directions from servers, other users and links.

import assert from "node:assert/strict";
import { after } from "node:test";
import { protoInt64 } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { close, test } from "../../../tests/pages/window.js";
import { Explorer } from "./support/explorer.js";
import { ticker } from "./support/servers.js";

const server = await ticker();

after(async () => {
  await close();
  await server[Symbol.asyncDispose]();
});

const QUOTE = "#/ticker.TickerService/Quote";

const TEXTS = [
  "<img src=x onerror=alert(1)>",
  '"><script>alert(1)</script>',
  "<svg onload=alert(1)><style>*{display:none}</style>",
  "</code></pre><h1>taken over</h1>",
  "javascript:alert(1)",
  "{{7*7}} #{7*7}",
  "&lt;b&gt; &amp;",
];

/** What is not seen, or turns what follows around. */
const HIDDEN = "bell \u0007 escape \u001b[31m next \u0085 invoice \u202egpj.exe\u202c \u2066isolated\u2069";

/** What the page has of elements that no text may make. */
function made(explorer: Explorer): Promise<number> {
  const selector =
    'img:not([src="./icon.svg"]), iframe, object, script:not([src]), style, svg style, h1 ~ h1, b, a[href^="javascript"]';
  return explorer.page.evaluate((selector) => document.querySelectorAll(selector).length, selector);
}

/** A window in which the server answers with a text wherever it has one to say. */
async function told(said: { text: string }): Promise<Explorer> {
  const explorer = await Explorer.open(server.url, QUOTE);
  await explorer.between(({ kind }, direction) => {
    const { text } = said;
    if (direction !== "in") return;
    // Reflection answers alone have no open stream and no metadata of the market.
    const header = kind.case === "response" ? kind.value.metadata : [];
    if (kind.case === "response" && header.some(({ key }) => key === "market")) {
      const body = new BinaryWriter().tag(1, WireType.LengthDelimited).string(text).tag(3, WireType.Varint);
      kind.value.body = body.int64(protoInt64.parse(1)).finish();
      for (const pair of header) if (pair.key === "market") pair.value = text;
    }
    if (kind.case === "end" && kind.value.status) kind.value.status.message = text;
  });
  await explorer.shows("Quote");
  return explorer;
}

test("what_a_server_answers_is_text_whatever_it_holds", async () => {
  const said = { text: "" };
  await using explorer = await told(said);
  for (const text of TEXTS) {
    said.text = text;
    await explorer.fill({ symbol: "ACME" });
    await explorer.press("Call");
    await explorer.outcomeIs("OK");
    assert.equal((await explorer.received())[0]?.["symbol"], text);
    assert.equal((await explorer.metadata("Header"))["market"], text);
    await explorer.fill({ symbol: "NOBODY" });
    await explorer.press("Call");
    await explorer.outcomeIs("NOT_FOUND");
    assert.ok((await explorer.answer.textContent())?.includes(text), text);
    await explorer.frames();
    assert.equal(await made(explorer), 0, text);
  }
});

test("what_is_not_seen_or_turns_a_text_around_stands_as_a_number_in_json", async () => {
  await using explorer = await told({ text: HIDDEN });
  await explorer.fill({ symbol: "ACME" });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  const shown = await explorer.answer.locator(".message.in .message-preview").textContent();
  assert.match(shown ?? "", /invoice \\u202egpj\.exe\\u202c \\u2066isolated\\u2069/);
  assert.match(shown ?? "", /next \\u0085/);
  assert.doesNotMatch(shown ?? "", /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
});

test("where_a_link_leads_is_text_and_stays_with_the_server", async () => {
  await using explorer = await Explorer.open(server.url);
  await explorer.shows("What this server serves");
  const asked: string[] = [];
  explorer.page.on("request", (request) => asked.push(new URL(request.url()).host));
  explorer.page.on("websocket", (socket) => asked.push(new URL(socket.url()).host));
  for (const text of TEXTS) {
    const part = encodeURIComponent(text);
    await explorer.go(`#/${part}`);
    await explorer.shows("There is no such service");
    await explorer.page.getByText(text, { exact: true }).first().waitFor();
    await explorer.go(`#/channel/${part}`);
    await explorer.shows("There is no such channel");
    assert.equal(await made(explorer), 0, text);
  }
  for (const url of [
    "//evil.invalid/rpc",
    "https://evil.invalid/rpc",
    "wss://evil.invalid/rpc",
    "/\\evil.invalid/rpc",
  ]) {
    await explorer.go(`#/?at=${encodeURIComponent(url)}`);
    await explorer.page
      .getByText(/The server cannot be reached|does not tell|is not known/)
      .first()
      .waitFor();
  }
  await explorer.go("#/");
  await explorer.shows("What this server serves");
  assert.deepEqual([...new Set(asked)], [new URL(server.url).host]);
});
