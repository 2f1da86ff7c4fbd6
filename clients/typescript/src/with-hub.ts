// The transport with its hub.

import type { ConnectError } from "@connectrpc/connect";
import type { Hub } from "./hub/hub.js";
import { TransportHub } from "./hub/transport.js";
import type { WebSocketTransportOptions } from "./options.js";
import { type CallTransport, SocketTransport } from "./transport.js";

/** A transport for calls, and the server's hub. Made by {@link createWebSocketTransport}. */
export interface WebSocketTransport extends CallTransport {
  /** The server's hub: channels, presence, history, and what is sent to this client. */
  readonly hub: Hub;
}

/**
 * Makes a transport for Connect's `createClient`. It begins to connect at once.
 *
 * ```ts
 * const transport = createWebSocketTransport({ url: "/rpc" });
 * const tasks = createClient(TaskService, transport);
 * const { items } = await tasks.getAllTask({});
 * ```
 *
 * Throws a `TypeError` where the URL is none, or there is no WebSocket.
 */
export function createWebSocketTransport(options: WebSocketTransportOptions): WebSocketTransport {
  return new HubTransport(options);
}

class HubTransport extends SocketTransport implements WebSocketTransport {
  /** There from the beginning, because the server may send something before the program asks for it. */
  readonly hub = new TransportHub(this.connection, this.calls);

  protected override end(error: ConnectError): void {
    super.end(error);
    this.hub.close(error);
  }
}
