// Which control each type has.

import { type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { AnyControl } from "./any.js";
import { BytesControl } from "./bytes-control.js";
import { type Control, MAX_DEPTH, type Making, type Place, type ValueType } from "./control.js";
import { EnumControl } from "./enum.js";
import { BottomControl, FreeControl, isFree, MaskControl } from "./free.js";
import { MessageControl } from "./message.js";
import { lineOf } from "./text.js";
import { DurationControl, TimestampControl } from "./time.js";

/** The control of a value. */
export function controlOf(making: Making, type: ValueType, place: Place): Control {
  switch (type.kind) {
    case "enum":
      return new EnumControl(making, place, type.enum);
    case "scalar":
      return type.scalar === ScalarType.BYTES ? new BytesControl(making, place) : lineOf(making, place, type.scalar);
    case "message":
      return messageControlOf(making, type.message, place);
  }
}

function messageControlOf(making: Making, message: DescMessage, place: Place): Control {
  const { typeName } = message;
  if (isFree(typeName)) return new FreeControl(making, place, typeName);
  switch (typeName) {
    case "google.protobuf.Timestamp":
      return new TimestampControl(making, place);
    case "google.protobuf.Duration":
      return new DurationControl(making, place);
    case "google.protobuf.FieldMask":
      return new MaskControl(making, place);
  }
  const wrapped = isWrapperDesc(message) ? message.fields[0]?.scalar : undefined;
  if (wrapped !== undefined) return controlOf(making, { kind: "scalar", scalar: wrapped }, place);
  if (place.depth >= MAX_DEPTH) return new BottomControl(making, place);
  if (typeName === "google.protobuf.Any") return new AnyControl(making, place);
  return new MessageControl(making, place, message);
}
