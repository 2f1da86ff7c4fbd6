// Bytes as a person writes them. No DOM.

import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";

/** How bytes are written. */
export const NOTATIONS = ["base64", "hex", "text"] as const;

export type Notation = (typeof NOTATIONS)[number];

/** What is typed, as bytes; or a sentence that says what to write. */
export function decode(notation: Notation, typed: string): Uint8Array | string {
  switch (notation) {
    case "base64": {
      const packed = typed.replace(/\s+/g, "");
      // The decoder skips what it does not know.
      const isWhole = /^[A-Za-z0-9+/_-]*={0,2}$/.test(packed) && packed.replace(/=+$/, "").length % 4 !== 1;
      if (!isWhole || (packed.includes("=") && packed.length % 4 !== 0)) {
        return "Write base64: letters, digits, + and /, four for each three bytes, such as AQID for the bytes 1, 2 and 3.";
      }
      return base64Decode(packed);
    }
    case "hex": {
      const packed = typed.replace(/[\s:]+/g, "").replace(/^0x/i, "");
      if (!/^(?:[\da-f]{2})*$/i.test(packed)) {
        return "Write two digits (0 to 9, a to f) for each byte, such as 01 02 ff.";
      }
      return Uint8Array.from(packed.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    }
    case "text":
      if (!typed.isWellFormed()) return "A half of a surrogate pair is no character: write bytes like these as hex.";
      return new TextEncoder().encode(typed);
  }
}

/** Bytes in hex, two digits for each. */
export function hexOf(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** Bytes as they are written; nothing where the notation has no way to: as text what is not UTF-8. */
export function encode(notation: Notation, bytes: Uint8Array): string | undefined {
  switch (notation) {
    case "base64":
      return base64Encode(bytes);
    case "hex":
      return hexOf(bytes);
    case "text":
      try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      } catch {
        return undefined;
      }
  }
}
