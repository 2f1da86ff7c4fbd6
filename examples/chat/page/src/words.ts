// What a person is told: of errors, of times, and of numbers.

import { Code, ConnectError } from "@connectrpc/connect";

/** Why something did not go well, in a sentence. `what` was to be done, as in "The message was not sent". */
export function why(what: string, error: unknown): string {
  const problem = ConnectError.from(error);
  const said = problem.rawMessage.trim();
  switch (problem.code) {
    case Code.Unavailable:
      return `${what}: the server cannot be reached.`;
    case Code.DeadlineExceeded:
      return `${what}: the server took too long.`;
    case Code.ResourceExhausted:
      return `${what}: that was too much at once. Wait a moment.`;
    case Code.Internal:
    case Code.Unknown:
    case Code.DataLoss:
      return `${what}: something broke on the server. It was not your fault.`;
    case Code.Canceled:
      return `${what}: it was given up.`;
    default:
      // What the server says of what it was asked is written for people.
      return said === "" ? `${what}.` : `${what}: ${sentence(said)}`;
  }
}

/** A text as a sentence that goes on from a colon. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

/** A time of day. */
export function clock(time: Date): string {
  return CLOCK.format(time);
}

/** A day, by its name where it is near. */
export function day(time: Date, now: Date): string {
  const days = Math.round((midnight(now) - midnight(time)) / 86_400_000);
  return days === 0 ? "Today" : days === 1 ? "Yesterday" : DAY.format(time);
}

function midnight(time: Date): number {
  return new Date(time.getFullYear(), time.getMonth(), time.getDate()).getTime();
}

/** So many of something. */
export function count(number: number, one: string, many: string = `${one}s`): string {
  return number === 1 ? `1 ${one}` : `${number.toLocaleString()} ${many}`;
}

/** Names one after another: "ann", "ann and bob", "ann, bob and 3 others". */
export function names(all: readonly string[]): string {
  const [first = "", second] = all;
  if (all.length <= 1) return first;
  if (all.length === 2) return `${first} and ${second}`;
  return `${first}, ${second} and ${count(all.length - 2, "other")}`;
}
