// @ts-check
// Short messages at the corner, announced politely; they leave by themselves unless the pointer or focus is on them.

import { element, icon, make } from "./dom.mjs";

const STAY_MS = 12_000;
const MOST = 4;

/**
 * @param {string} title @param {string} detail @param {string} [kind] a class: `alert`
 */
export async function toast(title, detail, kind = "") {
  const place = await element("#toasts");
  const close = make("button", { class: "icon-button", type: "button", "aria-label": "Dismiss" }, [icon("close")]);
  const made = make("div", { class: `toast ${kind}`.trim() }, [
    make("b", { text: title }),
    make("span", { class: "detail", text: detail }),
    close,
  ]);
  const leave = () => made.remove();
  const wait = () => {
    setTimeout(() => (made.matches(":hover, :focus-within") ? wait() : leave()), STAY_MS);
  };
  close.addEventListener("click", leave);
  place.append(made);
  while (place.children.length > MOST) place.firstElementChild?.remove();
  wait();
}
