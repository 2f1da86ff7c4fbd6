// What connections show to be known.

import { Code, ConnectError } from "@connectrpc/connect";
import type { TokenSource } from "../options.js";
import { CloseCode } from "../protocol/close.js";
import type { Environment } from "./environment.js";

/** A client's token, or where it comes from, over all its connections. */
export class Credentials {
  #remembered: string | undefined;
  #signedOut = false;
  /** Counts what the program has begun to change. */
  #changes = 0;
  #lastSignOut = 0;

  constructor(
    readonly source: TokenSource | undefined,
    readonly timeout: number,
    readonly world: Environment,
  ) {
    if (typeof source === "string") this.#remembered = source;
  }

  /** Whether there is somebody to ask for fresh tokens. */
  get isAsked(): boolean {
    return typeof this.source === "function" && !this.#signedOut;
  }

  /** What a new connection shows; throws what the program's function does. */
  async show(): Promise<string> {
    const token = await (this.isAsked ? this.#ask() : this.#remembered);
    // The program may have signed out meanwhile.
    return this.#signedOut ? "" : (token ?? "");
  }

  /** A fresh token for a live connection; empty where the program has changed who it is, and none is needed. */
  async fresh(): Promise<string> {
    const before = this.#changes;
    const token = this.isAsked ? await this.#ask() : "";
    return this.#changes === before ? token : "";
  }

  async #ask(): Promise<string> {
    let stop = () => {};
    const late = new Promise<never>((_, reject) => {
      const error = () =>
        reject(new ConnectError(`the token function gave none within ${this.timeout} ms`, Code.DeadlineExceeded));
      stop = this.world.later(error, this.timeout);
    });
    try {
      const source = this.source;
      return (await Promise.race([typeof source === "function" ? source() : source, late])) ?? "";
    } finally {
      stop();
    }
  }

  /** The program begins to change who it is. Gives the number of the change. */
  changes(): number {
    this.#changes += 1;
    return this.#changes;
  }

  /** The program signs out: whatever comes of that, nothing is shown from now on. */
  signOut(): void {
    this.#lastSignOut = this.changes();
    this.#signedOut = true;
    this.#remembered = undefined;
  }

  /** The server has accepted a token that the program has shown in a change. */
  accepted(token: string, change: number): void {
    // The program may have signed out behind it.
    if (change <= this.#lastSignOut) return;
    this.#signedOut = false;
    this.#remembered = token;
  }

  /** The token has expired. Shown again it would be refused. */
  expired(): void {
    this.#remembered = undefined;
  }
}

/** With what a connection is closed whose token the server refuses: whether the client comes back. */
export function refusalCode({ code, details }: ConnectError): number {
  const expired = details.some((detail) => "type" in detail && isExpired(detail.type, detail.value));
  if (expired) return CloseCode.tokenExpired;
  // Anything else may go better next time.
  return REFUSALS.includes(code) ? CloseCode.tokenInvalid : CloseCode.retry;
}

const REFUSALS = [
  Code.Unauthenticated,
  Code.PermissionDenied,
  Code.InvalidArgument,
  Code.Unimplemented,
  Code.NotFound,
  Code.FailedPrecondition,
];

/** Whether a detail is the `google.rpc.ErrorInfo` of a token that has expired, for which there is no schema here. */
function isExpired(type: string, value: unknown): boolean {
  return (
    type === "google.rpc.ErrorInfo" &&
    value instanceof Uint8Array &&
    /CREDENTIAL_EXPIRED/.test(new TextDecoder().decode(value))
  );
}
