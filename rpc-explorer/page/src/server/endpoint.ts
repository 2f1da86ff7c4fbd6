// One endpoint of the server: the connection to it, who one is there, what it serves.

import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { type ConnectionState, createWebSocketTransport, type Identity, type WebSocketTransport } from "rpc-websocket";
import {
  type ListNamespacesResponse,
  type ListServicesResponse,
  ReflectionService,
} from "../gen/rpc/reflection/v1/reflection_pb.js";
import { REFLECTION_MS, Schemas } from "./schemas.js";
import { keep, token } from "./token.js";
import { Wire } from "./wire.js";

/** How long a server may take to look at a token, in milliseconds. */
export const LOGIN_MS = 10_000;

/** What an endpoint serves. */
export interface Served {
  readonly services: ListServicesResponse["services"];
  readonly namespaces: ListNamespacesResponse["namespaces"];
  readonly hasHub: boolean;
}

/** What is known of what is served. */
export type Reflected =
  | { readonly is: "asking" }
  | { readonly is: "told"; readonly served: Served }
  | { readonly is: "refused"; readonly error: ConnectError };

export class Endpoint {
  readonly wire = new Wire();
  transport: WebSocketTransport;
  schemas: Schemas;
  reflected: Reflected = { is: "asking" };
  readonly #listeners = new Set<() => void>();
  #asking = 0;
  /** How often somebody has logged in or out, or tried to. */
  #changes = 0;

  /** `url` is relative to the page. */
  constructor(readonly url: string) {
    this.transport = this.#open();
    this.schemas = new Schemas(this.transport);
    void this.reflect();
  }

  get state(): ConnectionState {
    return this.transport.state;
  }

  get identity(): Identity {
    return this.transport.identity;
  }

  /** Calls back after each change of the connection, of who one is, and of what is known to be served. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #open(): WebSocketTransport {
    const transport = createWebSocketTransport({
      url: new URL(this.url, location.href),
      token: () => token(this.url),
      webSocket: this.wire.webSocket,
    });
    let wasOpen = false;
    transport.on("state", (state) => {
      // A server that comes back may be another one.
      if (state.status === "open" && wasOpen && !state.resumed) {
        this.schemas = new Schemas(transport);
        void this.reflect();
      }
      wasOpen ||= state.status === "open";
      this.#tell();
    });
    transport.on("identity", () => this.#tell());
    return transport;
  }

  /** Connects anew, where it was closed for good. */
  reopen(): void {
    this.transport.close();
    this.transport = this.#open();
    this.schemas = new Schemas(this.transport);
    void this.reflect();
  }

  /** Ends the connection for good. */
  close(): void {
    this.#listeners.clear();
    this.transport.close();
  }

  /** Asks what is served. */
  async reflect(): Promise<void> {
    this.#asking += 1;
    const asking = this.#asking;
    // What is known is shown while it is asked again.
    if (this.reflected.is !== "told") this.reflected = { is: "asking" };
    this.#tell();
    const reflected = await this.#ask();
    if (asking !== this.#asking) return;
    this.reflected = reflected;
    this.#tell();
  }

  async #ask(): Promise<Reflected> {
    const { transport } = this;
    const client = createClient(ReflectionService, transport);
    try {
      await transport.ready();
      const options = { timeoutMs: REFLECTION_MS };
      const [{ services }, { namespaces, hasHub }] = await Promise.all([
        client.listServices({}, options),
        client.listNamespaces({}, options),
      ]);
      return { is: "told", served: { services, namespaces, hasHub } };
    } catch (error) {
      return { is: "refused", error: ConnectError.from(error) };
    }
  }

  /** Becomes whoever a token says. Rejects where it is refused, or there is no connection: then nothing has changed. */
  async logIn(given: string): Promise<void> {
    if (this.state.status === "waiting") throw this.state.reason;
    this.#changes += 1;
    const changes = this.#changes;
    const before = token(this.url);
    keep(this.url, given);
    const showing = this.#show(given);
    try {
      await within(LOGIN_MS, showing);
    } catch (error) {
      const isLatest = () => changes === this.#changes;
      if (isLatest()) keep(this.url, before);
      // The server may take it later still: then it is who one is, unless somebody has logged in or out since.
      showing.then(
        () => {
          if (isLatest()) keep(this.url, given);
        },
        () => {},
      );
      throw error;
    }
    void this.reflect();
  }

  async #show(given: string): Promise<void> {
    if (this.state.status === "closed") {
      this.reopen();
      await this.transport.ready();
      if (this.identity.userId !== undefined) return;
      throw new ConnectError("the server does not know this token", Code.Unauthenticated);
    }
    if (this.state.status === "connecting") await this.transport.ready();
    if (this.identity.userId === undefined) await this.transport.authenticate(given);
    else await this.transport.changeUser(given);
  }

  /** Becomes nobody. */
  async signOut(): Promise<void> {
    this.#changes += 1;
    keep(this.url, undefined);
    if (this.state.status === "closed") return this.reopen();
    await this.transport.signOut();
    void this.reflect();
  }
}

/** Gives a promise so many milliseconds. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ConnectError("the server does not answer", Code.DeadlineExceeded)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
