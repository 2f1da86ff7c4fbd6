// What cases state. Each failure says what was there and what was to be.

import { Code, ConnectError } from "@connectrpc/connect";

/** States that something holds. */
export function ok(value: unknown, what: string): asserts value {
  if (!value) throw new Error(`does not hold: ${what}`);
}

/** States that two values are the same: numbers, texts, bytes, and arrays and objects of such. */
export function equal(actual: unknown, expected: unknown, what = "value"): void {
  const [is, be] = [show(actual), show(expected)];
  if (is !== be) throw new Error(`${what}: ${is} is not ${be}`);
}

/** States that a promise is rejected with this code, and gives the error. */
export async function fails(promise: PromiseLike<unknown>, code: Code, text = ""): Promise<ConnectError> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    ok(error instanceof ConnectError, `${String(error)} is a ConnectError`);
    const is = `${Code[error.code]}: ${error.rawMessage}`;
    ok(error.code === code && error.rawMessage.includes(text), `"${is}" is ${Code[code]} and says "${text}"`);
    return error;
  }
  throw new Error(`was to fail with ${Code[code]}, and gave ${show(value)}`);
}

/** One text for one value, whatever its type. */
export function show(value: unknown): string {
  return (
    JSON.stringify(value, (key, part: unknown) => {
      if (key === "$typeName" || key === "$unknown") return undefined;
      if (typeof part === "bigint") return `${part}n`;
      if (part instanceof Uint8Array)
        return `bytes ${part.length <= 64 ? [...part] : `${part.length}, ${digest(part)}`}`;
      if (part instanceof Error) return String(part);
      return part === undefined ? "(undefined)" : part;
    }) ?? "(undefined)"
  );
}

/** FNV-1a, so that long bodies can be told apart in a line. */
function digest(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
