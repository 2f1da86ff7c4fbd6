// By what a client comes back to its session.

import type { Greeting } from "../gen/rpc/v1/frame_pb.js";
import { CloseCode } from "../protocol/close.js";

/** What a connection asks to go on with. */
export interface Return {
  readonly token: string;
  readonly received: number;
}

/** The token of the session, where the server keeps sessions. It is secret, and lives in memory only. */
export class Session {
  #token = "";
  /** How long it is good after the connection was lost, in milliseconds. */
  #within = 0;
  #lost: { readonly at: number; readonly received: number } | undefined;

  constructor(readonly enabled: boolean) {}

  /** What to come back with, where there is a session that may wait still. */
  toReturn(now: number): Return | undefined {
    const lost = this.#lost;
    if (!lost || !this.#token || now - lost.at >= this.#within) return undefined;
    return { token: this.#token, received: lost.received };
  }

  /** The program is not who the session was any more, or the server goes away with it. */
  forget(): void {
    this.#token = "";
  }

  /** The server has greeted. Whether it is to be told that its token is stored in place of another. */
  greeted(greeting: Greeting): boolean {
    this.#token = this.enabled ? greeting.resumeToken : "";
    this.#within = Number(greeting.resumeWithinUs) / 1_000;
    this.#lost = undefined;
    return greeting.resumed && this.#token !== "";
  }

  /** The server has replaced the token. Whether it is to be told that this is stored. */
  renewed(token: string): boolean {
    if (!this.enabled || !token) return false;
    this.#token = token;
    return true;
  }

  /** The connection has ended. `settled`: the client is who the server takes it for. Any other code says that the session has ended. */
  ended(code: number, received: number, settled: boolean, now: number): void {
    if (this.#lost) return;
    if (settled && (code === CloseCode.abnormal || code === CloseCode.tooSlow)) this.#lost = { at: now, received };
    else this.#token = "";
  }
}
