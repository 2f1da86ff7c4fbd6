// The servers that are explored: the real programs of the examples.

import { Program } from "../../../../tests/pages/program.js";

export function ticker(): Promise<Program> {
  return Program.start("ticker", (address) => ["serve", "--listen", address]);
}

export function tasks(): Promise<Program> {
  return Program.start("tasks", (address, folder) => [
    "serve",
    "--listen",
    address,
    "--database",
    `${folder}/tasks.db`,
  ]);
}

export function chat(): Promise<Program> {
  return Program.start("chat", (address, folder) => ["serve", "--listen", address, "--database", `${folder}/chat.db`]);
}
