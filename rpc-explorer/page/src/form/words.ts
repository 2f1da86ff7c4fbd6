// Types in words: discreetly, for those who look at the wire.

import { type DescField, type DescOneof, ScalarType } from "@bufbuild/protobuf";
import { Edition } from "@bufbuild/protobuf/wkt";
import { element } from "../dom.js";

/** The name of a scalar type, as a `.proto` has it. */
export function scalarName(type: ScalarType): string {
  return ScalarType[type].toLowerCase();
}

/** The type of a field as a `.proto` has it, such as `repeated string`. */
export function typeName(field: DescField): string {
  switch (field.fieldKind) {
    case "list":
      return `repeated ${single(field)}`;
    case "map":
      return `map<${scalarName(field.mapKey)}, ${single(field)}>`;
    default:
      return isOptional(field) ? `optional ${single(field)}` : single(field);
  }
}

/** Whether the schema says `optional`, which other syntax than proto3 means where it says nothing. */
export function isOptional(field: DescField): boolean {
  if (field.parent.file.edition === Edition.EDITION_PROTO3) return field.proto.proto3Optional;
  return field.fieldKind !== "list" && field.fieldKind !== "map" && !field.oneof && field.presence === EXPLICIT;
}

/** Of google.protobuf.FeatureSet.FieldPresence. */
const EXPLICIT = 1;

function single(field: DescField): string {
  if (field.message) return field.message.name;
  if (field.enum) return field.enum.name;
  return scalarName(field.scalar);
}

/** The type and the number of a field. */
export function typeInWords(desc: DescField | DescOneof): HTMLElement {
  if (desc.kind === "oneof") return element("span", { class: "mf-type" }, "one of");
  const full = desc.message?.typeName ?? desc.enum?.typeName;
  const shown = element("span", { class: "mf-type" }, `${typeName(desc)} · ${desc.number}`);
  shown.title = `${full === undefined ? "" : `${full}; `}field number ${desc.number}`;
  return shown;
}
