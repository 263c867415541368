// @ts-check
// A small question in a dialog: a name to give, or something to agree to. It stays open, with the reason, while what it
// asks for is refused.

import { make } from "./dom.mjs";

/**
 * @param {{title: string, text?: string, label?: string, value?: string, action: string,
 *   run: (value: string) => Promise<string | null>, closed?: () => void}} question with a `label` it asks for a text;
 *   `run` does it and gives null, or why it was not done
 */
export function ask({ title, text = "", label, value = "", action, run, closed }) {
  const field = make("input", { class: "field", maxlength: 80, autocomplete: "off", spellcheck: "false", value });
  const error = make("p", { class: "ask-error", role: "alert" });
  const go = make("button", { type: "submit", class: "button primary", text: action });
  const cancel = make("button", { type: "button", class: "button", text: "Cancel" });
  const form = make("form", { class: "ask", novalidate: true }, [
    make("h2", { id: "ask-title", text: title }),
    ...(text ? [make("p", { class: "muted", text })] : []),
    ...(label ? [make("label", {}, [make("span", { text: label }), field])] : []),
    error,
    make("div", { class: "ask-foot" }, [cancel, go]),
  ]);
  const dialog = /** @type {HTMLDialogElement} */ (make("dialog", { class: "dialog ask-dialog", "aria-labelledby": "ask-title" }, [form]));
  form.addEventListener("submit", async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (go.getAttribute("aria-busy") === "true") return;
    go.setAttribute("aria-busy", "true");
    error.textContent = "";
    const why = await run(field.value);
    go.removeAttribute("aria-busy");
    if (why === null) return dialog.close();
    error.textContent = why;
    if (label) field.focus();
  });
  cancel.addEventListener("click", () => dialog.close());
  // The page's keys are not meant here.
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  dialog.addEventListener("close", () => {
    dialog.remove();
    closed?.();
  });
  document.body.append(dialog);
  dialog.showModal();
  if (label) field.select();
  else cancel.focus();
}
