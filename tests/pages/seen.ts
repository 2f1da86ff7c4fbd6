// What was seen when a test of a page failed, in a few lines.

import { stripVTControlCharacters } from "node:util";
import type { Page } from "playwright-core";

/** A page that does not answer within so long is said not to, in milliseconds. */
const ANSWERS_MS = 5_000;

/** So much of a text is shown: of its beginning and of its end, in characters. */
const BEGINNING = 300;
const END = 500;

/** What a page shows: where it is, what has the focus, what is scrolled and filled in, its text, and what went wrong in it. */
export async function look(page: Page, troubles: readonly unknown[], errors: readonly string[]): Promise<string> {
  const late = new Promise<string>((resolve) => setTimeout(resolve, ANSWERS_MS, "(the page does not answer)").unref());
  const text = await Promise.race([read(page).catch((error) => `(the page cannot be read: ${error})`), late]);
  const wrong = [
    ...(troubles.length > 0 ? [`troubles: ${JSON.stringify(troubles)}`] : []),
    ...(errors.length > 0 ? [`${errors.length} errors in the console, the last: ${short(errors.at(-1) ?? "")}`] : []),
  ];
  return [short(text), ...wrong].join("; ");
}

function read(page: Page): Promise<string> {
  return page.evaluate(() => {
    const name = (element: Element) => `${element.tagName.toLowerCase()}${element.id && `#${element.id}`}`;
    const scrolled = [...document.querySelectorAll("*")].filter(({ scrollTop }) => scrollTop > 0);
    const filled = [...document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("input, textarea")].filter(
      ({ type, value }) => value !== "" && !["checkbox", "radio", "password"].includes(type),
    );
    return [
      `${location.pathname}${location.hash} “${document.title}”`,
      `focus: ${document.activeElement ? name(document.activeElement) : "none"}`,
      ...scrolled.map((element) => `${name(element)} scrolled to ${element.scrollTop} of ${element.scrollHeight}`),
      ...filled.map((field) => `${name(field)} holds ${JSON.stringify(field.value.slice(0, 80))}`),
      `text: ${document.body.innerText}`,
    ].join("; ");
  });
}

/** In one line, without what is in the middle of much. */
function short(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  const isLong = line.length > BEGINNING + END;
  return isLong ? `${line.slice(0, BEGINNING)} […] ${line.slice(-END)}` : line;
}

/** An error with what was seen behind its message. Of several it is the first: the others came of closing what it has left open. */
export function told(error: unknown, seen: readonly string[]): unknown {
  const others: string[] = [];
  let first = error;
  while (first instanceof Error && "suppressed" in first) {
    others.push(`then: ${short(String((first as Error & { error?: unknown }).error))}`);
    first = first.suppressed;
  }
  if (!(first instanceof Error)) return first;
  const { message } = first;
  const whole = [stripVTControlCharacters(message), ...others, ...seen.map((window) => `seen: ${window}`)].join("\n");
  const stack = first.stack?.replace(message, () => whole);
  first.message = whole;
  if (stack !== undefined) first.stack = stack;
  return first;
}
