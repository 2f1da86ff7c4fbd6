// Well-known types with a form of their own, which JSON has too.

import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { isFree } from "./free.js";

export const ANY = "google.protobuf.Any";

const LINES = ["google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.FieldMask"];

/** Whether a message is filled in at one control, as a scalar is. */
export function isLine(message: DescMessage): boolean {
  return LINES.includes(message.typeName) || isFree(message.typeName) || isWrapperDesc(message);
}

/** Whether JSON's null is a value of a field, and does not mean that it is not set. */
export function takesNull(field: DescField): boolean {
  return field.message?.typeName === "google.protobuf.Value" || field.enum?.typeName === "google.protobuf.NullValue";
}
