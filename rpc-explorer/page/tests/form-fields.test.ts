// Every type of a field, filled in as a person does, and held to the bytes that the message is encoded as.

import assert from "node:assert/strict";
import { after } from "node:test";
import { type DescField, fromBinary, type JsonObject, toJson } from "@bufbuild/protobuf";
import { close, test } from "../../../tests/pages/window.js";
import { encoded } from "./form/encoder.js";
import { fillIn, partOf } from "./form/person.js";
import { field, registry } from "./form/schemas.js";
import { FormWindow } from "./form/window.js";

after(close);

/** The fields that were filled in. */
const seen = new Set<DescField>();

/**
 * Fills a form in, and holds what it sends to what another implementation makes of the JSON. A form that is filled from that
 * message shows what was typed, and sends the same.
 */
async function filled(name: string, json: JsonObject): Promise<void> {
  await using window = await FormWindow.open(name);
  await fillIn(window, json);
  for (const key of Object.keys(json)) seen.add(field(name, key));
  const sent = Buffer.from(encoded(name, json)).toString("hex");
  assert.equal(await window.hex(), sent, await window.json());
  const shown = await window.shown();
  await window.show(name);
  assert.notDeepEqual(await window.shown(), shown);
  assert.deepEqual(
    await window.fill(toJson(window.desc, fromBinary(window.desc, Buffer.from(sent, "hex")), { registry })),
    [],
  );
  assert.deepEqual(await window.shown(), shown);
  assert.equal(await window.hex(), sent, await window.json());
}

const SCALARS = {
  double: -1.5e300,
  float: 0.25,
  int32: -2147483648,
  int64: "-9223372036854775808",
  uint32: 4294967295,
  uint64: "18446744073709551615",
  sint32: 2147483647,
  sint64: "9223372036854775807",
  fixed32: 1,
  fixed64: "9007199254740993",
  sfixed32: -1,
  sfixed64: "-9007199254740993",
  bool: true,
  string: "ä “text” 😀",
  bytes: "AQID/w==",
  byteVec: "AA==",
  open: "OPEN_FAR",
};

const ZEROS = {
  double: 0,
  float: 0,
  int32: 0,
  int64: "0",
  uint32: 0,
  uint64: "0",
  sint32: 0,
  sint64: "0",
  fixed32: 0,
  fixed64: "0",
  sfixed32: 0,
  sfixed64: "0",
  bool: false,
  string: "",
  bytes: "",
  byteVec: "",
  open: "OPEN_UNKNOWN",
  node: {},
};

test("every_scalar_is_sent_as_it_is_typed_64_bits_to_the_last", () => filled("kitchen.Scalars", SCALARS));

test("declared_defaults_take_nothing_from_what_is_typed", () =>
  filled("kitchen.Declared", {
    bool: true,
    int32: -1,
    int64: "9007199254740993",
    uint32: 1,
    uint64: "9007199254740993",
    float: -0.5,
    double: 1e-300,
    string: "x",
    bytes: "/w==",
    byteVec: "AA==",
    closed: "CLOSED_SEVEN",
    open: -7,
    optional: false,
  }));

test("every_scalar_is_a_value_of_an_optional_field", () =>
  filled("kitchen.Optionals", { ...SCALARS, node: { name: "n" } }));

test("an_optional_field_that_is_set_to_zero_is_sent_and_one_that_is_not_set_is_not", async () => {
  await filled("kitchen.Optionals", ZEROS);
  await using window = await FormWindow.open("kitchen.Optionals");
  assert.equal((await window.bytes()).length, 0);
  await window.set("int32");
  assert.deepEqual(await window.json(), '{\n  "int32": 0\n}');
  assert.deepEqual([...(await window.bytes())], [0x18, 0]);
  await window.page.getByLabel("int32 is set", { exact: true }).uncheck();
  assert.equal((await window.bytes()).length, 0);
  assert.equal(await window.control("int32").getAttribute("type"), "checkbox", "its name is the switch's then");
  assert.equal(await window.whole.getByRole("textbox").count(), 0);
});

test("a_scalar_without_presence_that_is_zero_is_not_sent", async () => {
  await using window = await FormWindow.open("kitchen.Scalars");
  await fillIn(window, { int32: 0, double: 0, string: "", bool: false, open: "OPEN_UNKNOWN" });
  assert.equal(await window.hex(), "");
  assert.equal(await window.json(), "{}");
  await window.control("double").fill("-0");
  assert.equal(await window.hex(), "090000000000000080");
});

test("numbers_that_are_none_infinite_or_a_negative_zero_are_sent", async () => {
  await filled("kitchen.Lists", { double: ["NaN", "Infinity", "-Infinity"], float: ["NaN", "-Infinity"] });
  await using window = await FormWindow.open("kitchen.Optionals");
  await window.set("double");
  await window.control("double").fill("-0");
  assert.equal(Buffer.from(await window.bytes()).toString("hex"), "090000000000000080");
});

test("every_type_is_an_item_of_a_list_in_its_order", () =>
  filled("kitchen.Lists", {
    double: [1.5, 0, -2],
    float: [0.5],
    int32: [1, -1],
    int64: ["1", "-1"],
    uint32: [0],
    uint64: ["18446744073709551615"],
    sint32: [-5],
    sint64: ["-5"],
    fixed32: [7],
    fixed64: ["7"],
    sfixed32: [-7],
    sfixed64: ["-7"],
    bool: [true, false, true],
    string: ["b", "", "a"],
    bytes: ["AQ==", ""],
    byteVec: ["Ag=="],
    open: ["OPEN_FIRST", 5, "OPEN_NEGATIVE"],
    node: [{ name: "one", weight: 1 }, {}, { children: [{ name: "deep" }] }],
    choice: [{ text: "t" }, {}, { at: "2026-01-31T13:45:00Z" }],
  }));

test("every_type_is_a_key_or_a_value_of_a_map", async () => {
  await filled("kitchen.Maps", { string: { a: "1" }, node: { "2": {} }, open: { b: "OPEN_FIRST" } });
  await filled("kitchen.SortedMaps", {
    int32: { "-1": 1.5, "2": 0 },
    int64: { "-9223372036854775808": 0.5 },
    uint32: { "4294967295": -1 },
    uint64: { "18446744073709551615": "-1" },
    bool: { true: 1, false: 0 },
    string: { a: "b", "": "empty", "with space": "" },
    bytes: { a: "AQID" },
    byteVec: { a: "" },
    open: { "1": "OPEN_FAR", "2": 77 },
    node: { a: { name: "n" }, b: {} },
    choice: { "5": { flag: false } },
    flag: { a: true, b: false },
  });
});

test("enums_are_chosen_from_alone_in_lists_and_in_maps", () =>
  filled("kitchen.ClosedEnums", {
    single: "CLOSED_ONE",
    optional: "CLOSED_ZERO",
    list: ["CLOSED_SEVEN", "CLOSED_ZERO"],
    map: { "1": "CLOSED_ZERO", "2": "CLOSED_SEVEN" },
  }));

test("messages_lie_in_messages_in_lists_and_in_maps", async () => {
  await filled("kitchen.DeclaredNested", {
    optional: { int32: 1 },
    list: [{}, { string: "a", optional: true }],
    map: { a: { closed: "CLOSED_ONE" }, b: {} },
    required: { bytes: "AQ==" },
  });
  await filled("kitchen.Required", {
    node: { name: "n" },
    choice: { text: "t" },
    at: "2026-01-31T13:45:00Z",
    took: "1s",
    boxed: {},
    nothing: {},
    label: "l",
  });
  await filled("kitchen.Node", {
    name: "n",
    left: { left: { left: { weight: 4 } } },
    right: {},
    children: [{ children: [{ name: "a" }, {}] }, {}, { right: { name: "b" } }, { weight: 1 }],
    weight: 1,
  });
});

for (const [name, value] of Object.entries({
  nothing: {},
  number: "0",
  zigzag: -3,
  text: "",
  raw: "AQ==",
  copied: "",
  flag: false,
  open: "OPEN_UNKNOWN",
  node: { name: "n", left: { name: "l", right: { weight: 3 } } },
  tree: {},
  at: "1970-01-01T00:00:00Z",
})) {
  test(`the_one_of_a_oneof_is_sent_also_where_it_is_zero_${name}`, () => filled("kitchen.Choice", { [name]: value }));
}

test("well_known_types_are_sent_as_they_are_written", async () => {
  await filled("kitchen.Times", {
    at: "2020-02-29T23:59:59Z",
    took: "-0.001s",
    ats: ["1969-12-31T23:59:59.999Z"],
    tooks: { "7": "3600s" },
  });
  await filled("kitchen.WellKnown", {
    timestamp: "2026-01-31T13:45:00.123456789Z",
    duration: "-1.000000001s",
    any: { "@type": "type.googleapis.com/kitchen.Node", name: "n", weight: 7 },
    mask: "item.label,checked",
    free: { a: [1, null, { b: "c" }], d: true },
    value: null,
    list: [1, "a", { b: false }],
    empty: {},
    many: ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"],
    byName: { a: "315576000000s", b: "0.500s" },
  });
});

test("types_that_contracts_do_not_have_are_sent_too", async () => {
  await filled("forms.Rare", {
    double: 0,
    float: "NaN",
    int64: "-1",
    uint64: "18446744073709551615",
    int32: 0,
    uint32: 5,
    bool: false,
    string: "",
    bytes: "AQ==",
    strings: ["a", ""],
    values: { a: null, b: [1] },
    masks: ["a.b"],
    value: null,
    flags: { true: { a: 1 } },
    structs: [{}, { a: {} }],
    anys: [
      { "@type": "type.googleapis.com/kitchen.Marker" },
      { "@type": "type.googleapis.com/kitchen.Node", left: { name: "a" } },
    ],
  });
  await filled("forms.Rare", { text: "" });
  await filled("forms.Rare", { free: {} });
  await filled("forms.Rare", { none: null });
});

test("schemas_of_other_syntax_are_filled_in_closed_enums_defaults_groups_and_what_has_to_be_there", async () => {
  await filled("forms.Older", {
    id: 0,
    part: { name: "", inside: { name: "n" } },
    kind: "KIND_FIRST",
    label: "",
    raw: "",
    number: "0",
    flag: false,
    rate: 0,
    numbers: [1, 0, -1],
    inner: { name: "n" },
  });
  await using window = await FormWindow.open("forms.Older");
  assert.deepEqual(JSON.parse(await window.json()), { id: 0, part: { name: "" } });
  const offered = window.control("kind").locator("option");
  const defaults = { kind: "KIND_SECOND", label: "as it was", raw: "Af8=", number: "-9007199254740993", flag: true };
  for (const name of [...Object.keys(defaults), "rate"]) await window.set(name);
  assert.deepEqual(await offered.allTextContents(), ["KIND_FIRST · 1", "KIND_SECOND · 2"]);
  const whole = { id: 0, part: { name: "" }, ...defaults, rate: "-Infinity" };
  assert.deepEqual(await window.message(), whole);
  const [problem, ...more] = await window.fill({ ...whole, kind: 3 });
  assert.match(problem?.text ?? "", /: Write one of KIND_FIRST, KIND_SECOND: Kind knows no other number\.$/);
  assert.deepEqual(more, []);
});

test("messages_that_are_not_optional_are_there_from_the_start_as_contracts_send_them", async () => {
  await using window = await FormWindow.open("kitchen.Required");
  assert.deepEqual(JSON.parse(await window.json()), { node: {}, choice: {}, boxed: {}, nothing: {} });
  await window.page.getByLabel("node is set", { exact: true }).uncheck();
  assert.deepEqual(JSON.parse(await window.json()), { choice: {}, boxed: {}, nothing: {} });
});

test("a_type_that_holds_itself_is_opened_one_level_at_a_time_as_deep_as_a_form_goes", async () => {
  await using window = await FormWindow.open("kitchen.Node");
  assert.equal(await window.whole.getByRole("group").count(), 3);
  await window.set("left");
  assert.equal(await window.whole.getByRole("group").count(), 6);
  await window.group("left").first().getByLabel("left is set", { exact: true }).last().check();
  assert.deepEqual(JSON.parse(await window.json()), { left: { left: {} } });
  const deep = (levels: number): JsonObject => (levels === 0 ? { name: "n" } : { left: deep(levels - 1) });
  assert.deepEqual(await window.fill(deep(23)), []);
  assert.deepEqual(await window.message(), deep(23));
  const [problem, ...more] = await window.fill(deep(24));
  assert.match(problem?.text ?? "", /^Line 1, column \d+: A form goes no deeper: send this with the command line\.$/);
  assert.deepEqual(more, []);
});

test("bytes_are_written_as_base64_as_hex_as_text_or_come_from_a_file", async () => {
  await using window = await FormWindow.open("kitchen.Scalars");
  const typed = window.control("bytes");
  const bytes = partOf(window.whole.locator(".mf-message"), "bytes");
  const notation = bytes.getByRole("combobox", { name: "bytes written as", exact: true });
  await notation.selectOption("hex");
  await typed.fill("48 c3 a4:00 FF");
  assert.equal(JSON.parse(await window.json()).bytes, "SMOkAP8=");
  await notation.selectOption("text");
  assert.equal(await notation.inputValue(), "hex", "what is no text stays as it was");
  await typed.fill("48 c3 a4");
  await notation.selectOption("text");
  assert.equal(await typed.inputValue(), "Hä");
  await notation.selectOption("base64");
  assert.equal(await typed.inputValue(), "SMOk");
  await notation.selectOption("file");
  const content = Buffer.from(Array.from({ length: 40_000 }, (_, at) => at % 251));
  await bytes
    .getByLabel("file", { exact: true })
    .setInputFiles({ name: "a<b>.bin", mimeType: "text/plain", buffer: content });
  await window.page.getByText("a<b>.bin, 40,000 bytes").waitFor();
  assert.equal(JSON.parse(await window.json()).bytes, content.toString("base64"));
  const json = await window.json();
  assert.deepEqual(await window.fill(json), []);
  assert.equal(await window.json(), json);
});

test("a_moment_can_be_picked_or_be_now", async () => {
  await using window = await FormWindow.open("kitchen.Times");
  await window.set("at");
  await window.control("picked, in UTC").fill("2026-01-31T13:45:07");
  assert.deepEqual(JSON.parse(await window.json()), { at: "2026-01-31T13:45:07Z" });
  await window.control("at").fill("2020-02-29T01:02:03.5+01:00");
  assert.equal(await window.control("picked, in UTC").inputValue(), "2020-02-29T00:02:03");
  assert.deepEqual(JSON.parse(await window.json()), { at: "2020-02-29T00:02:03.5Z" });
  const before = Date.now();
  await window.page.getByRole("button", { name: "Now" }).click();
  const at = Date.parse(JSON.parse(await window.json()).at);
  assert.ok(at >= before && at <= Date.now());
});

test("a_text_of_several_lines_gets_its_box_and_keeps_every_character", async () => {
  await using window = await FormWindow.open("kitchen.Scalars");
  const text = window.control("string");
  await text.fill("one");
  await text.press("Shift+Enter");
  await text.pressSequentially("x");
  await text.press("Enter");
  await text.pressSequentially("two");
  assert.equal(JSON.parse(await window.json()).string, "onex\ntwo");
  assert.equal((await window.counts()).sent, 0);
  const odd = "a\r\nb\rc\u0000\u202ed\ue000";
  assert.deepEqual(await window.fill({ string: odd }), []);
  assert.equal(JSON.parse(await window.json()).string, odd);
  await text.press("End");
  await text.pressSequentially("!");
  assert.equal(JSON.parse(await window.json()).string.endsWith("!"), true);
});

test("enter_in_a_line_sends_the_form", async () => {
  await using window = await FormWindow.open("kitchen.Scalars");
  await window.control("string").fill("one");
  await window.control("string").press("Enter");
  await window.control("int32").press("Enter");
  assert.equal((await window.counts()).sent, 2);
  assert.equal(JSON.parse(await window.json()).string, "one");
});

test("no_field_of_the_contracts_every_type_was_left_out_above", () => {
  const kitchen = [...registry].filter((desc) => desc.kind === "message" && desc.file.proto.package === "kitchen");
  assert.equal(kitchen.length, 14);
  const left = kitchen.flatMap((desc) =>
    desc.kind === "message" ? desc.fields.filter((field) => !seen.has(field)) : [],
  );
  assert.deepEqual(left.map(String), []);
});
