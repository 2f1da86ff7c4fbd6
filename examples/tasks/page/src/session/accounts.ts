// Registering and logging in: calls of an endpoint of its own, connected for as long as somebody is at the form.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createWebSocketTransport, type WebSocketTransport } from "rpc-websocket";
import { AuthService, type LoginResponse } from "../gen/auth/auth_pb.js";
import type { Login } from "./login.js";

/** How long a try may take, in milliseconds: the server hashes for a while, and may have others to hash for. */
const PATIENCE_MS = 15_000;

export class Accounts {
  readonly #transport: WebSocketTransport;
  readonly #calls: Client<typeof AuthService>;

  constructor(url: string) {
    this.#transport = createWebSocketTransport({ url, defaultTimeoutMs: PATIENCE_MS });
    this.#calls = createClient(AuthService, this.#transport);
  }

  async logIn(name: string, password: string): Promise<Login> {
    return login(await this.#calls.login({ name, password }));
  }

  async register(name: string, password: string): Promise<Login> {
    return login(await this.#calls.register({ name, password }));
  }

  /** Calls that are under way are given up. */
  close(): void {
    this.#transport.close();
  }
}

function login({ token, expires, user }: LoginResponse): Login {
  if (!user || !expires) throw new ConnectError("a login without a user", Code.Internal);
  return { token, userId: user.id, name: user.name, expires: timestampMs(expires) };
}
