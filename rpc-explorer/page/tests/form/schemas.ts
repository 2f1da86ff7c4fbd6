// The schemas of the tests, as an explorer has them: read at run time, with comments and rules.

import { readFileSync } from "node:fs";
import { createFileRegistry, type DescField, type DescMessage, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** The encoded descriptor set. */
export const SET = readFileSync("tests/gen/forms.binpb");

export const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, SET));

/** A message by its full name. */
export function message(name: string): DescMessage {
  const found = registry.getMessage(name);
  if (!found) throw new Error(`the schemas have no message ${name}`);
  return found;
}

/** A field by the name of its message and its own, as the `.proto` or JSON has it. */
export function field(of: string, name: string): DescField {
  const found = message(of).fields.find((field) => field.name === name || field.jsonName === name);
  if (!found) throw new Error(`${of} has no field ${name}`);
  return found;
}
