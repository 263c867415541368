// @ts-check
// Light, dark, or as the system has it: the user's choice, kept in this browser. `early.js` applies it before the first paint.

import { element, icon, make } from "./dom.mjs";

const KEPT = "tickboard.theme";
const CHOICES = { system: "System", light: "Light", dark: "Dark" };
const system = matchMedia("(prefers-color-scheme: dark)");

/** The theme on the screen now. @returns {"light" | "dark"} */
export function shownTheme() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return system.matches ? "dark" : "light";
}

/** @param {string} choice */
function choose(choice) {
  const root = document.documentElement;
  if (choice === "light" || choice === "dark") root.dataset.theme = choice;
  else delete root.dataset.theme;
  try {
    if (choice === "system") localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, choice);
  } catch {
    // storage can be forbidden; the choice then lasts as long as the page
  }
  announce();
}

function announce() {
  document.dispatchEvent(new CustomEvent("tickboard:theme", { detail: { theme: shownTheme() } }));
}

/** The other theme, for the button and the key. */
export function toggleTheme() {
  choose(shownTheme() === "dark" ? "light" : "dark");
}

export async function theme() {
  const button = await element("#theme-toggle");
  const group = await element("#theme-choice");
  button.addEventListener("click", toggleTheme);
  const buttons = Object.entries(CHOICES).map(([choice, title]) => {
    const one = make("button", { type: "button", text: title, "data-choice": choice });
    one.addEventListener("click", () => choose(choice));
    return one;
  });
  group.replaceChildren(...buttons);
  const paint = () => {
    const dark = shownTheme() === "dark";
    button.replaceChildren(icon(dark ? "sun" : "moon"));
    button.setAttribute("aria-label", dark ? "Switch to the light theme" : "Switch to the dark theme");
    button.title = dark ? "Light theme (T)" : "Dark theme (T)";
    const chosen = document.documentElement.dataset.theme ?? "system";
    for (const one of buttons) one.setAttribute("aria-pressed", String(one.dataset.choice === chosen));
  };
  document.addEventListener("tickboard:theme", paint);
  system.addEventListener("change", announce);
  paint();
}
