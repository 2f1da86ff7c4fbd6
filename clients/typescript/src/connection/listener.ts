// Who hears what is no call's.

import type { ConnectError } from "@connectrpc/connect";
import type { Event } from "../gen/rpc/v1/frame_pb.js";

/** Who hears of links and of what is published: the hub. */
export interface Listener {
  /**
   * A link is there, or gone. `eventsAgain`: so many direct events come first that were sent on the one before; `resumed`: its session goes
   * on.
   */
  onLink(isOpen: boolean, eventsAgain: number, resumed?: boolean): void;
  onEvent(event: Event): void;
  onClosed(error: ConnectError): void;
}
