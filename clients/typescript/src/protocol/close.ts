// Why a connection ends, and whether the client comes back.

/** Codes of close frames that this client sends or looks at. The whole table is in the project's `docs/wire.md`. */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  abnormal: 1006,
  /** This client's own, for what may go better next time. */
  retry: 4000,
  tokenExpired: 4401,
  tooSlow: 4408,
  tooMuch: 4429,
  tokenInvalid: 4500,
  frameInvalid: 4501,
  protocolViolated: 4502,
  resumeRefused: 4506,
} as const;

/** Whether a client may come back after this code: elsewhere the reason would be the same the next time. */
export function mayReturn(code: number): boolean {
  return [1001, 1005, 1006, 1011, 1012, 1013, 1014].includes(code) || (code >= 4000 && code < 4500);
}

// A server may leave the reason out, and a page is to say something all the same.
const REASONS: Record<number, string> = {
  1000: "the server has finished",
  1001: "the server goes away",
  1006: "the connection was lost",
  1009: "a message was longer than the server accepts",
  1012: "the server restarts",
  1013: "the server asks to try again later",
  4401: "the token has expired",
  4408: "the connection was too slow",
  4429: "the server was asked too much",
  4500: "the token is invalid",
  4503: "the token is another user's",
  4504: "the server does not speak this protocol",
  4505: "the server requires a token",
  4506: "the session could not be resumed",
};

/** What to tell people of a close. */
export function closeText(code: number, reason: string): string {
  return `${reason || (REASONS[code] ?? "the connection was closed")} (${code})`;
}

/** The peer broke the protocol, or does not answer: the connection is to be closed with the code. */
export class ConnectionFault extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}
