// The states that a connection is seen in.

import type { ConnectionState, WebSocketTransport } from "rpc-websocket";

/** Every state that a transport is seen in, from now on. */
export function states(transport: WebSocketTransport): ConnectionState[] {
  const seen: ConnectionState[] = [];
  transport.on("state", (state) => seen.push(state));
  return seen;
}

/** Without what they tell. */
export const statuses = (seen: readonly ConnectionState[]) => seen.map(({ status }) => status);
