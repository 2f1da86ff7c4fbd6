// Where calls go: to the link that there is, and without one they wait for the next. It does not know how links come and go.

import { Code, ConnectError } from "@connectrpc/connect";
import type { WebSocketTransportOptions } from "../options.js";
import type { Call } from "../protocol/call.js";
import type { ConnectionState } from "../state.js";
import type { Exchange, Keeper, Loss } from "./exchange.js";
import type { Link } from "./link.js";

const MAX_QUEUED_BYTES = 4 << 20;

/** How the connection stands that the calls are for. */
export interface Standing {
  readonly options: WebSocketTransportOptions;
  readonly state: ConnectionState;
  readonly link: Link | undefined;
  /** Whether there will be another link where this one is lost. */
  readonly comesBack: boolean;
}

/** The calls of a connection. */
export class Dispatch implements Keeper {
  readonly budget = { bytes: 0 };
  /** Those that wait for a link. */
  readonly #waiting = new Set<Exchange>();
  readonly #standing: Standing;

  constructor(standing: Standing) {
    this.#standing = standing;
  }

  /** Takes a call up: it is sent now, or when there is a connection. It ends at once where it is not taken. */
  start(exchange: Exchange): void {
    const { state, options } = this.#standing;
    if (state.status === "closed") {
      exchange.fail(state.reason);
    } else if (this.budget.bytes > (options.maxQueuedBytes ?? MAX_QUEUED_BYTES)) {
      exchange.fail(new ConnectError("too much waits for being sent: see maxQueuedBytes", Code.ResourceExhausted));
    } else {
      this.#give(exchange);
    }
  }

  #give(exchange: Exchange): void {
    const { link } = this.#standing;
    exchange.link = link;
    if (!link) this.#waiting.add(exchange);
    else link.protocol.sender.start(exchange.call);
  }

  /** There is a link, for those that wait. */
  open(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const exchange of waiting) this.#give(exchange);
  }

  /** A call that waits is given up. */
  forget(exchange: Exchange): void {
    this.#waiting.delete(exchange);
    exchange.call.shut();
  }

  /** A call has ended because the server goes away. Whether it is sent again. */
  sendAgain(exchange: Exchange, loss: Loss): boolean {
    const again = exchange.isLost(loss, this.#standing.comesBack);
    if (again) this.#give(exchange);
    return again;
  }

  /** Calls have lost their link. What can be sent again waits for the next one, where there will be one. */
  lose(calls: readonly Call[], loss: Loss, comesBack: boolean): void {
    for (const call of calls) {
      const exchange = call.events as Exchange;
      if (exchange.isLost(loss, comesBack)) this.#waiting.add(exchange);
    }
  }

  /** There will be no link any more. */
  fail(reason: ConnectError): void {
    for (const exchange of this.#waiting) exchange.fail(reason);
    this.#waiting.clear();
  }
}
