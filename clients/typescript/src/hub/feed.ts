// One channel as a client hears it: the subscriptions of the program, which share what the server sends.

import { Code, ConnectError } from "@connectrpc/connect";
import type { Answer, ChannelSubscription } from "./channel.js";
import type { Position } from "./event.js";
import { costOf, type Raw } from "./raw.js";
import { Skips } from "./skips.js";

/** So much is held of events that cannot be given yet, until the server has answered. What is held besides is asked for again. */
const MOST_HELD = { events: 1_024, bytes: 1 << 20 };

/** A jump in the offsets is asked about at most so often in one channel, in milliseconds. */
const CHECK_EVERY = 100;

/** No event is there: what is asked for since this, in a channel without history, is asked for without its snapshot. */
const NOWHERE: Position = { epoch: 0n, offset: 0n };

/** Errors after which asking again may go better. */
const PASSING: readonly Code[] = [
  Code.Aborted,
  Code.Canceled,
  Code.DeadlineExceeded,
  Code.Internal,
  Code.ResourceExhausted,
  Code.Unavailable,
  Code.Unknown,
];

/** Events that cannot be given yet. */
export class Held {
  #events: { readonly number: bigint; readonly raw: Raw }[] = [];
  #bytes = 0;
  /** There was no room for all. */
  overrun = false;

  /** Holds an event of a channel. After the first that does not fit, none is held. */
  push(number: bigint, raw: Raw): void {
    const cost = costOf(raw);
    this.overrun ||= this.#events.length >= MOST_HELD.events || this.#bytes + cost > MOST_HELD.bytes;
    if (this.overrun) return;
    this.#bytes += cost;
    this.#events.push({ number, raw });
  }

  /** Takes out what is of one channel. */
  take(number: bigint): Raw[] {
    const taken = this.#events.filter((event) => event.number === number).map(({ raw }) => raw);
    this.#events = this.#events.filter((event) => event.number !== number);
    for (const raw of taken) this.#bytes -= costOf(raw);
    return taken;
  }
}

/** What to ask of the server for a channel; a number: later, at that time. */
export type Next = "nothing" | "gone" | "unsubscribe" | number | Question;

/** What a channel is asked for with. */
export interface Question {
  readonly since: Position | undefined;
  readonly says: Says;
}

/** What a program says of itself. */
export type Says = { readonly type: string; readonly body: Uint8Array } | undefined;

/** One channel. */
export class Feed {
  /** What frames of events name it by, on this connection. */
  number: bigint | undefined;
  subs: ChannelSubscription[] = [];
  /** The call that is in flight for it. */
  asking: unknown;
  /** The server has said, on this connection, that the client hears the channel. */
  confirmed = false;
  /** The server may think that the client hears the channel, whatever comes of the call that is in flight. */
  entangled = false;
  /** The server has ended the subscription while it was asked for: what it answers may be older than that. */
  doubtful = false;
  /** The server has subscribed the client by itself while it was asked: a refusal may be older than that. */
  granted = false;
  /** What came of a call on the connection before is not known: it may have begun something behind an end that is told only now. */
  unanswered = false;
  /** How often in a row the server was asked in vain. */
  failures = 0;
  /** It is not to be asked for before. */
  notBefore = 0;
  /** What presence says of this client: another object each time that the program says something. */
  presence: Says;
  /** What of that the server has taken. */
  taken: Says;
  /** It had no room, for this or for the channel: that is asked for without it, and it is said again behind that. */
  withheld: Says;
  /** What the server has of it all the same: what was taken before it was asked without that. */
  still: Says;
  /** The subscription for what the server has subscribed the client to by itself. */
  byServer: ChannelSubscription | undefined;
  /** Who waits until the server knows that the client hears the channel no more. */
  leaving: (() => void)[] = [];
  /** What this client has published that is not for itself: nobody waits for that. */
  readonly skips = new Skips();

  /** Of which history those events are that tell none. */
  #epoch = 0n;
  #held = new Held();
  #lastCheck = Number.NEGATIVE_INFINITY;

  constructor(readonly name: string) {}

  /** The connection is gone, or another is there: everything is to be asked for again. Of a session that `isNew` nothing was asked. */
  begin(isNew: boolean): void {
    this.unanswered = !isNew && (this.unanswered || !!this.asking);
    this.entangled = !isNew && (this.entangled || this.unanswered);
    this.number = this.asking = this.withheld = undefined;
    this.confirmed = this.doubtful = this.granted = false;
    if (isNew) this.taken = this.still = undefined;
    this.failures = this.notBefore = 0;
    this.#held = new Held();
    for (const sub of this.subs) sub.lose();
  }

  /**
   * The server has said what events name it by. The first time it says of which history they are, too: another one is told with each of
   * its events.
   */
  isNumbered(number: bigint, epoch: bigint | undefined): void {
    if (this.number === number) return;
    this.number = number;
    this.#epoch = epoch ?? 0n;
  }

  /** Whether frames may be of this channel although their number is not known. */
  get isUnsettled(): boolean {
    return !this.confirmed && this.subs.length > 0;
  }

  /** Gives an event that came as a frame. Whether the server is to be asked for something. */
  onEvent(raw: Raw, now: number): boolean {
    let waits = false;
    let jumps = false;
    for (const sub of this.subs) {
      const needed = sub.stage === "needs";
      sub.offer(raw, this.#epoch, this.skips);
      const needs = sub.stage === "needs";
      waits ||= needs;
      jumps ||= needs && !needed;
    }
    if (waits) this.#held.push(0n, raw);
    if (jumps) {
      this.notBefore = Math.max(this.notBefore, this.#lastCheck + CHECK_EVERY);
      this.#lastCheck = Math.max(this.notBefore, now);
    }
    return jumps;
  }

  /** The server hears of it again. `early`: frames that came before their number was known; `earlyLost`: some of those were lost. */
  answered(since: Position | undefined, answer: Answer, early: Raw[], earlyLost: boolean): void {
    this.confirmed = this.entangled = true;
    this.granted = this.unanswered = false;
    this.withheld = undefined;
    this.failures = 0;
    for (const sub of this.subs.filter((sub) => !sub.mayHear(answer))) {
      const text = `the channel ${this.name} has no events of the types that are listened for (${sub.types.join(", ")}): it has ${answer.types.join(", ")}`;
      this.drop(sub, new ConnectError(text, Code.InvalidArgument));
    }
    const late = [...early, ...this.#held.take(0n)];
    const lost = earlyLost || this.#held.overrun;
    this.#held = new Held();
    if (this.doubtful) {
      // Nobody begins by what may be over, and has a gap as soon as it is asked for again.
      this.doubtful = false;
      for (const sub of this.subs) sub.lose();
      return;
    }
    let unanswered = false;
    for (const sub of this.subs) {
      if (sub.stage === "needs" && sub.isAnsweredBy(since, answer))
        sub.answered(since, answer, late, lost, this.#epoch, this.skips);
      // Without history, what came before it is asked for is not for whoever begins: a snapshot has it already.
      else unanswered ||= sub.stage === "needs" && (!!answer.position || sub.begun);
    }
    // Those who have had their answer go on behind all that was held, and hold anew.
    if (unanswered) {
      for (const raw of late) this.#held.push(0n, raw);
      this.#held.overrun ||= lost;
    }
  }

  /**
   * The server could not be asked, or refuses it. `heard`: the channel's number where the client hears it as it did before, and 0 where that is
   * not known; `undefined`: nor whether the server has done what it was asked. `says`: what the question had of the program.
   */
  refused(error: ConnectError, heard: bigint | undefined, says: Says): void {
    const isAnswered = heard !== undefined;
    const isBad = error.code === Code.InvalidArgument;
    const passes = PASSING.includes(error.code);
    const isNew = says !== this.taken;
    // What it says of the subscription may be older than an end that it has told, or than a beginning.
    const hears = isAnswered && (this.granted || (heard && !this.doubtful));
    // Where what the program says of itself may be why, or where whoever has said it is told, it is as if it had not been said.
    const isFull = isAnswered && error.code === Code.ResourceExhausted;
    const isUndone = !passes || (isFull && hears) || (isAnswered && this.subs.some(({ begun }) => !begun));
    if (isNew && isUndone && this.presence === says) this.presence = this.taken ??= this.still;
    if (isFull && says && this.presence === says) {
      this.withheld = says;
      this.still = this.doubtful ? undefined : this.taken;
    }
    this.doubtful = this.granted = false;
    const isOut = isAnswered && !hears && !isBad;
    if (isOut) {
      // Who may not hear the channel any more has stopped to hear it by that. What passes may have left everything as it was.
      this.confirmed = false;
      this.still = undefined;
      this.entangled &&= passes;
      for (const sub of this.subs) sub.lose();
    } else if (!isAnswered || hears) {
      this.entangled = true;
    }
    for (const sub of [...this.subs]) {
      const isAsked = sub.stage === "needs" || (isOut && sub.stage === "full");
      const stays = isAnswered ? sub.begun && (passes || (isNew && isBad)) : passes;
      if (isAsked && !stays) this.drop(sub, error);
    }
    if (this.subs.length === 0 && !passes && !isAnswered) this.entangled = false;
  }

  /** The server could not be asked to end it. Whoever has begun one since was not asked for. */
  notLeft(error: ConnectError): void {
    this.doubtful = this.granted = false;
    this.entangled = this.subs.length > 0 || PASSING.includes(error.code);
  }

  /** A subscription of it ends with an error. */
  drop(sub: ChannelSubscription, error: ConnectError): void {
    this.subs = this.subs.filter((other) => other !== sub);
    sub.fail(error);
  }

  /**
   * The server knows that the client does not hear the channel. Whatever has begun meanwhile is asked for again: a program that has come
   * back, or the server, whose word for that was on its way.
   */
  hasLeft(): void {
    for (const sub of this.subs) sub.lose();
    // What was held is of before, and what comes next is held elsewhere until its number is told.
    this.#held = new Held();
    this.confirmed = this.entangled = this.unanswered = false;
    this.number = this.still = undefined;
    this.failures = 0;
    for (const resolve of this.leaving.splice(0)) resolve();
  }

  /** What to ask of the server. */
  next(now: number): Next {
    const needy = this.subs.filter(({ stage }) => stage === "needs");
    const leaves = this.subs.length === 0;
    const wants = needy.length > 0 || this.isUnsettled || this.taken !== this.presence;
    if (this.asking || !(wants || leaves)) return "nothing";
    if (leaves && !this.entangled) return "gone";
    if (this.notBefore > now) return this.notBefore;
    if (leaves) return "unsubscribe";
    // Those that know least: what they are given is not new to the others. Where nobody needs what the answer has: as little as there can
    // be.
    const isNeeded = needy.length > 0;
    const known = (isNeeded ? needy : [{ cursor: NOWHERE }, ...this.subs]).flatMap(({ cursor }) => cursor ?? []);
    const since = known.sort((one, other) => (before(one, other) ? -1 : 1)).at(isNeeded ? 0 : -1);
    return { since, says: this.presence === this.withheld ? undefined : this.presence };
  }
}

function before(one: Position, other: Position): boolean {
  return one.epoch === other.epoch ? one.offset < other.offset : one.epoch < other.epoch;
}
