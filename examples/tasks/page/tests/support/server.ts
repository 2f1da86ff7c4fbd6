// A server of tasks for the tests: the real program, on a port and a database that a restart keeps.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env } from "node:process";

/** What logins are signed with, so that a test can make tokens of its own. */
export const SECRET = "a secret for tests alone, of more than 32 bytes";

/** How long a program may take to say where it listens, in milliseconds. */
const PATIENCE_MS = 30_000;

let program: string | undefined;

/** The program `tasks`, built if it is not. */
function built(): string {
  if (program !== undefined) return program;
  const messages = execFileSync("cargo", ["build", "--quiet", "-p", "tasks", "--message-format=json"], {
    encoding: "utf8",
    maxBuffer: 64 << 20,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const executables = messages
    .split("\n")
    .filter((line) => line !== "")
    .map((line): { executable?: string | null; target?: { name?: string } } => JSON.parse(line))
    .flatMap(({ executable, target }) => (executable && target?.name === "tasks" ? [executable] : []));
  program = executables[0];
  if (program === undefined) throw new Error("cargo has built no program `tasks`");
  return program;
}

export class Server implements AsyncDisposable {
  readonly #folder: string;
  readonly #options: readonly string[];
  #process: ChildProcess | undefined;
  #port = 0;

  private constructor(options: readonly string[]) {
    this.#folder = mkdtempSync(join(tmpdir(), "tasks-page-"));
    this.#options = options;
    writeFileSync(join(this.#folder, "secret"), SECRET, { mode: 0o600 });
  }

  /** Serves an empty database on a free port. */
  static async start(...options: string[]): Promise<Server> {
    const server = new Server(options);
    await server.#begin();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** Where the page is. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** Runs a command of the program as a client of this server, such as `add`. */
  call(...args: string[]): string {
    const server = ["--server", `ws://127.0.0.1:${this.#port}/rpc`];
    // Where logins would be kept: not those of who runs the tests.
    const XDG_CONFIG_HOME = this.#folder;
    return execFileSync(built(), [...args, ...server], { encoding: "utf8", env: { ...env, XDG_CONFIG_HOME } });
  }

  /** Which calls of the task service it has answered, how, and how often. */
  async calls(): Promise<string[]> {
    const metrics = await (await fetch(`${this.url}metrics`)).text();
    const lines = metrics.matchAll(
      /^rpc_server_calls_total\{method="task\.TaskService\/(\w+)",code="(\w+)"\} (\d+)$/gm,
    );
    return [...lines].map(([, method, code, number]) => `${method} ${code} ${number}`).sort();
  }

  /** Kills the process, as a machine that loses its power would. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Serves again, what it served before and where. */
  async restart(): Promise<void> {
    await this.#begin();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    if (!process || process.exitCode !== null || process.signalCode !== null) return;
    const ended = new Promise((resolve) => process.once("exit", resolve));
    process.kill(signal);
    await ended;
  }

  async #begin(): Promise<void> {
    const files = ["--database", join(this.#folder, "tasks.db"), "--jwt-secret-file", join(this.#folder, "secret")];
    const args = ["serve", "--listen", `127.0.0.1:${this.#port}`, ...files, ...this.#options];
    const process = spawn(built(), args, { stdio: ["ignore", "pipe", "inherit"], env: { ...env, RUST_LOG: "error" } });
    this.#process = process;
    const said = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("the server does not say where it listens")), PATIENCE_MS);
      timer.unref();
      let text = "";
      process.stdout?.on("data", (data: Buffer) => {
        text += data.toString();
        if (text.includes("/rpc")) resolve(text);
      });
      process.once("exit", (code) => reject(new Error(`the server has ended with ${code}`)));
    });
    const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
    if (port === undefined) throw new Error(`no address in ${said}`);
    this.#port = Number(port);
  }
}
