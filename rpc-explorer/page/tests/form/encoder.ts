// What a message is on the wire by another implementation of protobuf, which knows the schemas but nothing of the form.

import { readFileSync } from "node:fs";
import { type DescField, type DescMessage, type JsonObject, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import protobufjs from "protobufjs";
import { message } from "./schemas.js";

/** Read from the `.proto` themselves, by that implementation's own parser. */
const root = new protobufjs.Root();
for (const known of ["any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers"]) {
  root.addJSON(protobufjs.common.get(`google/protobuf/${known}.proto`)?.nested ?? {});
}
const PROTOS = [
  "../../tests/equivalence/protos/kitchen/kitchen.proto",
  "tests/protos/forms/forms.proto",
  "tests/protos/forms/older.proto",
];
for (const path of PROTOS) protobufjs.parse(readFileSync(path, "utf8"), root, { keepCase: true });
root.resolveAll();

/** Of google.protobuf.FeatureSet.FieldPresence: a zero is not told from none. */
const IMPLICIT = 2;

/** Encodes a message that is given as proto3 JSON. */
export function encoded(name: string, json: JsonObject): Uint8Array {
  const type = root.lookupType(name);
  return type.encode(type.fromObject(plainMessage(message(name), json))).finish();
}

/** The fields of a message under the names that the `.proto` gives them, with the well-known types taken apart. */
function plainMessage(desc: DescMessage, json: JsonObject): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(json).flatMap(([name, value]) => {
      const field = desc.fields.find(({ jsonName }) => jsonName === name);
      if (!field) throw new Error(`${desc} has no field ${name}`);
      const isImplicit = field.fieldKind !== "message" && field.presence === IMPLICIT;
      return isImplicit && isZero(value, field) ? [] : [[field.name, plainField(field, value)]];
    }),
  );
}

/** Whether a field without presence is left out; the encoder itself writes whatever it is given. */
function isZero(json: JsonValue, { enum: values }: Pick<DescField, "enum">): boolean {
  return json === values?.values[0]?.name || Object.is(json, 0) || ["0", "", false].some((zero) => zero === json);
}

/** What of an object is not zero. */
function notZero(fields: Record<string, JsonValue>): Record<string, JsonValue> {
  return Object.fromEntries(Object.entries(fields).filter(([, json]) => !isZero(json, { enum: undefined })));
}

function plainField(field: DescField, json: JsonValue): unknown {
  if (field.fieldKind === "list") return (json as JsonValue[]).map((item) => plainValue(field, item));
  if (field.fieldKind !== "map") return plainValue(field, json);
  // It takes each key that is not empty for true.
  const plainKey = (key: string) => (field.mapKey === ScalarType.BOOL && key === "false" ? "" : key);
  return Object.fromEntries(
    Object.entries(json as JsonObject).map(([key, item]) => [plainKey(key), plainValue(field, item)]),
  );
}

function plainValue({ message, enum: values }: DescField, json: JsonValue): unknown {
  if (values?.typeName === "google.protobuf.NullValue") return 0;
  if (!message) return json;
  if (!message.typeName.startsWith("google.protobuf.")) return plainMessage(message, json as JsonObject);
  return plainKnown(message, json);
}

/** A value of a well-known type as the message that it is. */
function plainKnown(desc: DescMessage, json: JsonValue): unknown {
  switch (desc.name) {
    case "Empty":
      return {};
    case "Timestamp":
      return notZero({ seconds: String(Math.floor(Date.parse(String(json)) / 1000)), nanos: nanos(String(json)) });
    case "Duration": {
      const [, sign, seconds] = /^(-?)(\d+)/.exec(String(json)) ?? [];
      return notZero({
        seconds: String(BigInt(`${sign}${seconds}`)),
        nanos: Number(`${sign}1`) * nanos(String(json)) || 0,
      });
    }
    case "FieldMask":
      return { paths: String(json).split(",") };
    case "Struct":
      return { fields: Object.fromEntries(Object.entries(json as JsonObject).map(([key, item]) => [key, free(item)])) };
    case "ListValue":
      return { values: (json as JsonValue[]).map(free) };
    case "Value":
      return free(json);
    case "Any": {
      const { "@type": url, ...rest } = json as { "@type": string } & JsonObject;
      const value = encoded(url.slice(url.lastIndexOf("/") + 1), rest);
      return value.length === 0 ? { type_url: url } : { type_url: url, value };
    }
    default:
      return notZero({ value: json });
  }
}

function nanos(time: string): number {
  return Number((/\.(\d+)/.exec(time)?.[1] ?? "").padEnd(9, "0"));
}

/** A `google.protobuf.Value`. */
function free(json: JsonValue): unknown {
  if (json === null) return { nullValue: 0 };
  if (typeof json === "number") return { numberValue: json };
  if (typeof json === "string") return { stringValue: json };
  if (typeof json === "boolean") return { boolValue: json };
  if (Array.isArray(json)) return { listValue: { values: json.map(free) } };
  return { structValue: plainKnown({ name: "Struct" } as DescMessage, json) };
}
