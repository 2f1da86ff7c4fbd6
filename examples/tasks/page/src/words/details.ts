// What a server says of an error beyond its code: how long to wait, and which fields are wrong. Read from the wire itself, because
// three small messages are all that this page needs of `google.rpc` and `buf.validate`.

import { BinaryReader, type WireType } from "@bufbuild/protobuf/wire";
import type { ConnectError } from "@connectrpc/connect";

/** A field that a request broke a rule of. */
export interface FieldProblem {
  /** The field's path, such as `item.label`. */
  readonly field: string;
  /** The rule, such as `string.max_len`; the reason, such as `TAKEN`. */
  readonly rule: string;
  /** In the server's words. */
  readonly message: string;
}

/** How long the server asks to wait, in milliseconds: `google.rpc.RetryInfo`. */
export function retryDelay(error: ConnectError): number | undefined {
  for (const bytes of detailsOf(error, "google.rpc.RetryInfo")) {
    for (const delay of messages(bytes, 1)) {
      const seconds = numbers(delay, 1)[0] ?? 0n;
      const nanos = numbers(delay, 2)[0] ?? 0n;
      const ms = Number(seconds) * 1_000 + Math.ceil(Number(nanos) / 1e6);
      if (ms > 0) return ms;
    }
  }
  return undefined;
}

/** The fields that are wrong: `buf.validate.Violations`, `google.rpc.BadRequest`. */
export function fieldProblems(error: ConnectError): FieldProblem[] {
  const rules = detailsOf(error, "buf.validate.Violations").flatMap((bytes) =>
    messages(bytes, 1).map((violation) => ({
      field: messages(violation, 5)
        .flatMap((path) => messages(path, 1))
        .map((element) => texts(element, 2)[0] ?? "")
        .join("."),
      rule: texts(violation, 2)[0] ?? "",
      message: texts(violation, 3)[0] ?? "",
    })),
  );
  const requests = detailsOf(error, "google.rpc.BadRequest").flatMap((bytes) =>
    messages(bytes, 1).map((violation) => ({
      field: texts(violation, 1)[0] ?? "",
      rule: texts(violation, 3)[0] ?? "",
      message: texts(violation, 2)[0] ?? "",
    })),
  );
  return [...rules, ...requests];
}

function detailsOf(error: ConnectError, type: string): Uint8Array[] {
  return error.details.flatMap((detail) =>
    "type" in detail && detail.type === type && detail.value instanceof Uint8Array ? [detail.value] : [],
  );
}

/** What `read` gives of each occurrence of a field with a wire type. Bytes that do not decode have no such field. */
function fields<T>(bytes: Uint8Array, field: number, wireType: WireType, read: (reader: BinaryReader) => T): T[] {
  const found: T[] = [];
  try {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [number, type] = reader.tag();
      if (number === field && type === wireType) found.push(read(reader));
      else reader.skip(type, number);
    }
  } catch {
    return [];
  }
  return found;
}

// The wire types by number: 2 is what has a length, 0 a number.
const messages = (bytes: Uint8Array, field: number) => fields(bytes, field, 2, (reader) => reader.bytes());
const texts = (bytes: Uint8Array, field: number) => fields(bytes, field, 2, (reader) => reader.string());
const numbers = (bytes: Uint8Array, field: number) => fields(bytes, field, 0, (reader) => BigInt(reader.int64()));
