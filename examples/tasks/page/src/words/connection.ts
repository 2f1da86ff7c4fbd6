// How the connection stands, as a person would say it.

import { Code } from "@connectrpc/connect";
import type { ClosedState, ConnectionState } from "rpc-websocket";

/** What is shown of the connection. */
export interface Standing {
  /** What it looks like. */
  readonly tone: "live" | "busy" | "away" | "over";
  /** One or two words. */
  readonly short: string;
  /** A sentence for the bar below the head; `undefined` where all is well. */
  readonly sentence?: string;
  /** When the next attempt begins. */
  readonly retryAt?: Date;
}

/** How it stands. `caughtUp`: the list is as the server has it. */
export function standing(state: ConnectionState, caughtUp: boolean, online: boolean): Standing {
  switch (state.status) {
    case "open":
      return caughtUp ? { tone: "live", short: "Live" } : { tone: "busy", short: "Catching up" };
    case "connecting":
      if (state.failedAttempts === 0) return { tone: "busy", short: "Connecting" };
      return { tone: "away", short: "Reconnecting", sentence: "Trying to reach the server…" };
    case "waiting":
      if (!online) {
        return {
          tone: "away",
          short: "Offline",
          sentence: "You are offline. What you do here is kept, and sent when you are back.",
        };
      }
      return {
        tone: "away",
        short: "Reconnecting",
        sentence: `${lost(state.closeCode)} What you do here is kept.`,
        retryAt: state.retryAt,
      };
    case "closed":
      return { tone: "over", short: "Not connected", sentence: closed(state) };
  }
}

/** Why a connection that comes back was lost. */
function lost(closeCode: number): string {
  switch (closeCode) {
    case 1001:
    case 1012:
      return "The server is being restarted.";
    case 1013:
      return "The server is busy.";
    case 4408:
      return "The connection was too slow.";
    case 4429:
      return "The server was asked too much at once.";
    default:
      return "The connection to the server is lost.";
  }
}

/** Why there is no connection any more. */
function closed({ closeCode, reason }: ClosedState): string {
  switch (closeCode) {
    case 4504:
      return "This page is of another version than the server. Load it again.";
    case 4500:
    case 4505:
      return "The server wants to know who you are.";
    case 4506:
      return "Somebody else has taken up this session, or the server has forgotten it.";
    case 1008:
      return "The server does not take connections from this page.";
    default:
      if (reason.code === Code.Unauthenticated) return "The server wants to know who you are.";
      return "The server has ended the connection.";
  }
}
