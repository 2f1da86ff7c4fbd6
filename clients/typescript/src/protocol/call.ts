// One call, as the connection's end of it: what it sends, what has come of its answer, and its windows.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { End, MetadataSchema, Response } from "../gen/rpc/v1/frame_pb.js";
import { DEFAULTS } from "./limits.js";

/** What a waiting call takes beside its body, about, in bytes. */
const FIXED_COST = 256;

/** What all calls of a client have waiting to be sent, in bytes. */
export interface Budget {
  bytes: number;
}

/** What a call asks for. */
export interface CallRequest {
  readonly method: bigint;
  readonly metadata: MessageInitShape<typeof MetadataSchema>[];
  /** The message, or nothing where a stream of them follows. */
  readonly body: Uint8Array;
  /** A stream of messages follows. */
  readonly open: boolean;
  /** What is left until the deadline, in microseconds, when it is sent; 0: there is none. */
  timeoutUs(): bigint;
}

/** What a call is told. After `onResponse` or `onEnd` nothing follows. */
export interface CallEvents {
  /** The response is a stream, which begins. */
  onOpened(response: Response): void;
  /** A message of that stream. What it costs is to be given back by `consumed` when it was taken. */
  onMessage(body: Uint8Array, cost: number): void;
  /** It went well, with one message. */
  onResponse(response: Response): void;
  /** It ended with a status; without one it went well. `givenUp`: by this side, although it was sent, and so it may have run. */
  onEnd(end: End, givenUp?: boolean): void;
  /** The server reads no more of what the call sends. */
  onStopSending(): void;
  /** The message that was sent has left: there may be another one. */
  onWritable(): void;
}

/**
 * One attempt to make a call.
 *
 * ```text
 *   pending ── request ──▶ waiting ── a response, in parts ──▶ assembling ──▶ over
 *                             │ an open response                               ▲
 *                             ▼                                     end        │
 *                          opened ─────────────────────────────────────────────┘
 * ```
 */
export class Call {
  /** 0 before it is sent. */
  id = 0;
  phase: "pending" | "waiting" | "assembling" | "opened" | "over" = "pending";

  // What it sends.
  sendWindow = DEFAULTS.streamWindowBytes;
  /** `open`: messages may follow. `finishing`: an end follows what waits. `shut`: nothing follows it. */
  sending: "open" | "finishing" | "shut";
  /** What is left of the message that is being sent. */
  rest: Uint8Array | undefined;

  // What it receives.
  receiveWindow = DEFAULTS.streamWindowBytes;
  /** What the program was given and did not take. */
  unconsumed = 0;
  /** The parts that have come of a message that is not whole. */
  parts: Uint8Array[] | undefined;
  partBytes = 0;
  /** The final response, whose body is not whole. */
  response: Response | undefined;

  #queued = 0;

  constructor(
    readonly request: CallRequest,
    readonly events: CallEvents,
    readonly budget: Budget,
  ) {
    this.sending = request.open ? "open" : "shut";
    this.queue(Call.cost(request));
  }

  /** What a call takes while it waits for being sent. */
  static cost(request: { readonly body: Uint8Array }): number {
    return request.body.length + FIXED_COST;
  }

  /** So many bytes more, or less, wait for being sent. */
  queue(bytes: number): void {
    this.#queued += bytes;
    this.budget.bytes += bytes;
  }

  /** Nothing more is sent. */
  shut(): void {
    this.sending = "shut";
    this.rest = undefined;
    this.queue(-this.#queued);
  }
}
