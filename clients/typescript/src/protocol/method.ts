// How a request names its method.

const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

/** FNV-1a, 64 bits, of a text in UTF-8: the number of the method with that full name, such as `task.TaskService/AddTask`. */
export function methodNumber(fullName: string): bigint {
  let hash = OFFSET_BASIS;
  for (const byte of new TextEncoder().encode(fullName)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
  }
  return hash;
}
