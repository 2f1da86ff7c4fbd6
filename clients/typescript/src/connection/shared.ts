// Connections that transports share: one for each URL and choice of options.

import type { WebSocketConstructor, WebSocketTransportOptions } from "../options.js";
import { Connection } from "./connection.js";
import { WORLD } from "./environment.js";

interface Shared {
  readonly key: readonly unknown[];
  readonly connection: Connection;
  users: number;
}

const shared = new Set<Shared>();

/** What connections are told apart by: everything that is not a matter of single calls. */
function keyOf(url: string, webSocket: WebSocketConstructor, options: WebSocketTransportOptions): unknown[] {
  const { firstMs, longestMs, attempts } = options.reconnect ?? {};
  const {
    token,
    resume,
    connectTimeoutMs,
    keepAliveMs,
    maxQueuedBytes,
    maxMessageBytes,
    maxUnreadEvents,
    maxUnreadBytes,
  } = options;
  return [
    url,
    webSocket,
    token,
    resume ?? true,
    firstMs,
    longestMs,
    attempts,
    connectTimeoutMs,
    keepAliveMs,
    maxQueuedBytes,
    maxMessageBytes,
    maxUnreadEvents,
    maxUnreadBytes,
  ];
}

/** The connection that others with the same options use, or a new one; and what gives it back. */
export function share(
  options: WebSocketTransportOptions,
): [connection: Connection, release: (code: number, reason: string) => void] {
  const webSocket = options.webSocket ?? (globalThis.WebSocket as unknown as WebSocketConstructor | undefined);
  if (!webSocket)
    throw new TypeError(
      "there is no WebSocket here: give one as the option `webSocket`, such as that of the package ws",
    );
  const url = absolute(options.url);
  const key = keyOf(url, webSocket, options);
  let entry = [...shared].find(
    (one) => one.connection.state.status !== "closed" && one.key.every((value, at) => value === key[at]),
  );
  if (!entry) {
    for (const one of shared) if (one.connection.state.status === "closed") shared.delete(one);
    entry = { key, connection: new Connection(url, options, webSocket, WORLD), users: 0 };
    shared.add(entry);
  }
  const mine = entry;
  mine.users += 1;
  const release = (code: number, reason: string) => {
    mine.users -= 1;
    if (mine.users > 0) return;
    shared.delete(mine);
    mine.connection.close(code, reason);
  };
  return [mine.connection, release];
}

/** The URL with the scheme of WebSockets; one without a scheme is relative to the page. */
function absolute(given: string | URL): string {
  const url = new URL(given, globalThis.location?.href);
  url.protocol = url.protocol.replace(/^http/, "ws");
  if (!/^wss?:$/.test(url.protocol))
    throw new TypeError(`a WebSocket has a URL of ws, wss, http or https, and not ${url.protocol}`);
  url.hash = "";
  return url.href;
}
