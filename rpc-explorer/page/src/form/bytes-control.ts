// Bytes: typed as base64, hex or text, or taken from a file.

import { base64Encode } from "@bufbuild/protobuf/wire";
import { element } from "../dom.js";
import { newId } from "../parts.js";
import { decode, encode, NOTATIONS, type Notation } from "./bytes.js";
import type { Making, Place } from "./control.js";
import { idList } from "./dom.js";
import { type Json, kindInWords, text } from "./json.js";
import { Leaf } from "./leaf.js";
import type { Content } from "./scalars.js";

/** The largest file that is taken, in bytes: far above what a server takes with its defaults. */
const MAX_FILE = 16 * 1024 * 1024;

/** More bytes than these are held as they are, and not shown: nobody reads them. */
const MAX_SHOWN = 16 * 1024;

const PLACEHOLDERS: Readonly<Record<Notation, string>> = { base64: "AQID", hex: "01 02 ff", text: "" };

export class BytesControl extends Leaf<HTMLTextAreaElement> {
  readonly #notation: HTMLSelectElement;
  readonly #file: HTMLInputElement;
  readonly #held: HTMLParagraphElement;
  /** The bytes of a file, or too many to be shown. */
  #bytes: Uint8Array | undefined;
  /** Why a file was not taken, or that one is still read. */
  #fileProblem: string | undefined;
  #shown: Notation = "base64";

  constructor(making: Making, place: Place) {
    const input = element("textarea", { rows: "1", class: "mf-code", spellcheck: "false", autocomplete: "off" });
    const name = element("span", { class: "unseen", id: newId() }, "written as");
    const notation = element("select", { class: "mf-notation", "aria-labelledby": idList(place.labelId, name.id) });
    notation.append(...[...NOTATIONS, "file"].map((value) => element("option", { value }, value)));
    const fileName = element("span", { class: "unseen", id: newId() }, "file");
    const file = element("input", {
      type: "file",
      "aria-labelledby": idList(place.labelId, fileName.id),
      hidden: true,
    });
    const held = element("p", { class: "mf-held", hidden: true });
    super(making, place, input, file, held, name, fileName, notation);
    this.#notation = notation;
    this.#file = file;
    this.#held = held;
    input.placeholder = PLACEHOLDERS.base64;
    notation.addEventListener("change", () => this.#turn());
    file.addEventListener("change", () => void this.#take(file.files?.[0]));
  }

  /** Shows the same bytes in another notation. */
  #turn(): void {
    const wanted = this.#notation.value;
    const typed = this.#bytes ?? decode(this.#shown, this.input.value);
    if (wanted === "file") {
      this.#hold(typed instanceof Uint8Array && typed.length > 0 ? typed : undefined);
      return;
    }
    const notation = NOTATIONS.find((one) => one === wanted) ?? "base64";
    const written = typed instanceof Uint8Array ? encode(notation, typed) : this.input.value;
    if (written === undefined || (this.#bytes && this.#bytes.length > MAX_SHOWN)) {
      this.#notation.value = this.#bytes ? "file" : this.#shown;
      this.making.announce(
        written === undefined ? "These bytes are no text in UTF-8." : "These bytes are too many to be shown.",
      );
      return;
    }
    this.#write(notation, written);
  }

  /** Shows bytes in a notation, to be typed in. */
  #write(notation: Notation, written: string): void {
    this.#bytes = undefined;
    this.#fileProblem = undefined;
    this.#shown = notation;
    this.#notation.value = notation;
    this.input.value = written;
    this.input.placeholder = PLACEHOLDERS[notation];
    this.input.hidden = false;
    this.#file.hidden = true;
    this.#held.hidden = true;
  }

  /** Holds bytes without showing them. */
  #hold(bytes: Uint8Array | undefined, name = ""): void {
    this.#bytes = bytes;
    this.#notation.value = "file";
    this.input.hidden = true;
    this.#file.hidden = false;
    this.#held.hidden = bytes === undefined;
    if (!bytes) this.input.value = "";
    const size = bytes ? `${bytes.length.toLocaleString("en")} ${bytes.length === 1 ? "byte" : "bytes"}` : "";
    this.#held.textContent = name === "" ? size : `${name}, ${size}`;
  }

  async #take(file: File | undefined): Promise<void> {
    this.#hold(undefined);
    this.#fileProblem = undefined;
    if (file && file.size > MAX_FILE) {
      this.#fileProblem = `This file has ${file.size} bytes: choose one of at most ${MAX_FILE}.`;
    } else if (file) {
      this.#fileProblem = "The file is being read: wait until its size is shown.";
      try {
        const bytes = new Uint8Array(await file.arrayBuffer());
        if (this.#file.files?.[0] !== file || this.#file.hidden) return;
        this.#fileProblem = undefined;
        this.#hold(bytes, file.name);
      } catch {
        this.#fileProblem = "The browser cannot read this file: choose it again, or another.";
      }
    }
    this.show();
    this.making.changed();
  }

  protected content(): Content {
    const typed = this.#bytes ?? decode(this.#shown, this.input.value);
    if (this.#fileProblem !== undefined) return { json: text(""), isZero: true, problem: this.#fileProblem };
    if (typeof typed === "string") return { json: text(this.input.value), isZero: false, problem: typed };
    return { json: text(base64Encode(typed)), isZero: typed.length === 0 };
  }

  protected put(json: Json): string | undefined {
    if (json.kind !== "string") return `Write bytes as a text in base64 here, not ${kindInWords(json)}.`;
    const bytes = decode("base64", json.text);
    if (bytes instanceof Uint8Array && bytes.length > MAX_SHOWN) this.#hold(bytes);
    else this.#write("base64", json.text);
    return undefined;
  }

  clear(): void {
    this.#file.value = "";
    this.#write("base64", "");
    this.forget();
  }
}
