// Asks an administrator whether somebody is really to be put out, and why.

import { fill, h } from "../dom.js";
import { why } from "../words.js";

/** Shows the question; `kick` does it, and rejects with why it is not done. */
export function askToKick(room: string, user: string, kick: (reason: string) => Promise<unknown>): void {
  const reason = h("input", { id: "reason", maxlength: 200, autocomplete: "off" });
  const problem = h("p", { class: "problem", role: "alert" });
  const submit = h("button", { type: "submit", class: "strong danger" }, "Put out");
  const cancel = h("button", { type: "button" }, "Cancel");
  const dialog = h("dialog", { class: "card", "aria-labelledby": "kick-title" });
  const form = h(
    "form",
    {},
    h("h2", { id: "kick-title" }, `Put ${user} out of ${room}?`),
    h("p", {}, "They cannot come back for ten minutes."),
    h("label", { for: "reason" }, "Why; everybody in the room reads it"),
    reason,
    problem,
    h("p", { class: "buttons" }, cancel, submit),
  );
  cancel.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      await kick(reason.value.trim());
      dialog.close();
    } catch (error) {
      fill(problem, why(`${user} is still there`, error));
      submit.disabled = false;
    }
  });
  dialog.append(form);
  document.body.append(dialog);
  dialog.showModal();
}
