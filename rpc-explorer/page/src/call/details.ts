// The messages of `google.rpc` that errors bring as details (`google/rpc/error_details.proto`), which no schema of a server declares.

import { create, createFileRegistry } from "@bufbuild/protobuf";
import {
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  file_google_protobuf_duration,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";

/** The fields of each, in the order of their numbers, which begin with 1: `*` is repeated, a name is a message. */
const MESSAGES: { readonly [message: string]: readonly string[] } = {
  RetryInfo: ["retry_delay google.protobuf.Duration"],
  DebugInfo: ["stack_entries* string", "detail string"],
  ErrorInfo: ["reason string", "domain string", "metadata* google.rpc.Entry"],
  // A map is a list of these on the wire.
  Entry: ["key string", "value string"],
  BadRequest: ["field_violations* google.rpc.FieldViolation"],
  FieldViolation: [
    "field string",
    "description string",
    "reason string",
    "localized_message google.rpc.LocalizedMessage",
  ],
  QuotaFailure: ["violations* google.rpc.QuotaViolation"],
  QuotaViolation: [
    "subject string",
    "description string",
    "api_service string",
    "quota_metric string",
    "quota_id string",
    "quota_dimensions* google.rpc.Entry",
    "quota_value int64",
    "future_quota_value int64",
  ],
  PreconditionFailure: ["violations* google.rpc.PreconditionViolation"],
  PreconditionViolation: ["type string", "subject string", "description string"],
  ResourceInfo: ["resource_type string", "resource_name string", "owner string", "description string"],
  RequestInfo: ["request_id string", "serving_data string"],
  Help: ["links* google.rpc.Link"],
  Link: ["description string", "url string"],
  LocalizedMessage: ["locale string", "message string"],
};

const file = create(FileDescriptorProtoSchema, {
  name: "google/rpc/error_details.proto",
  package: "google.rpc",
  syntax: "proto3",
  dependency: ["google/protobuf/duration.proto"],
  messageType: Object.entries(MESSAGES).map(([name, fields]) => ({ name, field: fields.map(fieldOf) })),
});

function fieldOf(field: string, at: number) {
  const [name = "", type = ""] = field.split(" ");
  const scalar = { string: Type.STRING, int64: Type.INT64 }[type];
  return create(FieldDescriptorProtoSchema, {
    name: name.replace("*", ""),
    jsonName: jsonNameOf(name.replace("*", "")),
    number: at + 1,
    label: name.endsWith("*") ? Label.REPEATED : Label.OPTIONAL,
    ...(scalar === undefined ? { type: Type.MESSAGE, typeName: `.${type}` } : { type: scalar }),
  });
}

function jsonNameOf(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The details that errors have by convention. */
export const COMMON_DETAILS = createFileRegistry(file, (name) =>
  name === file_google_protobuf_duration.proto.name ? file_google_protobuf_duration : undefined,
);
