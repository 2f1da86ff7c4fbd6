// What is said of calls, statuses and times, in words.

import type { Duration } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { ConnectionState } from "rpc-websocket";
import { MethodKind } from "./gen/rpc/reflection/v1/reflection_pb.js";

/** What streams, in two words; nothing of what does not. */
export function kindOf(kind: MethodKind): string {
  switch (kind) {
    case MethodKind.UNARY:
      return "";
    case MethodKind.SERVER_STREAMING:
      return "server stream";
    case MethodKind.CLIENT_STREAMING:
      return "client stream";
    case MethodKind.BIDIRECTIONAL:
      return "both stream";
    default:
      return "unknown kind";
  }
}

/** A code as gRPC writes it, such as `INVALID_ARGUMENT`. */
export function codeName(code: Code): string {
  if (code === Code.Canceled) return "CANCELLED";
  return (Code[code] ?? `code ${code}`).replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

/** What an error says, with its code. */
export function why(error: unknown): string {
  const { code, rawMessage } = ConnectError.from(error);
  return `${rawMessage} (${codeName(code)})`;
}

/** The time of day, to the millisecond or to the second. */
export function timeOf(date: Date, hasMilliseconds = true): string {
  const two = (number: number) => String(number).padStart(2, "0");
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return hasMilliseconds ? `${time}.${String(date.getMilliseconds()).padStart(3, "0")}` : time;
}

/** How long something took. */
export function took(ms: number): string {
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 1_000) return `${ms.toFixed(0)} ms`;
  return `${(ms / 1_000).toFixed(2)} s`;
}

/** A number of bytes. */
export function sizeOf(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  if (bytes < 1 << 20) return `${(bytes / 1_024).toFixed(1)} KiB`;
  return `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}

/** A span of time, such as `1.5 s` or `1 h`. */
export function spanOf({ seconds, nanos }: Duration): string {
  const all = Number(seconds) + nanos / 1e9;
  const units = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"],
  ] as const;
  const fits = units.find(([unit]) => all >= unit && (all % unit === 0 || unit === 1));
  return fits ? `${Number((all / fits[0]).toFixed(3))} ${fits[1]}` : `${Number((all * 1_000).toFixed(3))} ms`;
}

/** How many of something there are. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** How the connection stands, in a word. */
export function stateWord({ status }: ConnectionState): string {
  switch (status) {
    case "connecting":
      return "Connecting";
    case "open":
      return "Connected";
    case "waiting":
      return "No connection";
    case "closed":
      return "Closed";
  }
}

/** Why nothing is told of what is served, and what to do. */
export function refusal(error: ConnectError): { readonly title: string; readonly text: string } {
  switch (error.code) {
    case Code.Unauthenticated:
      return {
        title: "This endpoint wants to know who you are",
        text: "Log in with a token, and what it serves is shown here. Where tokens come from is the server's to say: often a method of another endpoint gives one.",
      };
    case Code.PermissionDenied:
      return {
        title: "This server does not tell you what it serves",
        text: "Without more, reflection is for browsers on the server's own machine. Open the explorer as http://127.0.0.1 or http://localhost there, without a proxy in between; or let others in by a guard of the name `reflection` in the server's builder, and log in as one of them.",
      };
    case Code.Unimplemented:
      return {
        title: "Reflection is off",
        text: "The explorer asks the server what it serves, and this server does not say. A release build does so only where its builder says `.reflection(true)`, for each endpoint; then the guard `reflection` says who may ask.",
      };
    default:
      return { title: "What the server serves is not known", text: "Asking it has failed." };
  }
}
