// What is said to those who do not see the page. Two regions stand in `index.html` from the beginning, because readers listen only to
// those that they know.

import { plain, type Words } from "../words/text.js";
import { byId, element } from "./dom.js";

/** How many announcements are kept: a reader that is slow still reads what came before. */
const KEPT = 5;

/** Says something when the reader has finished what it reads; with `now`, at once. */
export function announce(words: Words, now = false): void {
  const region = byId(now ? "announce-now" : "announce", HTMLElement);
  region.append(element("p", {}, plain(words)));
  while (region.childElementCount > KEPT) region.firstElementChild?.remove();
}
