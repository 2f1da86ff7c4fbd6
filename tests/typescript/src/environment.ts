// What the cases are told of where they run: Node or a browser.

import type { WebSocketConstructor } from "rpc-websocket";
import type { Ask } from "./world.js";

/** Where the cases run, and what they run against. */
export interface Environment {
  /** What to call it in reports. */
  readonly platform: "node" | "chromium";
  /** The switches of the server for the cases. */
  readonly control: string;
  /** Where a case connects that plays a server by hand. */
  readonly byHand: string;
  /** Node 20 has no WebSocket of its own. */
  readonly webSocket: WebSocketConstructor | undefined;
  /** Only cases whose names contain this text. */
  readonly filter: string;
  /** Takes the network away from the page, or gives it back; only in a browser. */
  readonly setOffline?: ((offline: boolean) => Promise<void>) | undefined;
  /** Asks the switches from outside of the page, which has no network just now; only in a browser. */
  readonly askOutside?: Ask | undefined;
  /** Says a line. */
  report(line: string): void;
  /** Calls back with each error that nothing caught. */
  onUncaught(callback: (error: unknown) => void): void;
}
