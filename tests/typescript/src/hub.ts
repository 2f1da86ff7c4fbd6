// What the cases of the hub share.

import type { DescMessage } from "@bufbuild/protobuf";
import type { EventStream, Item } from "rpc-websocket";
import { SaidSchema } from "./gen/cases/cases_pb.js";

/** The events that most cases hear. */
export const SAID = [SaidSchema] as const;

/** The next things that a subscription gives. */
export async function take<Schemas extends readonly DescMessage[]>(
  stream: EventStream<Schemas>,
  count: number,
): Promise<Item<Schemas>[]> {
  const items: Item<Schemas>[] = [];
  const iterator = stream[Symbol.asyncIterator]();
  while (items.length < count) {
    const next = await iterator.next();
    if (next.done) break;
    items.push(next.value);
  }
  return items;
}

/** What was said, in order; a gap is told as such. */
export const texts = (items: readonly Item<typeof SAID>[]) =>
  items.map((item) => (item.kind === "gap" ? `gap: ${item.cause}` : item.message.text));

/** So many texts, with their numbers. */
export const numbered = (text: string, count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `${text}${from + index}`);
