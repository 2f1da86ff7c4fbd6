// A window with a form in it, under the policy that the explorer is served with.

import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type DescMessage, fromBinary, type JsonValue, toJson } from "@bufbuild/protobuf";
import { build } from "esbuild";
import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import { Window } from "../../../../tests/pages/window.js";
import type { Problem } from "../../src/form/form.js";
import type { Harness } from "./harness.js";
import { message, registry, SET } from "./schemas.js";

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";

const HTML = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A form</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="page.css">
<script type="module" src="page.js"></script></head><body><main><h1>A form</h1><form novalidate></form></main></body></html>`;

let served: Promise<Server> | undefined;

/** Serves the page to all tests of this process. */
async function serve(): Promise<Server> {
  const options = { bundle: true, write: false, format: "esm", target: "es2022", logLevel: "warning" } as const;
  const script = await build({ ...options, entryPoints: ["tests/form/harness.ts"] });
  const styles =
    '@import "./src/look/page.css"; @import "./src/form/form.css"; body { background: var(--sheet); color: var(--ink); font: 0.875rem / 1.5 var(--sans) }';
  const style = await build({ ...options, stdin: { contents: styles, loader: "css", resolveDir: "." } });
  const files: Readonly<Record<string, readonly [string, string | Uint8Array]>> = {
    "/": ["text/html", HTML],
    "/page.js": ["text/javascript", script.outputFiles[0]?.text ?? ""],
    "/page.css": ["text/css", style.outputFiles[0]?.text ?? ""],
    "/forms.binpb": ["application/octet-stream", SET],
  };
  const server = createServer((request, response) => {
    const [type, content] = files[request.url ?? ""] ?? ["text/plain", ""];
    response.writeHead(200, { "content-type": type, "content-security-policy": POLICY });
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return server;
}

/** A part of a form: a group of fields, or the whole. */
export type Part = Locator;

export class FormWindow extends Window {
  private constructor(
    page: Page,
    readonly desc: DescMessage,
  ) {
    super(page);
  }

  /** Opens a form for a message. */
  static async open(name: string, options: BrowserContextOptions = {}): Promise<FormWindow> {
    served ??= serve();
    const { port } = (await served).address() as AddressInfo;
    const desc = message(name);
    const window = await Window.make((page) => new FormWindow(page, desc), `http://127.0.0.1:${port}/`, options);
    await window.page.waitForFunction(() => Reflect.has(globalThis, "harness"));
    await window.show(name);
    return window;
  }

  /** Puts an empty form in the place of the one that is there. */
  async show(name: string): Promise<void> {
    await this.page.evaluate((name) => (Reflect.get(globalThis, "harness") as Harness).show(name), name);
  }

  /** Puts what a message is made of in the place of the form. */
  async schema(name: string): Promise<void> {
    await this.page.evaluate((name) => (Reflect.get(globalThis, "harness") as Harness).schema(name), name);
  }

  /** What is filled in, encoded; or what is wrong. */
  read(): Promise<{ hex: string } | { problems: Problem[] }> {
    return this.page.evaluate(() => (Reflect.get(globalThis, "harness") as Harness).read());
  }

  json(): Promise<string> {
    return this.page.evaluate(() => (Reflect.get(globalThis, "harness") as Harness).json());
  }

  fill(json: unknown): Promise<Problem[]> {
    const text = typeof json === "string" ? json : JSON.stringify(json);
    return this.page.evaluate((text) => (Reflect.get(globalThis, "harness") as Harness).fill(text), text);
  }

  counts(): Promise<{ changes: number; sent: number }> {
    return this.page.evaluate(() => {
      const { changes, sent } = Reflect.get(globalThis, "harness") as Harness;
      return { changes, sent };
    });
  }

  /** What is filled in, as JSON made of what is encoded: not the form's own. */
  async message(): Promise<JsonValue> {
    return toJson(this.desc, fromBinary(this.desc, await this.bytes()), { registry });
  }

  async bytes(): Promise<Uint8Array> {
    const read = await this.read();
    assert.ok("hex" in read, JSON.stringify(read));
    return Buffer.from(read.hex, "hex");
  }

  async hex(): Promise<string> {
    return Buffer.from(await this.bytes()).toString("hex");
  }

  /** What every control that is seen holds, in the order of the page. What is folded up is opened. */
  async shown(): Promise<string[]> {
    const folded = this.whole.locator('.mf-fold[aria-expanded="false"]:visible');
    while ((await folded.count()) > 0) await folded.first().click();
    return this.whole.locator("input, select, textarea").evaluateAll((controls) =>
      (controls as (HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement)[])
        .filter((control) => control.closest("[hidden]") === null)
        .map((control) => {
          const isTicked = control.type === "checkbox" || control.type === "radio";
          const held = isTicked ? String((control as HTMLInputElement).checked) : control.value;
          const name = control.getAttribute("aria-labelledby")?.split(" ") ?? [];
          const names = name.map((id) => document.getElementById(id)?.textContent ?? "");
          return `${names.join(" ") || [...(control.labels ?? [])].map((label) => label.textContent).join(" ")}: ${held}`;
        }),
    );
  }

  async problems(): Promise<Problem[]> {
    const read = await this.read();
    return "problems" in read ? read.problems : [];
  }

  get whole(): Part {
    return this.page.locator(".mf-form");
  }

  /** The group of a field, by its name. */
  group(name: string, within: Part = this.whole): Part {
    return within.getByRole("group", { name, exact: true });
  }

  /** A control by the name of its field; the first of those that share it. */
  control(name: string, within: Part = this.whole): Locator {
    return within.getByLabel(name, { exact: true }).first();
  }

  /** Sets a field that can be not set. */
  async set(name: string, within: Part = this.whole): Promise<void> {
    await within.getByLabel(`${name} is set`, { exact: true }).check();
  }
}
