// @ts-check
// The dialog of settings: each is shown at once and kept on the server (`preferences`).

import { element, make, write } from "./dom.mjs";
import { preferences, USUAL } from "./preferences.mjs";
import { THEMES } from "./theme.mjs";
import * as words from "./words.mjs";
import * as zone from "./zone.mjs";

/** Settings of a few choices: the field, its title, and what each value is called. */
const CHOICES = /** @type {const} */ ([
  ["theme", "Theme", THEMES],
  ["palette", "Colours", { default: "Green and red", "colour-blind": "Blue and orange" }],
  ["direction", "Rising prices", { "green-up": "Green", "red-up": "Red" }],
  ["density", "Density", { comfortable: "Comfortable", compact: "Compact" }],
  ["motion", "Motion", { system: "As the system says", reduced: "Reduced" }],
]);

/** What rising is called with colours of a palette. @param {string} direction @param {string} palette */
export function risingWords(direction, palette) {
  const [cool, hot] = palette === "colour-blind" ? ["Blue", "Orange"] : ["Green", "Red"];
  return direction === "red-up" ? hot : cool;
}

/** @returns {Promise<{open: () => void}>} */
export async function settings() {
  const groups = CHOICES.map(([field, title, titles]) => {
    const buttons = Object.entries(titles).map(([value, text]) => {
      const one = make("button", { type: "button", text, "data-value": value });
      one.addEventListener("click", () => void preferences.change({ [field]: value }));
      return one;
    });
    const group = make("div", { class: "choice", role: "group", "aria-labelledby": `setting-${field}`, "data-setting": field }, buttons);
    return { field, buttons, row: [make("span", { id: `setting-${field}`, text: title }), group] };
  });
  const zones = /** @type {HTMLSelectElement} */ (make("select", { id: "setting-zone", class: "select" }));
  const clock = make("span", { class: "faint num" });
  const usual = make("button", { type: "button", class: "button", text: "As usual again" });
  const close = make("button", { type: "button", class: "button primary", text: "Done" });
  const dialog = /** @type {HTMLDialogElement} */ (
    make("dialog", { id: "settings-dialog", class: "dialog wide", "aria-labelledby": "settings-title" }, [
      make("h2", { id: "settings-title", text: "Settings" }),
      make("div", { class: "settings-rows" }, [
        ...groups.flatMap(({ row }) => row),
        make("label", { for: "setting-zone", text: "Time zone" }),
        make("div", { class: "zone-choice" }, [zones, clock]),
      ]),
      make("p", { class: "muted settings-note", text: "Kept with your user name: the same at the next login, on any machine." }),
      make("div", { class: "dialog-end" }, [usual, close]),
    ])
  );
  document.body.append(dialog);

  const paint = () => {
    const { shown } = preferences;
    for (const { field, buttons } of groups) {
      for (const one of buttons) {
        one.setAttribute("aria-pressed", String(one.dataset.value === shown[field]));
        if (field === "direction") write(one, risingWords(/** @type {string} */ (one.dataset.value), shown.palette));
      }
    }
    if (dialog.open) paintZone();
  };
  const paintZone = () => {
    if (!zones.options.length) zones.append(...zoneOptions());
    const wanted = preferences.shown.time_zone;
    if (![...zones.options].some(({ value }) => value === wanted)) zones.append(make("option", { value: wanted, text: wanted }));
    zones.value = wanted;
    write(clock, `${words.time(zone.now())} ${words.zone(zone.now())}`);
  };
  zones.addEventListener("change", () => void preferences.change({ time_zone: zones.value }));
  usual.addEventListener("click", () => void preferences.change({ ...USUAL, default_view: preferences.shown.default_view }));
  close.addEventListener("click", () => dialog.close());
  document.addEventListener("tickboard:preferences", paint);
  setInterval(() => dialog.open && paintZone(), 1000);
  const open = () => {
    if (dialog.open) return;
    dialog.showModal();
    paint();
  };
  (await element("#settings-button")).addEventListener("click", open);
  paint();
  return { open };
}

/** The browser's zone, UTC, then every zone that it knows, by region. @returns {HTMLElement[]} */
function zoneOptions() {
  /** @type {Map<string, HTMLElement[]>} */
  const regions = new Map();
  for (const name of Intl.supportedValuesOf?.("timeZone") ?? []) {
    const [region, ...rest] = name.split("/");
    if (!rest.length) continue;
    const text = rest.join(", ").replaceAll("_", " ");
    regions.set(region, [...(regions.get(region) ?? []), make("option", { value: name, text })]);
  }
  return [
    make("option", { value: "local", text: `Of the browser (${zone.own()})` }),
    make("option", { value: "UTC", text: "UTC" }),
    ...[...regions].map(([label, options]) => make("optgroup", { label }, options)),
  ];
}
