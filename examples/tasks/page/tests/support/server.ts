// The server of tasks for the tests: the real program, with a database that a restart keeps.

import { Program } from "../../../../../tests/pages/program.js";

/** What logins are signed with, so that a test can make tokens of its own. */
export const SECRET = "a secret for tests alone, of more than 32 bytes";

/** Serves an empty database. */
export function serve(...options: readonly string[]): Promise<Program> {
  return Program.start(
    "tasks",
    (address, folder) => [
      "serve",
      "--listen",
      address,
      "--database",
      `${folder}/tasks.db`,
      "--jwt-secret-file",
      `${folder}/secret`,
      ...options,
    ],
    { secret: SECRET },
  );
}

/** Runs a command of the program as a client of this server, such as `add`. */
export function call(server: Program, ...words: readonly string[]): string {
  return server.run(...words, "--server", `ws://127.0.0.1:${server.port}/rpc`);
}

/** Which calls of the task service it has answered, how, and how often. */
export async function callsOf(server: Program): Promise<string[]> {
  const metrics = await (await fetch(`${server.url}metrics`)).text();
  const lines = metrics.matchAll(/^rpc_server_calls_total\{method="task\.TaskService\/(\w+)",code="(\w+)"\} (\d+)$/gm);
  return [...lines].map(([, method, code, number]) => `${method} ${code} ${number}`).sort();
}
