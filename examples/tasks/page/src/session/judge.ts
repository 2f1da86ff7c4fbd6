// What an error of a call means for the change that it was to make.

import { Code, ConnectError } from "@connectrpc/connect";
import { mayHaveRun } from "rpc-websocket";
import type { Verdict } from "../model/outbox.js";
import { retryDelay } from "../words/details.js";

export function judge(error: unknown): Verdict {
  const failed = ConnectError.from(error);
  switch (failed.code) {
    case Code.Unavailable:
      return { kind: "again", unsure: mayHaveRun(error) };
    case Code.Canceled:
    case Code.DeadlineExceeded:
    case Code.Aborted:
      return { kind: "again", unsure: true };
    case Code.ResourceExhausted: {
      const afterMs = retryDelay(failed);
      // Without a time it is not a rate: this change is more than the server takes, and always will be.
      return afterMs === undefined ? { kind: "refused" } : { kind: "later", afterMs: Math.max(afterMs, 1) };
    }
    case Code.Unauthenticated:
      return { kind: "login" };
    case Code.AlreadyExists:
      return { kind: "exists" };
    case Code.NotFound:
      return { kind: "missing" };
    default:
      return { kind: "refused" };
  }
}
