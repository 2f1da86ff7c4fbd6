// Errors as a person would say them.

import { Code, ConnectError } from "@connectrpc/connect";
import type { Change } from "../model/board.js";
import { type FieldProblem, fieldProblems, retryDelay } from "./details.js";
import { quote, type Words } from "./text.js";

/** A time to wait in words: `6 seconds`. */
export function waitInWords(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1_000));
  if (seconds < 90) return seconds === 1 ? "a second" : `${seconds} seconds`;
  const minutes = Math.round(seconds / 60);
  return `${minutes} minutes`;
}

/** Why a change was not made, for the person who wanted it. `error` is `undefined` where the task is gone. */
export function refusal(change: Change, label: string, error: unknown): Words {
  const wanted = change.kind === "add" || change.kind === "rename" ? change.label : label;
  const what: Record<Change["kind"], Words> = {
    add: [quote(wanted), " was not added: "],
    rename: [quote(label), " was not renamed: "],
    check: [quote(label), " was not changed: "],
    remove: [quote(label), " was not removed: "],
  };
  return [...what[change.kind], ...why(wanted, error)];
}

/** Why a task cannot be so, without the name of the task: for the line below a field. */
export function why(label: string, error: unknown): Words {
  if (error === undefined) return ["somebody has removed it."];
  const failed = ConnectError.from(error);
  const problem = fieldProblems(failed).find(({ field }) => field.endsWith("label"));
  switch (failed.code) {
    case Code.AlreadyExists:
      return ["there is a task of this name already."];
    case Code.InvalidArgument:
      return [labelProblem(label, problem)];
    case Code.ResourceExhausted:
      return ["that is more than the server takes."];
    case Code.PermissionDenied:
      return ["you may not do that in this list."];
    case Code.Unauthenticated:
      return ["you are not logged in."];
    case Code.Internal:
    case Code.DataLoss:
    case Code.Unknown:
      return ["something broke on the server. It was not your doing; try again in a while."];
    default:
      return [`the server says “${failed.rawMessage}”.`];
  }
}

function labelProblem(label: string, problem: FieldProblem | undefined): string {
  const length = [...label].length;
  switch (problem?.rule) {
    case "string.max_len":
      return `it is too long. It has ${length} characters; ${limit(problem.message, "200")} is the most.`;
    case "string.min_len":
      return "it has no name.";
    case "CANNOT_BE_STORED":
      return "it has characters that cannot be stored.";
    default:
      return problem?.message ? `${problem.message}.` : "the server does not take this text.";
  }
}

/** The number that a rule names, as the server says it. */
function limit(message: string, otherwise: string): string {
  return /\d+/.exec(message)?.[0] ?? otherwise;
}

/** What went wrong with a login or a registration: by field where it is one's fault, else for both. */
export interface LoginProblem {
  readonly name?: string;
  readonly password?: string;
  readonly form?: string;
  /** How long to wait before it is of use to try again, in milliseconds. */
  readonly waitMs?: number;
}

/** What went wrong with a login or a registration. */
export function loginProblem(error: unknown): LoginProblem {
  const failed = ConnectError.from(error);
  const waitMs = retryDelay(failed);
  switch (failed.code) {
    case Code.Unauthenticated:
      return { form: "The name or the password is wrong." };
    case Code.AlreadyExists:
      return { name: "Somebody has this name already." };
    case Code.InvalidArgument:
      return byField(fieldProblems(failed));
    case Code.ResourceExhausted:
      return waitMs === undefined
        ? { form: "That were too many tries. Wait a minute." }
        : { form: "That were too many tries.", waitMs };
    case Code.Unavailable:
    case Code.DeadlineExceeded:
      return { form: "The server cannot be reached. What you have typed stays here; try again when it is back." };
    default:
      return { form: "Something broke on the server. It was not your doing; try again in a while." };
  }
}

function byField(problems: readonly FieldProblem[]): LoginProblem {
  let [name, password]: (string | undefined)[] = [];
  for (const { field, rule, message } of problems) {
    if (field === "name") {
      if (rule === "string.min_len") name = "A name has two characters or more.";
      else if (rule === "string.max_len") name = "A name has 32 characters at most.";
      else
        name ??= "A name begins with a small letter; small letters, digits, dots, hyphens and underscores may follow.";
    } else if (field === "password") {
      if (rule === "string.min_len") password = "A password has eight characters or more.";
      else if (rule === "string.max_len") password = "A password has 128 characters at most.";
      else password = message;
    }
  }
  if (name === undefined && password === undefined) return { form: "The server does not take this name or password." };
  return { ...(name !== undefined && { name }), ...(password !== undefined && { password }) };
}
