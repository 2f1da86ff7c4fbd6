// One value of an enum, with what its docs say; or any number, which a newer server may know.

import type { DescEnum } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { element } from "../dom.js";
import { newId, paragraphs } from "../parts.js";
import type { Making, Place } from "./control.js";
import { docsOf } from "./docs.js";
import { idList } from "./dom.js";
import { type Json, kindInWords, literal, text } from "./json.js";
import { Leaf } from "./leaf.js";
import { type Content, readNumber } from "./scalars.js";

/** What is chosen for a number without a name. No value is called so: names have no spaces. */
const OTHER = "another number";

export class EnumControl extends Leaf<HTMLSelectElement> {
  readonly #number: HTMLInputElement;
  readonly #docs = element("div", { class: "mf-docs mf-value-docs", id: newId(), hidden: true });

  constructor(
    making: Making,
    place: Place,
    readonly desc: DescEnum,
  ) {
    const select = element("select", { class: "mf-select" });
    for (const { name, number, deprecated } of desc.values) {
      select.append(element("option", { value: name }, `${name} · ${number}${deprecated ? " (deprecated)" : ""}`));
    }
    if (desc.open) select.append(element("option", { value: OTHER }, "another number…"));
    const name = element("span", { class: "unseen", id: newId() }, "number");
    const number = element("input", {
      type: "text",
      class: "mf-number",
      inputmode: "numeric",
      autocomplete: "off",
      "aria-labelledby": idList(place.labelId, name.id),
      hidden: true,
    });
    super(making, place, select, number, name);
    this.#number = number;
    this.element.append(this.#docs);
    select.setAttribute("aria-describedby", idList(select.getAttribute("aria-describedby") ?? "", this.#docs.id));
    select.addEventListener("change", () => this.#tell());
    this.#tell();
  }

  #tell(): void {
    this.#number.hidden = this.input.value !== OTHER;
    const value = this.desc.values.find(({ name }) => name === this.input.value);
    const docs = value ? docsOf(value) : "";
    this.#docs.replaceChildren(...(docs === "" ? [] : paragraphs(docs)));
    this.#docs.hidden = docs === "";
  }

  protected content(): Content {
    if (this.input.value === OTHER) return readNumber(ScalarType.INT32, this.#number.value);
    const number = this.desc.values.find(({ name }) => name === this.input.value)?.number;
    const json = this.desc.typeName === "google.protobuf.NullValue" ? literal(null) : text(this.input.value);
    return { json, isZero: number === 0 };
  }

  protected put(json: Json): string | undefined {
    const names = this.desc.values.map(({ name }) => name);
    if (json.kind === "string" && names.includes(json.text)) {
      this.input.value = json.text;
    } else if (json.kind === "number") {
      const known = this.desc.values.find(({ number }) => number === Number(json.text));
      if (!known && !this.desc.open)
        return `Write one of ${names.join(", ")}: ${this.desc.name} knows no other number.`;
      this.input.value = known?.name ?? OTHER;
      if (!known) this.#number.value = json.text;
    } else if (json.kind !== "literal" || this.desc.typeName !== "google.protobuf.NullValue") {
      const what = json.kind === "string" ? `“${json.text}”` : kindInWords(json);
      return `Write one of ${names.join(", ")}${this.desc.open ? ", or a number" : ""}, not ${what}.`;
    }
    this.#tell();
    return undefined;
  }

  clear(): void {
    this.input.value = this.desc.values[0]?.name ?? "";
    this.#number.value = "";
    this.#tell();
    this.forget();
  }
}
