// @ts-check
// Words for classes of instruments, and for what tiles may be as large as; the measure `equal` has no value to say.

/** As in dashboard/ui/watchlist.py. @type {Record<string, string>} */
export const CLASSES = { stock: "Stocks", crypto: "Crypto", currency: "Currencies", commodity: "Commodities", index: "Indices" };

/** As in dashboard/ui/market/asked.py. @type {Record<string, string>} */
export const SIZES = { turnover: "turnover", volume: "volume", trades: "trades" };

/** What a window is called in its control. @param {string} name */
export function windowTitle(name) {
  return document.querySelector(`#market-window option[value="${name}"]`)?.textContent ?? name;
}
