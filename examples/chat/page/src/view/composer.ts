// Where one writes. What is not sent stays, also when one looks elsewhere.

import { fill, h, icon, invalid } from "../dom.js";

/** As the contract has it, in characters. */
const LONGEST = 2_000;

/** From here on it is said how many are left. */
const NEAR = 1_800;

/** What is being written, and where: it outlives the view of a place. */
export const drafts = new Map<string, string>();

/** Makes the form of a place. `write` is called while somebody writes, `send` with what is to be sent. */
export function composer(
  place: string,
  label: string,
  send: (text: string) => void,
  write: () => void = () => {},
): HTMLFormElement {
  const left = h("p", { class: "left", id: "left", "aria-live": "polite" });
  const text = h("textarea", {
    id: "text",
    rows: 1,
    "aria-label": label,
    placeholder: label,
    "aria-describedby": "left",
    enterkeyhint: "send",
    autocomplete: "off",
  });
  const submit = h("button", { class: "strong send", type: "submit", "aria-label": "Send" }, icon("send"));
  const form = h("form", { class: "composer" }, left, h("div", { class: "row" }, text, submit));
  text.value = drafts.get(place) ?? "";

  const length = () => [...text.value.trim()].length;
  const isSendable = () => length() > 0 && length() <= LONGEST;
  const draw = () => {
    drafts.set(place, text.value);
    const over = length() - LONGEST;
    fill(left, over > 0 ? `${over} characters too many` : length() > NEAR ? `${-over} characters left` : "");
    submit.disabled = !isSendable();
    invalid(text, over > 0);
    // As high as what is in it, up to what the style allows.
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
  };
  text.addEventListener("input", () => {
    draw();
    if (length() > 0) write();
  });
  text.addEventListener("keydown", (event) => {
    // Whoever composes a character of several keys is not done with Enter.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    // Enter may come before the first draw.
    if (!isSendable()) return;
    send(text.value.trim());
    text.value = "";
    draw();
    text.focus();
  });
  requestAnimationFrame(draw);
  return form;
}
