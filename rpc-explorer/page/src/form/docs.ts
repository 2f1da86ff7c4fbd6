// What a `.proto` says of its parts: the comments in a file's source info. No DOM.

import type { AnyDesc, DescEnum, DescExtension, DescFile, DescMessage } from "@bufbuild/protobuf";

/** Where descriptor.proto has what is declared in what: the numbers of its fields. */
const FILE = { message: 4, enum: 5, service: 6, extension: 7 };
const MESSAGE = { field: 2, message: 3, enum: 4, extension: 6, oneof: 8 };
const ENUM = { value: 2 };
const SERVICE = { method: 2 };

const known = new WeakMap<DescFile, ReadonlyMap<string, string>>();

/** What a descriptor's comment says: paragraphs with empty lines between them; empty where there is none. */
export function docsOf(desc: AnyDesc): string {
  const file = fileOf(desc);
  let comments = known.get(file);
  if (!comments) {
    const all = file.proto.sourceCodeInfo?.location ?? [];
    comments = new Map(
      all.flatMap(({ path, leadingComments, trailingComments }) => {
        const comment = leadingComments || trailingComments;
        return comment ? [[path.join("."), unwrapped(comment)] as const] : [];
      }),
    );
    known.set(file, comments);
  }
  return comments.get(pathOf(desc).join(".")) ?? "";
}

/** A comment without the breaks that its lines have in the file. Lines of a list stay lines. */
export function unwrapped(comment: string): string {
  return comment
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim().replace(/\s*\n\s*(?![\s*-])/g, " "))
    .filter((paragraph) => paragraph !== "")
    .join("\n\n");
}

function fileOf(desc: AnyDesc): DescFile {
  switch (desc.kind) {
    case "file":
      return desc;
    case "field":
    case "oneof":
      return desc.parent.file;
    case "enum_value":
    case "rpc":
      return desc.parent.file;
    default:
      return desc.file;
  }
}

function pathOf(desc: AnyDesc): readonly number[] {
  switch (desc.kind) {
    case "file":
      return [];
    case "message":
    case "enum":
    case "extension":
      return [...placeOf(desc)];
    case "service":
      return [FILE.service, desc.file.proto.service.indexOf(desc.proto)];
    case "field":
      return [...placeOf(desc.parent), MESSAGE.field, desc.parent.proto.field.indexOf(desc.proto)];
    case "oneof":
      return [...placeOf(desc.parent), MESSAGE.oneof, desc.parent.proto.oneofDecl.indexOf(desc.proto)];
    case "enum_value":
      return [...placeOf(desc.parent), ENUM.value, desc.parent.proto.value.indexOf(desc.proto)];
    case "rpc":
      return [...pathOf(desc.parent), SERVICE.method, desc.parent.proto.method.indexOf(desc.proto)];
  }
}

/** Where a type is declared: in its file, or in a message. */
function placeOf(desc: DescMessage | DescEnum | DescExtension): readonly number[] {
  const { parent, file } = desc;
  const outer = parent ? placeOf(parent) : [];
  const { message, enum: enums, extension } = parent ? MESSAGE : FILE;
  switch (desc.kind) {
    case "message":
      return [...outer, message, (parent?.proto.nestedType ?? file.proto.messageType).indexOf(desc.proto)];
    case "enum":
      return [...outer, enums, (parent?.proto.enumType ?? file.proto.enumType).indexOf(desc.proto)];
    case "extension":
      return [...outer, extension, (parent?.proto.extension ?? file.proto.extension).indexOf(desc.proto)];
  }
}
