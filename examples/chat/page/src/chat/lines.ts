// The lines of one room, in their order: where among the others belongs what was heard, of whichever history, and how much of it stays.

import type { EventAmong } from "rpc-websocket";
import { JoinedSchema, LeftSchema } from "rpc-websocket/protos/hub/v1/hub";
import { KickedSchema, SaidSchema } from "../gen/chat/chat_pb.js";

/** Everything that happens in a room. */
export const EVENTS = [SaidSchema, KickedSchema, JoinedSchema, LeftSchema] as const;

export type RoomEvent = EventAmong<typeof EVENTS>;

/** Of what was heard the latest so many lines stay, once there are more than so many, while nobody reads what is older. */
const KEPT = 300;
const MOST = 500;

/** A line of the room. */
export type Line = Spoken | Remark;

/** Somebody said something. */
export interface Spoken {
  readonly kind: "spoken";
  readonly key: string;
  readonly user: string;
  readonly text: string;
  readonly time: Date;
  /** `sending`: this client said it, and it was not heard yet. */
  state: "heard" | "sending" | "failed";
  /** Why it failed. */
  error?: unknown;
}

/** Something else happened. */
export interface Remark {
  readonly kind: "remark";
  readonly key: string;
  readonly text: string;
  readonly time: Date;
  /** `mended`: what was missed is there again. `missing`: it is not. */
  readonly about: "people" | "mended" | "missing";
}

/** The lines. */
export class Lines {
  /** All of them; what is still being sent stands last. */
  readonly all: Line[] = [];
  /** The offset of the oldest line that is known of the latest history. Without one the past is read from its end. */
  oldest: bigint | undefined;
  /** Where lines stand that were heard, by their keys. */
  readonly #ranks = new Map<string, bigint>();
  /** The histories that there were, in their order: one begins anew with a server that keeps it in its memory. */
  readonly #epochs: bigint[] = [];

  /** Adds what is being sent, at the end. */
  add(line: Spoken): void {
    this.all.push(line);
  }

  /** Puts an event in its place. Gives its line, unless it is there already. */
  place(event: RoomEvent): Line | undefined {
    if (this.#ranks.has(event.id)) return undefined;
    // What this client has said goes from the end to where all have it.
    const own = this.all.find((line) => line.key === event.id);
    if (own) this.remove(own);
    const line = lineOf(event);
    this.#insert(line, this.#rankOf(event));
    const { epoch, offset } = event.position ?? { epoch: 0n, offset: 0n };
    if (epoch === this.#epochs.at(-1) && (this.oldest === undefined || offset < this.oldest)) this.oldest = offset;
    return line;
  }

  /** Remarks something behind all that was heard. */
  remark(about: Remark["about"], text: string, time: Date): void {
    const last = this.all.findLast((other) => this.#ranks.has(other.key));
    const rank = (last && this.#ranks.get(last.key)) ?? 0n;
    this.#insert({ kind: "remark", key: `remark/${crypto.randomUUID()}`, text, time, about }, rank);
  }

  remove(line: Line): void {
    this.all.splice(this.all.indexOf(line), 1);
    this.#ranks.delete(line.key);
  }

  /** Forgets the oldest of what was heard, where there is much of it. Whether that may be read again. */
  forgetOld(): boolean {
    const heard = this.all.filter((line) => this.#ranks.has(line.key));
    if (heard.length <= MOST) return false;
    for (const line of heard.slice(0, heard.length - KEPT)) this.remove(line);
    const first = heard[heard.length - KEPT];
    const rank = first && this.#ranks.get(first.key);
    // Of another history than the latest nothing is to be had.
    if (rank === undefined || rank >> 64n !== BigInt(this.#epochs.length - 1)) return false;
    this.oldest = rank & ((1n << 64n) - 1n);
    return true;
  }

  /** Where an event stands among all: by the history that it is of, and its offset there. */
  #rankOf(event: RoomEvent): bigint {
    const { epoch, offset } = event.position ?? { epoch: 0n, offset: 0n };
    if (!this.#epochs.includes(epoch)) this.#epochs.push(epoch);
    return (BigInt(this.#epochs.indexOf(epoch)) << 64n) + offset;
  }

  /** Behind everything of its rank and below, and in front of what is being sent. */
  #insert(line: Line, rank: bigint): void {
    this.#ranks.set(line.key, rank);
    const behind = this.all.findIndex((other) => (this.#ranks.get(other.key) ?? rank + 1n) > rank);
    this.all.splice(behind < 0 ? this.all.length : behind, 0, line);
  }
}

function lineOf(event: RoomEvent): Line {
  const remark = (text: string): Remark => ({ kind: "remark", key: event.id, text, time: event.time, about: "people" });
  switch (event.type) {
    case SaidSchema.typeName:
      return {
        kind: "spoken",
        key: event.id,
        user: event.userId ?? "somebody",
        text: event.message.text,
        time: event.time,
        state: "heard",
      };
    case KickedSchema.typeName: {
      const why = event.message.reason === "" ? "" : `: ${event.message.reason}`;
      return remark(`${event.message.user} was put out by ${event.userId ?? "somebody"}${why}`);
    }
    case JoinedSchema.typeName:
      return remark(`${event.message.userId ?? "somebody"} came in`);
    case LeftSchema.typeName:
      return remark(`${event.message.userId ?? "somebody"} went away`);
  }
}
