// Events of channels, each as a line that opens.

import { type DescMessage, fromBinary } from "@bufbuild/protobuf";
import type { Gap, SkippedEvent } from "rpc-websocket";
import { element } from "../dom.js";
import type { Found, Schemas } from "../server/schemas.js";
import { count, timeOf } from "../words.js";
import { Folded } from "./folded.js";

/** An event, by the schema that is announced for it, or by the one that the server has; by its bytes where there is none. */
export function eventItem(
  event: SkippedEvent,
  announced: Found<DescMessage> | undefined,
  schemas: Schemas,
): HTMLElement {
  const { type, body, kind, userId, position, time } = event;
  const facts = [
    kind === "live" ? undefined : kind,
    userId && `by ${userId}`,
    position && `#${position.offset}`,
    timeOf(time),
  ].filter((one) => one);
  const name = element("code", { class: "event-type", title: type }, type.slice(type.lastIndexOf(".") + 1));
  const line = new Folded([name], facts.join(" · "));
  const show = ({ desc, registry }: Found<DescMessage>) =>
    line.message(desc, fromBinary(desc, body), body.length, registry, schemas);
  line.bytes(body);
  // Where it is no such message, or the server declares none, the bytes stay.
  if (announced) {
    try {
      show(announced);
    } catch {}
  } else {
    schemas
      .guessed(type)
      .then(show)
      .catch(() => {});
  }
  return element("li", { class: "message" }, line.element);
}

/** Where events are missing. */
export function gapItem({ cause, missed }: Gap): HTMLElement {
  const many = missed === undefined ? "Events" : count(missed, "event");
  return element("li", { class: "message gap" }, `${many} are missing here, and cannot be had any more (${cause}).`);
}
