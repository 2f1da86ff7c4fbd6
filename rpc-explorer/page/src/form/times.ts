// Timestamps and durations as a person writes them. No DOM.

/** A text as protobuf's JSON has it; or a sentence that says what to write. */
export type Time = { readonly text: string } | { readonly problem: string };

const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

const FIRST = Date.parse("0001-01-01T00:00:00Z");
const LAST = Date.parse("9999-12-31T23:59:59Z");

/** Reads a moment as RFC 3339 has it, down to nanoseconds; with an offset it is the same moment in UTC. */
export function readTimestamp(typed: string): Time {
  const found = RFC_3339.exec(typed.trim());
  if (!found) return { problem: "Write a moment such as 2026-01-31T13:45:00Z, or 2026-01-31T13:45:00.25+01:00." };
  const [, year, month, day, hour, minute, second, fraction = "", sign = "+", hours = "0", minutes = "0"] = found;
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const local = Date.parse(`${written}Z`);
  // A day that its month does not have is taken for one of the next month by some browsers.
  if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 19) !== written) {
    return {
      problem: `There is no ${written.replace("T", " ")}: look at the day of the month, the hour and the minute.`,
    };
  }
  if (fraction.length > 9)
    return { problem: "Write at most nine digits behind the point: nanoseconds are the finest." };
  if (Number(hours) > 23 || Number(minutes) > 59) {
    return { problem: "Write an offset from -23:59 to +23:59, or Z for UTC." };
  }
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === "-" ? -1 : 1);
  const moment = local - offset;
  if (moment < FIRST || moment > LAST) {
    return { problem: "Write a moment from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z." };
  }
  const part = fraction.replace(/0+$/, "");
  return { text: `${new Date(moment).toISOString().slice(0, 19)}${part === "" ? "" : `.${part}`}Z` };
}

/** The nanoseconds in each unit. */
const UNITS: Readonly<Record<string, bigint>> = {
  d: 86_400_000_000_000n,
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1000n,
  µs: 1000n,
  ns: 1n,
};

/** The longest duration, in nanoseconds: about 10,000 years. */
const LONGEST = 315_576_000_000n * 1_000_000_000n + 999_999_999n;

const LENGTH_PROBLEM = "Write a length of time such as 1.5s, 250ms or 1h 30m.";

/** Reads a length of time: seconds, or parts with units one after the other. */
export function readDuration(typed: string): Time {
  const [, sign = "", parts = ""] = /^\s*([+-]?)\s*(.*?)\s*$/s.exec(typed) ?? [];
  if (!/^(?:\d{1,30}(?:\.\d{1,30})?\s*(?:d|h|ms|m|s|us|µs|ns)\s*)+$/.test(parts)) return { problem: LENGTH_PROBLEM };
  let nanos = 0n;
  for (const [, whole = "0", fraction = "", unit = "s"] of parts.matchAll(
    /(\d+)(?:\.(\d+))?\s*(d|h|ms|m|s|us|µs|ns)/g,
  )) {
    const scale = 10n ** BigInt(fraction.length);
    const scaled = BigInt(whole + fraction) * (UNITS[unit] ?? 0n);
    if (scaled % scale !== 0n) return { problem: "Nanoseconds are the finest: write fewer digits behind the point." };
    nanos += scaled / scale;
  }
  if (nanos > LONGEST) return { problem: "Write at most 315576000000s, which is about 10,000 years." };
  const seconds = nanos / 1_000_000_000n;
  const rest = (nanos % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  const minus = sign === "-" && nanos !== 0n ? "-" : "";
  return { text: `${minus}${seconds}${rest === "" ? "" : `.${rest}`}s` };
}
