// How a request names its method.

const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

/**
 * The number by which requests name the method with that full name, such as `task.TaskService/AddTask`, for who reads frames: FNV-1a, 64
 * bits, of the name in UTF-8.
 */
export function methodNumber(fullName: string): bigint {
  let hash = OFFSET_BASIS;
  for (const byte of new TextEncoder().encode(fullName)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
  }
  return hash;
}
