// A page with one form on it, for the tests to fill in.

import { createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { element } from "../../src/dom.js";
import { type MessageForm, messageForm } from "../../src/form/form.js";
import { type LinkTo, schemaOf } from "../../src/view/schema.js";

const set = new Uint8Array(await (await fetch("forms.binpb")).arrayBuffer());
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, set));
const root = document.querySelector("form") as HTMLFormElement;
let form: MessageForm;

const harness = {
  /** How often something was filled in otherwise. */
  changes: 0,
  /** How often the form was sent by a key. */
  sent: 0,

  show(name: string): void {
    const desc = registry.getMessage(name);
    if (!desc) throw new Error(`no message ${name}`);
    form = messageForm(desc, registry);
    form.onChange(() => {
      harness.changes += 1;
    });
    const send = document.createElement("button");
    send.textContent = "Send";
    // In the colours of the page: those of browsers are not the same at all times.
    send.className = "button strong";
    root.replaceChildren(form.element, send);
  },

  /** Shows what a message is made of in the place of the form. */
  schema(name: string): void {
    const desc = registry.getMessage(name);
    if (!desc) throw new Error(`no message ${name}`);
    const link: LinkTo = (_, ...children) => element("span", {}, ...children);
    root.replaceChildren(schemaOf(desc, registry, link, "h2"));
  },

  /** What is filled in, encoded in hex; or what is wrong. */
  read() {
    const read = form.read();
    if ("problems" in read) return { problems: read.problems };
    const desc = registry.getMessage(read.message.$typeName);
    const bytes = desc ? toBinary(desc, read.message) : new Uint8Array();
    return { hex: Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("") };
  },

  json: () => form.json(),
  fill: (json: string) => form.fill(json),
};

export type Harness = typeof harness;

root.addEventListener("submit", (event) => {
  event.preventDefault();
  harness.sent += 1;
});
Reflect.set(globalThis, "harness", harness);
