// Bytes to be looked at.

import { element } from "../dom.js";
import { hexOf } from "../form/bytes.js";
import { count } from "../words.js";

/** So many bytes are shown. */
const MOST_DUMPED = 1_024;

/** Bytes, sixteen in a line: hex, and what is readable of it. */
export function bytesView(bytes: Uint8Array): HTMLElement {
  const lines: string[] = [];
  const shown = bytes.subarray(0, MOST_DUMPED);
  for (let at = 0; at < shown.length; at += 16) {
    const line = [...shown.subarray(at, at + 16)];
    const text = line.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${at.toString(16).padStart(4, "0")}  ${hexOf(line).padEnd(47)}  ${text}`);
  }
  if (bytes.length > MOST_DUMPED) lines.push(`and ${count(bytes.length - MOST_DUMPED, "byte")} more`);
  return element("pre", { class: "bytes", tabindex: 0, translate: "no" }, lines.join("\n"));
}
