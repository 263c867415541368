// @ts-check
// Sentences on what an address or a kept view asks for and there is not: it is left out, the rest is shown.

import { toast } from "./toasts.mjs";

/** What the parts of a view are called. */
const NAMES = { timeframe: "timeframe", type: "chart type", scale: "price scale" };

/** @param {any} view what is shown now @returns {(refused: import("../live/view.mjs").Refused[]) => void} */
export function teller(view) {
  return (refused) => {
    for (const { name, came, accepted } of refused) {
      const short = came.slice(0, 40);
      if (name === "symbol") void toast(`There is no instrument ${short}`, `${view.symbol} is shown instead.`);
      else void toast(`There is no ${NAMES[name]} ${short}`, `${view[name]} is shown instead; there are ${accepted.join(", ")}.`);
    }
  };
}

/** @param {string} sentence */
export function leftOut(sentence) {
  void toast("A part of the view is left out", sentence);
}
