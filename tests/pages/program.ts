// The real program of an example, with a port and a folder of its own that a restart keeps.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env } from "node:process";

/** How long a program may take to say where it listens, in milliseconds. What it says decides; the time is only when to give up. */
const PATIENCE_MS = 120_000;

const built = new Map<string, string>();

/** Where cargo has built the program of a package. */
function program(name: string): string {
  const known = built.get(name);
  if (known !== undefined) return known;
  const messages = execFileSync(env.CARGO ?? "cargo", ["build", "--quiet", "-p", name, "--message-format=json"], {
    encoding: "utf8",
    maxBuffer: 64 << 20,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const executable = messages
    .split("\n")
    .filter((line) => line !== "")
    .map((line): { executable?: string | null; target?: { name?: string } } => JSON.parse(line))
    .find(({ executable, target }) => executable && target?.name === name)?.executable;
  if (!executable) throw new Error(`cargo has built no program \`${name}\``);
  built.set(name, executable);
  return executable;
}

/** What a program is told: where to listen, and its folder, for whatever it keeps. */
export type Arguments = (address: string, folder: string) => readonly string[];

/** Files that its folder has before it starts: what they hold, by their names. */
export type Files = Readonly<Record<string, string>>;

/** A program that serves a page. It is ended with what holds it. */
export class Program implements AsyncDisposable {
  readonly folder: string;
  #process: ChildProcess | undefined;
  #port = 0;

  private constructor(
    private readonly name: string,
    private readonly arguments_: Arguments,
  ) {
    this.folder = mkdtempSync(join(tmpdir(), `${name}-page-`));
  }

  /** Starts it on a free port. It says where its page is. */
  static async start(name: string, arguments_: Arguments, files: Files = {}): Promise<Program> {
    const started = new Program(name, arguments_);
    for (const [file, text] of Object.entries(files)) writeFileSync(join(started.folder, file), text, { mode: 0o600 });
    await started.restart();
    return started;
  }

  get port(): number {
    return this.#port;
  }

  /** Where the page is. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** Runs the program beside the one that serves, for what it does without serving. */
  run(...words: readonly string[]): string {
    return execFileSync(program(this.name), words, { encoding: "utf8", env: this.#environment });
  }

  /** What it would keep where a user's settings are is not to be seen by who runs the tests. */
  get #environment(): NodeJS.ProcessEnv {
    return { ...env, XDG_CONFIG_HOME: this.folder };
  }

  /** Kills the process, as a machine that loses its power would. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    if (!process || process.exitCode !== null || process.signalCode !== null) return;
    const ended = new Promise((resolve) => process.once("exit", resolve));
    process.kill(signal);
    await ended;
  }

  /** Serves again, where it served before. */
  async restart(): Promise<void> {
    const words = this.arguments_(`127.0.0.1:${this.#port}`, this.folder);
    const process = spawn(program(this.name), words, {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...this.#environment, RUST_LOG: "error" },
    });
    this.#process = process;
    this.#port = await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.name} does not say where its page is`)), PATIENCE_MS);
      timer.unref();
      let text = "";
      process.stdout?.on("data", (data: Buffer) => {
        text += data.toString();
        // With what follows it: a part of a number is no port.
        const port = /http:\/\/127\.0\.0\.1:(\d+)\D/.exec(text)?.[1];
        if (port !== undefined) resolve(Number(port));
      });
      process.once("exit", (code) => reject(new Error(`${this.name} has ended with ${code}`)));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
