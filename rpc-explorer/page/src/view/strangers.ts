// Messages in `Any` whose types no schema at hand declares: asked of the server, and else shown by their bytes, so that all else of a
// message can be shown.

import {
  clone,
  create,
  createFileRegistry,
  createRegistry,
  type DescMessage,
  fromBinary,
  type Message,
  type Registry,
  toBinary,
} from "@bufbuild/protobuf";
import {
  isReflectList,
  isReflectMap,
  isReflectMessage,
  type ReflectMessage,
  reflect,
} from "@bufbuild/protobuf/reflect";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  type Any,
  AnySchema,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import type { Schemas } from "../server/schemas.js";

/** A message in which all types are known. */
export interface Introduced {
  readonly message: Message;
  /** What knows them. */
  readonly registry: Registry;
  /** The full names of those of which nothing but the bytes is. */
  readonly strangers: readonly string[];
}

/** Makes all types of a message known. */
export function introduced(desc: DescMessage, message: Message, registry: Registry = createRegistry()): Introduced {
  if (!mayHoldAny(desc)) return { message, registry, strangers: [] };
  const strangers = new Map<string, DescMessage>();
  const shown = clone(desc, message);
  introduce(reflect(desc, shown), registry, strangers);
  return {
    message: shown,
    registry: createRegistry(registry, ...strangers.values()),
    strangers: [...strangers.keys()],
  };
}

/**
 * Asks a server for the types of a message that `registry` does not know. Gives one that knows those of them that the server has, and
 * nothing where it has none.
 */
export async function acquainted(
  desc: DescMessage,
  message: Message,
  registry: Registry | undefined,
  schemas: Schemas,
): Promise<Registry | undefined> {
  let known: Registry | undefined;
  for (;;) {
    // What has become known may hold others.
    const { strangers } = introduced(desc, message, known ?? registry);
    const asked = await Promise.allSettled(strangers.map((name) => schemas.guessed(name)));
    const found = asked.flatMap((one) => (one.status === "fulfilled" ? [one.value.desc] : []));
    if (found.length === 0) return known;
    known = createRegistry(...[known ?? registry].filter((one) => one !== undefined), ...found);
  }
}

/** Packs whatever is not known into a message that has its bytes in a field. */
function introduce(message: ReflectMessage, registry: Registry, strangers: Map<string, DescMessage>): void {
  for (const any of anysIn(message)) {
    const name = any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1);
    if (name === "") continue;
    const desc = registry.getMessage(name);
    if (desc && mayHoldAny(desc)) {
      const inner = reflect(desc, fromBinary(desc, any.value));
      introduce(inner, registry, strangers);
      any.value = toBinary(desc, inner.message);
    }
    if (desc) continue;
    const stranger = strangers.get(name) ?? strangerOf(name);
    if (!stranger) continue;
    strangers.set(name, stranger);
    any.value = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(any.value).finish();
  }
}

const holders = new WeakMap<DescMessage, boolean>();

/** Whether a message, or one in it, may be an `Any`. Most are not, and need no copy. */
function mayHoldAny(desc: DescMessage): boolean {
  let may = holders.get(desc);
  if (may === undefined) {
    const seen = new Set<DescMessage>([desc]);
    for (const one of seen) for (const { message } of one.fields) if (message) seen.add(message);
    may = [...seen].some(({ typeName }) => typeName === AnySchema.typeName);
    holders.set(desc, may);
  }
  return may;
}

function anysIn(message: ReflectMessage): Any[] {
  if (message.desc.typeName === AnySchema.typeName) return [message.message as Any];
  return message.fields.flatMap((field) => {
    if (!message.isSet(field)) return [];
    const value: unknown = message.get(field);
    const values = isReflectList(value) || isReflectMap(value) ? [...value.values()] : [value];
    return values.flatMap((one) => (isReflectMessage(one) ? anysIn(one) : []));
  });
}

/** What is known of a type by its name: that it has bytes. */
function strangerOf(typeName: string): DescMessage | undefined {
  const dot = typeName.lastIndexOf(".");
  const file = create(FileDescriptorProtoSchema, {
    name: "stranger.proto",
    package: typeName.slice(0, Math.max(dot, 0)),
    syntax: "proto3",
    messageType: [
      {
        name: typeName.slice(dot + 1),
        field: [
          {
            name: "not_known_here",
            jsonName: "notKnownHere",
            number: 1,
            label: FieldDescriptorProto_Label.OPTIONAL,
            type: FieldDescriptorProto_Type.BYTES,
          },
        ],
      },
    ],
  });
  return createFileRegistry(file, () => undefined).getMessage(typeName);
}
