// Texts with parts in them that users have written. Those are always text, never markup, and each is isolated from what stands around it.

/** What a user has written, within a sentence. */
export interface Quoted {
  readonly quoted: string;
}

/** A sentence: words of this page, and what users have written. */
export type Words = readonly (string | Quoted)[];

/** How much of a label is said in a sentence. */
const LONGEST = 60;

/** A label as a part of a sentence, cut to a length that can be read. */
export function quote(label: string): Quoted {
  const characters = [...label];
  return { quoted: characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join("")}…` : label };
}

/** A sentence without markup, for what is spoken and for names of buttons. */
export function plain(words: Words): string {
  return words.map((part) => (typeof part === "string" ? part : `“${visible(part.quoted)}”`)).join("");
}

/**
 * A text as it can be shown: control characters, and those that turn the direction of what follows, by their numbers, so that nothing
 * looks like what it is not. Marks of direction that Arabic and Hebrew texts need stay.
 */
export function visible(text: string): string {
  return text.replace(HIDDEN, (character) => {
    const code = character.charCodeAt(0).toString(16).toUpperCase();
    return `[U+${code.padStart(4, "0")}]`;
  });
}

/** Characters that are not seen, or change how others are. */
const HIDDEN = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** A number of things in words: `count(1, "change", "changes")`. */
export function count(number: number, one: string, more: string): string {
  return `${number} ${number === 1 ? one : more}`;
}
