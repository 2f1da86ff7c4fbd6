// google.protobuf.Any: a message of a type that is chosen from those that the registry knows.

import type { DescMessage } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { element } from "../dom.js";
import { newId } from "../parts.js";
import type { Control, Filling, Making, Place, Reading } from "./control.js";
import { idList } from "./dom.js";
import { type Json, kindInWords, member, object, text } from "./json.js";
import { Leaf } from "./leaf.js";
import { NO_RULES } from "./rules.js";
import type { Content } from "./scalars.js";

/** What stands before the name of a type in its url. Another host is not told by what is sent. */
const PREFIX = "type.googleapis.com/";

/** Which type. */
class TypeControl extends Leaf<HTMLSelectElement> {
  constructor(making: Making, place: Place, names: readonly string[]) {
    const name = element("span", { class: "unseen", id: newId() }, "type");
    const select = element("select", { class: "mf-select", "aria-labelledby": idList(place.labelId, name.id) });
    select.append(element("option", { value: "" }, "no type"));
    select.append(...names.map((value) => element("option", { value }, value)));
    super(making, place, select, name);
  }

  protected content(): Content {
    return { json: text(this.input.value), isZero: this.input.value === "" };
  }

  protected put(json: Json): string | undefined {
    const url = json.kind === "string" ? json.text : "";
    const name = url.slice(url.lastIndexOf("/") + 1);
    this.input.value = name;
    if (this.input.value !== "" || url === "") return undefined;
    this.input.value = "";
    return `The server describes no type “${name}”: write one of those that can be chosen.`;
  }

  clear(): void {
    this.input.value = "";
    this.forget();
  }
}

export class AnyControl implements Control {
  readonly element = element("div", { class: "mf-any" });
  readonly input = undefined;
  readonly #type: TypeControl;
  #value: { readonly desc: DescMessage; readonly control: Control } | undefined;

  constructor(
    private readonly making: Making,
    private readonly place: Place,
  ) {
    const names = [...making.registry].filter((desc) => desc.kind === "message").map(({ typeName }) => typeName);
    this.#type = new TypeControl(making, place, names.sort());
    this.#type.input.addEventListener("change", () => this.#show());
    this.element.append(this.#type.element);
  }

  #show(): void {
    const desc = this.making.registry.getMessage(this.#type.input.value);
    if (desc === this.#value?.desc) return;
    this.#value?.control.element.remove();
    this.#value = undefined;
    if (!desc) return;
    const { labelId, depth, within } = this.place;
    const inner = { labelId, describedBy: "", rules: NO_RULES, depth: depth + 1, within };
    const control = this.making.control({ kind: "message", message: desc }, inner);
    control.input?.setAttribute("aria-labelledby", labelId);
    this.#value = { desc, control };
    this.element.append(control.element);
  }

  read(path: string, reading: Reading): Content {
    this.#type.read(path, reading);
    if (!this.#value) return { json: object([]), isZero: true };
    const { desc, control } = this.#value;
    const { json } = control.read(path, reading);
    const url = member("@type", text(PREFIX + desc.typeName));
    const rest = hasCustomJsonRepresentation(desc) || json.kind !== "object" ? [member("value", json)] : json.members;
    return { json: object([url, ...rest]), isZero: false };
  }

  fill(json: Json, path: string, filling: Filling): void {
    this.clear();
    if (json.kind !== "object") {
      filling.say(json, path, `Write an object with an "@type" here, not ${kindInWords(json)}.`);
      return;
    }
    if (json.members.length === 0) return;
    const type = json.members.find(({ name }) => name === "@type");
    if (type?.value.kind !== "string") {
      filling.say(json, path, `Write the type of the message as a text: "@type": "${PREFIX}…".`);
      return;
    }
    this.#type.fill(type.value, path, filling);
    this.#show();
    if (!this.#value) return;
    const rest = json.members.filter((member) => member !== type);
    if (!hasCustomJsonRepresentation(this.#value.desc)) {
      this.#value.control.fill({ ...json, members: rest }, path, filling);
      return;
    }
    const value = rest.find(({ name }) => name === "value");
    const other = rest.find((member) => member !== value);
    if (other)
      filling.sayAt(
        other.at,
        path,
        `A ${this.#value.desc.name} stands under "value" alone: take “${other.name}” away.`,
      );
    if (value) this.#value.control.fill(value.value, path, filling);
    else filling.say(json, path, `A ${this.#value.desc.name} stands under "value", which is missing.`);
  }

  clear(): void {
    this.#type.clear();
    this.#show();
  }
}
