// Every method of ticker, which has all four kinds, called through its form on the real server.

import assert from "node:assert/strict";
import { after } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { becomes, close, test } from "../../../tests/pages/window.js";
import { MethodDetailsSchema } from "../src/gen/rpc/reflection/v1/reflection_pb.js";
import { Explorer } from "./support/explorer.js";
import { ticker } from "./support/servers.js";

const server = await ticker();

after(async () => {
  await close();
  await server[Symbol.asyncDispose]();
});

function open(method: string): Promise<Explorer> {
  return Explorer.open(server.url, `#/ticker.TickerService/${method}`);
}

test("a_unary_method_is_called_with_metadata_and_shows_the_answer_with_its_own", async () => {
  await using explorer = await open("Quote");
  await explorer.fill({ symbol: "ACME" });
  await explorer.sendsMetadata("trader", "ann");
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  const [quote] = await explorer.received();
  assert.equal(quote?.["symbol"], "ACME");
  assert.equal(quote?.["tick"], "0");
  const { market, seat } = await explorer.metadata("Header");
  assert.deepEqual({ market, seat }, { market: "open", seat: "kept for ann" });
  assert.match(await explorer.answer.locator(".times").innerText(), /begun .* ended after [\d.]+ m?s · 1 answer/);
});

test("an_answer_that_is_an_error_shows_its_code_its_message_and_its_details", async () => {
  await using explorer = await open("Quote");
  await explorer.fill({ symbol: "NOBODY" });
  await explorer.press("Call");
  await explorer.outcomeIs("NOT_FOUND");
  await explorer.answer.getByText("ticker.Listing").waitFor();
  const details = JSON.parse(await explorer.answer.locator(".detail .json").innerText());
  assert.ok(details.symbols.includes("ACME"), JSON.stringify(details));
});

test("what_the_contract_forbids_is_shown_as_the_server_says_it", async () => {
  await using explorer = await open("Quote");
  // The form says so too, and lets it pass: the server's word is what counts. What appears there takes no click from the button.
  await explorer.fill({ symbol: "lower" });
  await explorer.press("Call");
  await explorer.outcomeIs("INVALID_ARGUMENT");
  const [type, ...others] = await explorer.answer.locator(".detail > .soft").allInnerTexts();
  assert.deepEqual([type, others], ["buf.validate.Violations", []]);
  const details = JSON.parse(await explorer.answer.locator(".detail .json").innerText());
  assert.equal(details.violations[0].field.elements[0].fieldName, "symbol", JSON.stringify(details));
  await explorer.request.getByText(/The rule is: matching/).waitFor();
});

test("a_server_stream_is_shown_as_it_comes_and_is_cancelled", async () => {
  await using explorer = await open("Watch");
  // So slow that the first ones are kept until they are read, however busy the machine is.
  await explorer.fill({ symbol: "ACME", every: "0.2s" });
  await explorer.press("Call");
  const ticks = (await explorer.received(5)).slice(0, 5).map(({ tick }) => tick);
  assert.deepEqual(ticks, ["0", "1", "2", "3", "4"]);
  await explorer.outcomeIs("Receiving");
  await explorer.press("Cancel");
  await explorer.outcomeIs("CANCELLED");
});

test("a_client_stream_is_sent_message_after_message_and_answered_when_it_is_finished", async () => {
  await using explorer = await open("Record");
  for (const cents of ["300", "100", "200"]) {
    await explorer.fill({ symbol: "ACME", cents });
    await explorer.press("Send");
  }
  assert.deepEqual(
    (await explorer.sent(3)).map(({ cents }) => cents),
    ["300", "100", "200"],
  );
  assert.deepEqual(await explorer.received(0), []);
  await explorer.press("Finish");
  await explorer.outcomeIs("OK");
  assert.deepEqual(await explorer.received(), [{ count: "3", lowestCents: "100", highestCents: "300" }]);
});

test("a_stream_of_nothing_is_opened_and_finished", async () => {
  await using explorer = await open("Record");
  await explorer.press("Open");
  await explorer.outcomeIs("Open");
  await explorer.press("Finish");
  await explorer.outcomeIs("OK");
  assert.deepEqual(await explorer.sent(0), []);
  assert.equal((await explorer.received())[0]?.["count"], "0");
});

test("both_stream_each_answer_before_the_next_message_and_the_trailer_comes_behind", async () => {
  await using explorer = await open("Trade");
  await explorer.fill({ symbol: "ACME", shares: "10" });
  await explorer.press("Send");
  await explorer.received(1);
  await explorer.fill({ shares: "-4" });
  await explorer.press("Send");
  await explorer.received(2);
  await explorer.press("Finish");
  await explorer.outcomeIs("OK");
  assert.deepEqual(
    (await explorer.received(2)).map(({ holding }) => holding),
    ["10", "6"],
  );
  assert.equal((await explorer.metadata("Trailer"))["orders"], "2");
  await becomes(
    () => explorer.answer.locator(".times").innerText(),
    /first answer after [\d.]+ m?s · ended after .* · 2 messages sent/,
  );
  const facts = await explorer.answer.locator(".message summary > .soft").allTextContents();
  assert.equal(facts.length, 4);
  for (const fact of facts) assert.match(fact, /^(Order|Fill) · \d+ B · [\d.]+ m?s$/);
  // Windows may be widened in between.
  const crossed = (await explorer.frames()).filter((frame) => !frame.endsWith("credit"));
  assert.deepEqual(crossed.toSorted(), [
    ...["in data", "in data", "in end", "in response"],
    ...["out data", "out data", "out end", "out request"],
  ]);
  assert.deepEqual([crossed[0], crossed.at(-1)], ["out request", "in end"]);
});

test("what_is_filled_in_is_taken_along_from_the_form_to_json_and_back", async () => {
  await using explorer = await open("Record");
  await explorer.fill({ symbol: "ACME", tick: "9007199254740993" });
  const choose = (way: string) => explorer.request.getByRole("button", { name: way, exact: true }).click();
  await choose("JSON");
  const json = explorer.request.getByRole("textbox", { name: "Quote in JSON" });
  await becomes(async () => JSON.parse(await json.inputValue()), { symbol: "ACME", tick: "9007199254740993" });
  await json.fill('{"symbol": "GLOBEX", "cents": 7}');
  await choose("Form");
  const value = (name: string) => explorer.request.getByLabel(name, { exact: true }).inputValue();
  await becomes(() => value("symbol"), "GLOBEX");
  await becomes(() => value("cents"), "7");
  await becomes(() => value("tick"), "");
  // What is no JSON stays where it can be mended.
  await choose("JSON");
  await json.fill('{"symbol": ');
  await choose("Form");
  await explorer.request.getByText(/^Line 1, column 12: /).waitFor();
  await becomes(() => json.inputValue(), '{"symbol": ');
});

test("details_of_an_error_are_shown_by_the_schemas_that_there_are_and_else_by_their_bytes", async () => {
  await using explorer = await open("Quote");
  const detail = (name: string, value: Uint8Array) =>
    create(AnySchema, { typeUrl: `type.googleapis.com/${name}`, value });
  const info = new BinaryWriter().tag(1, WireType.LengthDelimited).string("CLOSED").finish();
  const details = [
    detail("google.rpc.ErrorInfo", info),
    // Nothing that the method names, and the server has it.
    detail(MethodDetailsSchema.typeName, toBinary(MethodDetailsSchema, create(MethodDetailsSchema, { name: "Buy" }))),
    detail("made.up.Thing", Uint8Array.of(1, 2, 3)),
  ];
  await explorer.between(({ kind }) => {
    if (kind.case === "end" && kind.value.status) kind.value.status.details = details;
    return undefined;
  });
  await explorer.shows("Quote");
  await explorer.fill({ symbol: "NOBODY" });
  await explorer.press("Call");
  await explorer.outcomeIs("NOT_FOUND");
  const shown = async () => {
    const texts = await explorer.answer.locator(".detail .json").allTextContents();
    const [one, other, unknown] = texts.map((text) => JSON.parse(text));
    return [one?.reason, other?.name, unknown];
  };
  await becomes(shown, ["CLOSED", "Buy", { bytes: "AQID" }]);
  // The frame that brought them can be looked into as well.
  await explorer.frames();
  await explorer.page.locator("tr.frame.in").getByRole("button", { name: "end" }).click();
  await becomes(() => explorer.page.locator("tr.frame-detail:visible .json").innerText(), /"reason": "CLOSED"/);
});

test("json_is_sent_to_the_last_digit_and_what_cannot_be_sent_is_told_with_its_place", async () => {
  await using explorer = await open("Record");
  await explorer.json('{"symbol": "ACME", "tick": 9007199254740993, "cents": 1}');
  await explorer.press("Send");
  assert.equal((await explorer.sent())[0]?.["tick"], "9007199254740993");
  await explorer.json('{"symbol": "ACME",\n "tick": 18446744073709551616}');
  await explorer.press("Send");
  await explorer.request.getByText(/^Line 2, column 10: Write a whole number from 0 to/).waitFor();
  await explorer.press("Cancel");
  await explorer.outcomeIs("CANCELLED");
  // The end of a call is drawn with all that it has sent.
  assert.equal((await explorer.sent()).length, 1);
});

test("an_enum_has_a_page_to_which_the_fields_of_its_type_lead", async () => {
  await using explorer = await Explorer.open(server.url, "#/type/rpc.reflection.v1.MethodDetails");
  await explorer.shows("MethodDetails");
  await explorer.page.getByRole("main").getByRole("link", { name: "MethodKind", exact: true }).first().click();
  await explorer.shows("MethodKind");
  await explorer.page.getByRole("row", { name: /METHOD_KIND_UNARY/ }).waitFor();
});

test("both_stream_where_the_server_sends_by_itself", async () => {
  await using explorer = await open("Desk");
  await explorer.fill({ follow: "ACME" });
  await explorer.press("Send");
  await explorer.received(2);
  await explorer.fill({ follow: "GLOBEX" });
  await explorer.press("Send");
  await explorer.answer.locator(".message.in", { hasText: "GLOBEX" }).first().waitFor();
  await explorer.press("Finish");
  await explorer.outcomeIs("OK");
});

test("a_call_that_takes_a_while_is_waited_for", async () => {
  await using explorer = await open("Report");
  await explorer.fill({ symbol: "ACME", ticks: "20" });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  assert.equal((await explorer.received())[0]?.["count"], "20");
});

test("a_deadline_ends_a_call", async () => {
  await using explorer = await open("Report");
  await explorer.fill({ symbol: "ACME", ticks: "100000" });
  await explorer.hasDeadline("50");
  await explorer.press("Call");
  await explorer.outcomeIs("DEADLINE_EXCEEDED");
});

test("a_deadline_that_is_none_is_refused_before_anything_is_sent", async () => {
  await using explorer = await open("Report");
  await explorer.fill({ symbol: "ACME", ticks: "1" });
  await explorer.hasDeadline("0");
  await explorer.press("Call");
  await explorer.request.getByText("A deadline is a whole number of milliseconds").waitFor();
  assert.equal(await explorer.answer.locator(".chip").count(), 0);
});

test("a_method_without_an_answer_is_called_and_taken", async () => {
  await using explorer = await open("Shout");
  await explorer.fill({ StringValue: "Buy!" });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
});

test("the_frames_of_a_call_are_listed_and_looked_into", async () => {
  await using explorer = await open("Quote");
  await explorer.fill({ symbol: "ACME" });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  const ofCall = ["out request", "in response"];
  await becomes(() => explorer.frames(), ofCall);
  await explorer.page.locator("tr.frame.out").getByRole("button", { name: "request" }).click();
  const detail = explorer.page.locator("tr.frame-detail:visible");
  // The message ACME as it was sent: decoded around it, and byte for byte.
  const frame = JSON.parse(await detail.locator(".json").innerText());
  assert.equal(frame.request.body, Buffer.from("\n\u0004ACME").toString("base64"));
  assert.match(await detail.locator(".bytes").innerText(), /^0000 {2}([0-9a-f]{2} ?)+/);
  assert.match(await detail.locator(".bytes").innerText(), /ACME/);
  await explorer.page.getByRole("button", { name: "All", exact: true }).click();
  const all = await explorer.frames();
  for (const frame of ["none opened", "in greeting", ...ofCall]) assert.ok(all.includes(frame), all.join());
});
