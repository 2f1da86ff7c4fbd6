// The server for the cases, built and started.

import { execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const workspace = fileURLToPath(new URL("../../..", import.meta.url));

/** Has cargo build the server, unless the environment names one; gives its program. */
export async function buildServer(...options) {
  if (process.env.RPC_TYPESCRIPT_SERVER) return process.env.RPC_TYPESCRIPT_SERVER;
  const cargo = process.env.CARGO ?? "cargo";
  const words = ["build", "-p", "typescript-server", "--message-format=json-render-diagnostics", ...options];
  const { stdout } = await promisify(execFile)(cargo, words, { cwd: workspace, maxBuffer: 64 << 20 });
  const made = stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line))
    .find((message) => message.executable && message.target.name === "typescript-server");
  if (!made) throw new Error("cargo has built no typescript-server");
  return made.executable;
}

/** Starts a program that says in a line of JSON where it listens, hands that on, and has it end. */
export async function withServer(program, words, use) {
  const server = spawn(program, words, { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const line = await new Promise((resolve, reject) => {
      createInterface(server.stdout).once("line", resolve);
      server.once("error", reject);
      server.once("exit", (code) => reject(new Error(`the server has ended with ${code}`)));
    });
    return await use(JSON.parse(line));
  } finally {
    // It ends when its input does.
    server.removeAllListeners("exit");
    server.stdin.end();
  }
}
