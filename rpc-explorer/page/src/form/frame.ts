// How a field looks around its control: its name, what its schema says of it, and whether it is set.

import type { DescField, DescOneof } from "@bufbuild/protobuf";
import { element } from "../dom.js";
import { newId, paragraphs } from "../parts.js";
import type { Control } from "./control.js";
import { docsOf } from "./docs.js";
import { icon, idList } from "./dom.js";
import { print } from "./json.js";
import { type Rules, wordsOf } from "./rules.js";
import { typeInWords } from "./words.js";

/** What a field's frame says. */
export interface Heading {
  readonly desc: DescField | DescOneof;
  readonly rules: Rules;
}

/** The parts of a frame. */
export interface Frame {
  readonly element: HTMLElement;
  /** The element that names the field. */
  readonly labelId: string;
  /** Those that say more. */
  readonly describedBy: string;
  /** Where the control goes. */
  readonly body: HTMLElement;
  /** Where a switch goes that sets the field. */
  readonly side: HTMLElement;
}

/** The frame of one control. */
export interface LineFrame extends Frame {
  readonly label: HTMLLabelElement;
}

/** The frame of several. */
export interface GroupFrame extends Frame {
  fold(isFolded: boolean): void;
  /** What folds it up: a button. */
  readonly toggle: HTMLButtonElement;
  /** What is in it, while it is folded up. */
  readonly summary: HTMLElement;
}

/** A field of one control: its name beside it on a wide window, above it on a narrow one. */
export function lineFrame(heading: Heading): LineFrame {
  const label = element("label", { class: "mf-name", id: newId() }, heading.desc.name);
  const { details, describedBy } = said(heading);
  const side = element("div", { class: "mf-side" });
  const body = element("div", { class: "mf-body" }, side);
  const head = element(
    "div",
    { class: "mf-head" },
    element("div", { class: "mf-title" }, label, ...badges(heading)),
    ...details,
  );
  const made = element("div", { class: "mf-field", "data-field": heading.desc.name }, head, body);
  return { element: made, label, labelId: label.id, describedBy, body, side };
}

/** A field of several controls, which can be folded up. */
export function groupFrame(heading: Heading): GroupFrame {
  const body = element("div", { class: "mf-inner" });
  const { legend, summary, fold, toggle, labelId } = foldable(heading.desc.name, body);
  const { details, describedBy } = said(heading);
  const side = element("div", { class: "mf-side" });
  const head = element("div", { class: "mf-group-head" }, ...badges(heading), side, summary);
  const made = element(
    "fieldset",
    { class: "mf-group", "data-field": heading.desc.name },
    legend,
    head,
    ...details,
    body,
  );
  if (describedBy !== "") made.setAttribute("aria-describedby", describedBy);
  return { element: made, labelId, describedBy, body, side, fold, toggle, summary };
}

/** How many characters of something that is folded up are shown. */
const SUMMARY = 80;

/** What is in a control, in short. */
export function summaryOf(control: Control): string {
  const whole = print(control.read("", { problems: [], show: false }).json).replace(/\s+/g, " ");
  return whole.length > SUMMARY ? `${whole.slice(0, SUMMARY - 1)}…` : whole;
}

/** What is sent upwards from something that is to be seen. */
const REVEAL = "mf-reveal";

/** Opens whatever is folded up around something that is to be seen. */
export function reveal(something: HTMLElement): void {
  something.dispatchEvent(new Event(REVEAL, { bubbles: true }));
}

/** A legend that folds a body up, and says what is in it when it is. */
export function foldable(name: string, body: HTMLElement) {
  const label = element("span", { class: "mf-name", id: newId() }, name);
  body.id = newId();
  const toggle = element(
    "button",
    { type: "button", class: "mf-fold", "aria-expanded": "true", "aria-controls": body.id },
    icon("fold"),
    label,
  );
  const summary = element("span", { class: "mf-summary", hidden: true });
  const fold = (isFolded: boolean) => {
    toggle.setAttribute("aria-expanded", String(!isFolded));
    body.hidden = isFolded;
    summary.hidden = !isFolded;
    toggle.dispatchEvent(new CustomEvent("mf-fold", { bubbles: true }));
  };
  toggle.addEventListener("click", () => fold(!body.hidden));
  body.addEventListener(REVEAL, () => body.hidden && fold(false));
  return { legend: element("legend", { class: "mf-legend" }, toggle), summary, fold, toggle, label, labelId: label.id };
}

function badges({ desc, rules }: Heading): HTMLElement[] {
  const found: HTMLElement[] = [];
  if (rules.required) found.push(element("span", { class: "mf-badge mf-required" }, "required"));
  if (desc.deprecated) found.push(element("span", { class: "mf-badge mf-deprecated" }, "deprecated"));
  found.push(typeInWords(desc));
  return found;
}

/** What is said below the name: the docs, then the rules. */
function said({ desc, rules }: Heading): { details: HTMLElement[]; describedBy: string } {
  const details: HTMLElement[] = [];
  const docs = docsOf(desc);
  if (docs !== "") details.push(element("div", { class: "mf-docs", id: newId() }, ...paragraphs(docs)));
  const words = wordsOf(rules);
  if (words.length > 0) details.push(element("p", { class: "mf-rules", id: newId() }, words.join("; ")));
  return { details, describedBy: idList(...details.map(({ id }) => id)) };
}
