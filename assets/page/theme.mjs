// @ts-check
// Light, dark, or as the system has it: the button in the header, the choice in the user's menu, the key.

import { element, icon, make } from "./dom.mjs";
import { preferences } from "./preferences.mjs";

export const THEMES = { system: "System", light: "Light", dark: "Dark" };
const system = matchMedia("(prefers-color-scheme: dark)");

/** The theme on the screen now. @returns {"light" | "dark"} */
export function shownTheme() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return system.matches ? "dark" : "light";
}

/** The other theme, for the button and the key. */
export function toggleTheme() {
  void preferences.change({ theme: shownTheme() === "dark" ? "light" : "dark" });
}

export async function theme() {
  const button = await element("#theme-toggle");
  const group = await element("#theme-choice");
  button.addEventListener("click", toggleTheme);
  const buttons = Object.entries(THEMES).map(([theme, title]) => {
    const one = make("button", { type: "button", text: title, "data-choice": theme });
    one.addEventListener("click", () => void preferences.change({ theme }));
    return one;
  });
  group.replaceChildren(...buttons);
  const paint = () => {
    const dark = shownTheme() === "dark";
    button.replaceChildren(icon(dark ? "sun" : "moon"));
    button.setAttribute("aria-label", dark ? "Switch to the light theme" : "Switch to the dark theme");
    button.title = dark ? "Light theme (T)" : "Dark theme (T)";
    for (const one of buttons) one.setAttribute("aria-pressed", String(one.dataset.choice === preferences.shown.theme));
  };
  document.addEventListener("tickboard:theme", paint);
  system.addEventListener("change", () => document.dispatchEvent(new CustomEvent("tickboard:theme")));
  paint();
}
