// Messages as JSON, to be looked at.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create, createRegistry, type DescMessage, type Registry, toBinary } from "@bufbuild/protobuf";
import { AnySchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import type { Schemas } from "../src/server/schemas.js";
import { jsonOf } from "../src/view/json.js";
import { acquainted } from "../src/view/strangers.js";
import { message, registry } from "./form/schemas.js";

test("an_any_of_an_unknown_type_is_shown_by_its_bytes_and_hides_nothing_else", () => {
  const rare = message("forms.Rare");
  const anys = [
    { typeUrl: "type.googleapis.com/made.up.Thing", value: Uint8Array.of(1, 2, 3) },
    { typeUrl: "type.googleapis.com/kitchen.Node", value: Uint8Array.of(10, 1, 110) },
    { typeUrl: "type.googleapis.com/NoPackage", value: new Uint8Array() },
  ].map((any) => create(AnySchema, any));
  const made = create(rare, { anys, strings: [create(StringValueSchema, { value: "kept" })] } as Record<
    string,
    unknown
  >);
  const shown = JSON.parse(jsonOf(rare, made, registry));
  assert.deepEqual(shown.strings, ["kept"]);
  const [unknown, known, empty] = shown.anys;
  assert.deepEqual(unknown, { "@type": "type.googleapis.com/made.up.Thing", notKnownHere: "AQID" });
  assert.equal(known.name, "n");
  assert.deepEqual(empty, { "@type": "type.googleapis.com/NoPackage", notKnownHere: "" });
});

/** A server that knows one message, and what it was asked for. */
function knowing(desc: DescMessage): { schemas: Schemas; asked: string[] } {
  const asked: string[] = [];
  const guessed = async (name: string) => {
    asked.push(name);
    if (name !== desc.typeName) throw new Error("there is none");
    return { desc, registry };
  };
  return { schemas: { guessed } as unknown as Schemas, asked };
}

test("types_in_anys_are_asked_of_the_server_also_those_within_others", async () => {
  const rare = message("forms.Rare");
  const node = message("kitchen.Node");
  const strings = [create(StringValueSchema, { value: "kept" })];
  const leaf = create(AnySchema, { typeUrl: "x/kitchen.Node", value: Uint8Array.of(10, 1, 110) });
  const unknown = create(AnySchema, { typeUrl: "x/made.up.Thing", value: Uint8Array.of(1) });
  const inner = create(rare, { anys: [leaf, unknown], strings } as Record<string, unknown>);
  const outer = create(rare, {
    anys: [create(AnySchema, { typeUrl: "x/forms.Rare", value: toBinary(rare, inner) })],
  } as Record<string, unknown>);
  // Nothing but the message itself is known.
  const known = createRegistry(rare);
  const shown = (types: Registry) => JSON.parse(jsonOf(rare, outer, types)).anys[0];
  assert.deepEqual(shown(known).anys[0], { "@type": "x/kitchen.Node", notKnownHere: "CgFu" });
  const { schemas, asked } = knowing(node);
  const more = await acquainted(rare, outer, known, schemas);
  assert.ok(more);
  assert.equal(shown(more).anys[0].name, "n");
  assert.deepEqual(shown(more).anys[1], { "@type": "x/made.up.Thing", notKnownHere: "AQ==" });
  assert.deepEqual(shown(more).strings, ["kept"]);
  assert.deepEqual(asked, ["kitchen.Node", "made.up.Thing", "made.up.Thing"]);
  // What has no Any in it is not looked through, and nothing is asked.
  assert.equal(await acquainted(node, create(node), registry, schemas), undefined);
  assert.equal(asked.length, 3);
});
