// Somebody who fills in a form: with labels and buttons, value by value, from what the message is to be as JSON.

import type { DescField, DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Locator } from "playwright-core";
import { registry } from "./schemas.js";
import type { FormWindow } from "./window.js";

/** Types that are one control whatever they hold. */
const TEXTS = ["Timestamp", "Duration"];
const FREE = ["Struct", "ListValue", "Value"];

/** Fills in the form of a window. */
export async function fillIn(window: FormWindow, json: JsonObject): Promise<void> {
  await fillMessage(window.whole.locator(":scope > .mf-message"), window.desc, json);
}

/** The field of a message in the form; of a oneof where the field belongs to one. */
export function partOf(message: Locator, name: string): Locator {
  return message.locator(`:scope > [data-field="${name}"]`);
}

async function fillMessage(message: Locator, desc: DescMessage, json: JsonObject): Promise<void> {
  for (const [name, value] of Object.entries(json)) {
    const field = desc.fields.find(({ jsonName }) => jsonName === name);
    if (!field) throw new Error(`${desc} has no field ${name}`);
    await fillField(message, field, value);
  }
}

async function fillField(message: Locator, field: DescField, value: JsonValue): Promise<void> {
  const { name } = field;
  if (field.fieldKind === "list") {
    const part = partOf(message, name);
    for (const [at, item] of (value as JsonValue[]).entries()) {
      await part
        .getByRole("button", { name: `Add item to ${name}`, exact: true })
        .last()
        .click();
      await fillValue(row(part, at), `${name} ${at + 1}`, field, item);
    }
  } else if (field.fieldKind === "map") {
    const part = partOf(message, name);
    for (const [at, [key, item]] of Object.entries(value as JsonObject).entries()) {
      await part
        .getByRole("button", { name: `Add entry to ${name}`, exact: true })
        .last()
        .click();
      const input = row(part, at).getByLabel(`${name} key ${at + 1}`, { exact: true });
      if ((await input.getAttribute("type")) === "checkbox") await input.setChecked(key === "true");
      else await input.fill(key);
      await fillValue(row(part, at), `${name} value ${at + 1}`, field, item);
    }
  } else if (field.oneof) {
    const part = partOf(message, field.oneof.name);
    await part.getByRole("radio", { name, exact: true }).first().check({ force: true });
    await fillValue(part.locator(":scope > .mf-inner"), name, field, value);
  } else {
    const set = partOf(message, name).getByLabel(`${name} is set`, { exact: true }).first();
    if ((await set.count()) > 0) await set.check();
    await fillValue(message, name, field, value);
  }
}

function row(part: Locator, at: number): Locator {
  return part.locator(":scope > .mf-inner > .mf-rows > .mf-row").nth(at);
}

/** Fills in the value that a label names. */
async function fillValue(within: Locator, label: string, field: DescField, value: JsonValue): Promise<void> {
  const { message } = field;
  const part = partOf(within, label);
  const scope = (await part.count()) > 0 ? part : within;
  if (!message) {
    await fillScalar(scope, label, field, value);
  } else if (message.typeName.startsWith("google.protobuf.") && message.name !== "Empty") {
    await fillKnown(scope, label, message, value);
  } else {
    const group = scope === part ? part : scope.getByRole("group", { name: label, exact: true }).first();
    await fillMessage(group.locator(":scope > .mf-inner > .mf-message"), message, value as JsonObject);
  }
}

async function fillScalar(scope: Locator, label: string, field: DescField, value: JsonValue): Promise<void> {
  const control = scope.getByLabel(label, { exact: true }).first();
  if (field.enum) {
    if (typeof value === "string") {
      await control.selectOption(value);
    } else if (value !== null) {
      await control.selectOption({ label: "another number…" });
      await scope.getByLabel("number", { exact: true }).last().fill(String(value));
    }
  } else if (typeof value === "boolean") {
    await control.setChecked(value);
  } else {
    await control.fill(String(value));
  }
}

async function fillKnown(scope: Locator, label: string, message: DescMessage, value: JsonValue): Promise<void> {
  const control = scope.getByLabel(label, { exact: true }).first();
  if (TEXTS.includes(message.name)) {
    await control.fill(String(value));
  } else if (message.name === "FieldMask") {
    await control.fill(String(value).replaceAll(",", "\n"));
  } else if (FREE.includes(message.name)) {
    await control.fill(JSON.stringify(value, undefined, 2));
  } else if (message.name === "Any") {
    const { "@type": url, ...rest } = value as JsonObject;
    const name = String(url).split("/")[1] ?? "";
    const desc = registry.getMessage(name);
    if (!desc) throw new Error(`no message ${name}`);
    await scope.getByLabel("type", { exact: true }).first().selectOption(name);
    await fillMessage(scope.locator(".mf-any > .mf-message").first(), desc, rest);
  } else {
    const [wrapped] = message.fields;
    if (!wrapped) throw new Error(`${message} wraps nothing`);
    await fillScalar(scope, label, wrapped, value);
  }
}
