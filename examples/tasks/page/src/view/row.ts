// One task as a line of the list: to check, to rename, to remove.

import type { Row } from "../model/board.js";
import { plain, quote, visible } from "../words/text.js";
import { element, icon, iconButton, setText } from "./dom.js";

/** What a line asks for. */
export interface RowActions {
  check(key: string, checked: boolean): void;
  rename(key: string, label: string): void;
  remove(key: string): void;
}

/** What of a line can have the focus. */
export type Control = "check" | "rename" | "remove" | "field";

let ids = 0;

export class RowView {
  readonly element: HTMLLIElement;
  readonly key: string;
  readonly #actions: RowActions;
  readonly #check: HTMLInputElement;
  readonly #label: HTMLSpanElement;
  readonly #unsaved: HTMLSpanElement;
  readonly #rename: HTMLButtonElement;
  readonly #remove: HTMLButtonElement;
  #form: HTMLFormElement | undefined;
  #field: HTMLInputElement | undefined;
  #row: Row;

  constructor(row: Row, actions: RowActions) {
    this.key = row.key;
    this.#row = row;
    this.#actions = actions;
    ids += 1;
    this.#check = element("input", { type: "checkbox", class: "check", "aria-labelledby": `label-${ids}` });
    this.#label = element("span", { class: "label", id: `label-${ids}`, dir: "auto" });
    this.#unsaved = element("span", { class: "unsaved", title: "Not saved yet" }, icon("clock"));
    this.#unsaved.append(element("span", { class: "unseen" }, "not saved yet"));
    this.#rename = iconButton("pen", "rename");
    this.#remove = iconButton("bin", "remove");
    this.element = element(
      "li",
      { class: "row" },
      element("span", { class: "box" }, this.#check),
      this.#label,
      this.#unsaved,
      this.#rename,
      this.#remove,
    );
    this.#check.addEventListener("change", () => actions.check(this.key, this.#check.checked));
    this.#rename.addEventListener("click", () => this.edit());
    this.#label.addEventListener("dblclick", () => this.edit());
    this.#remove.addEventListener("click", () => actions.remove(this.key));
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.update(row);
  }

  /** Shows the task as it is now. A field that is open keeps what was typed. */
  update(row: Row): void {
    this.#row = row;
    setText(this.#label, visible(row.label));
    this.#check.checked = row.checked;
    this.element.classList.toggle("done", row.checked);
    this.#unsaved.hidden = !row.unsaved;
    const quoted = plain([quote(row.label)]);
    name(this.#rename, `Rename ${quoted}`);
    name(this.#remove, `Remove ${quoted}`);
  }

  /** What is typed in the open field; `undefined` where none is open. */
  get typed(): string | undefined {
    return this.#field?.value;
  }

  /** What the task is called now. */
  get label(): string {
    return this.#row.label;
  }

  /** Opens the field to rename, with this text, else the task's. */
  edit(text = this.#row.label): void {
    if (!this.#form) this.#open();
    if (!this.#field) return;
    this.#field.value = text;
    this.#field.focus();
    this.#field.select();
  }

  /** Which control has the focus. */
  focused(): Control | undefined {
    switch (document.activeElement) {
      case this.#check:
        return "check";
      case this.#rename:
        return "rename";
      case this.#remove:
        return "remove";
      default:
        return this.#form?.contains(document.activeElement) ? "field" : undefined;
    }
  }

  focus(control: Control): void {
    const wanted = {
      check: this.#check,
      rename: this.#rename,
      remove: this.#remove,
      field: this.#field ?? this.#rename,
    };
    wanted[control].focus();
  }

  /** Shows for a moment that somebody else has changed it. */
  flash(): void {
    this.element.classList.remove("changed");
    // Begins anew where it runs already.
    void this.element.offsetWidth;
    this.element.classList.add("changed");
  }

  #open(): void {
    const field = element("input", {
      type: "text",
      class: "field",
      dir: "auto",
      autocomplete: "off",
      "aria-label": `New name for ${plain([quote(this.#row.label)])}`,
    });
    const cancel = element("button", { type: "button", class: "button quiet" }, "Cancel");
    const save = element("button", { type: "submit", class: "button" }, "Save");
    const form = element("form", { class: "edit" }, field, save, cancel);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const label = field.value.trim();
      if (label === "") return field.focus();
      this.close();
      if (label !== this.#row.label) this.#actions.rename(this.key, label);
    });
    cancel.addEventListener("click", () => this.close());
    this.#form = form;
    this.#field = field;
    this.element.classList.add("editing");
    this.element.append(form);
  }

  /** Closes the field. */
  close(): void {
    const hadFocus = this.#form?.contains(document.activeElement) ?? false;
    this.#form?.remove();
    this.#form = undefined;
    this.#field = undefined;
    this.element.classList.remove("editing");
    if (hadFocus) this.#rename.focus();
  }

  #key(event: KeyboardEvent): void {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    const isInField = event.target === this.#field;
    if (event.key === "Escape" && this.#form) {
      this.close();
    } else if (event.key === "F2" && !this.#form) {
      this.edit();
    } else if (event.key === "Delete" && !isInField) {
      this.#actions.remove(this.key);
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !isInField) {
      const next = event.key === "ArrowDown" ? this.element.nextElementSibling : this.element.previousElementSibling;
      const at = [...this.element.querySelectorAll<HTMLElement>("input, button")].indexOf(event.target as HTMLElement);
      next?.querySelectorAll<HTMLElement>("input, button")[at]?.focus();
    } else {
      return;
    }
    event.preventDefault();
  }
}

function name(button: HTMLButtonElement, text: string): void {
  if (button.getAttribute("aria-label") === text) return;
  button.setAttribute("aria-label", text);
  button.title = text;
}
