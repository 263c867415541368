// @ts-check
// Which tab of the side panel is open, in the address as `side`. It knows tabs by their roles (WAI-ARIA): a button with
// role="tab" inside of #side is named by its `data-name`, else by the panel that it controls.

import { address } from "../live/address.mjs";
import { element } from "./dom.mjs";

/** @param {HTMLElement} tab */
const nameOf = (tab) => tab.dataset.name ?? tab.getAttribute("aria-controls") ?? tab.id;

export async function sideTab() {
  const side = await element("#side");
  const tabs = () => /** @type {HTMLElement[]} */ ([...side.querySelectorAll('[role="tab"]')]);
  const isOpen = (/** @type {HTMLElement} */ tab) => tab.getAttribute("aria-selected") === "true";
  address.add({
    names: ["side"],
    read() {
      // The first is the usual one.
      const at = tabs().findIndex(isOpen);
      return [at > 0 ? nameOf(tabs()[at]) : null];
    },
    show([wanted], opening) {
      const all = tabs();
      if (!all.length || (wanted === null && opening)) return undefined;
      const tab = wanted === null ? all[0] : all.find((one) => nameOf(one) === wanted);
      if (!tab) return `There is no tab "${String(wanted).slice(0, 30)}" at the side; there are ${all.map(nameOf).join(", ")}.`;
      if (!isOpen(tab)) tab.click();
      return undefined;
    },
  });
  new MutationObserver(() => address.write()).observe(side, { subtree: true, attributes: true, attributeFilter: ["aria-selected"] });
}
