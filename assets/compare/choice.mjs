// @ts-check
// What is compared: its form in the address (`compare=MSFT,GOOGL`, and where they are not as usual `comparemode`,
// `comparefactor` and `correlation`), read and written. Pure.

/**
 * @typedef {object} Choice
 * @property {string[]} symbols beside the chart's own; a spread and a ratio are of its own and the first of them
 * @property {string} mode @property {number} factor of the second of a spread
 * @property {number | null} window of the correlation, returns; null for none
 */
/**
 * @typedef {object} Registry dashboard/ui/comparing.py
 * @property {number} most @property {Record<string, string>} modes @property {number[]} colours @property {number} factor
 * @property {{minimum: number, maximum: number, default: number}} window
 */

/** The names in the address, in the order of `read` and `written`. */
export const NAMES = ["compare", "comparemode", "comparefactor", "correlation"];
/** Longer texts are not looked at. */
const LONGEST = 400;

/** @returns {Choice} */
export const none = () => ({ symbols: [], mode: "indexed", factor: 1, window: null });

/** A number of the factor from its text, or a sentence on what it has to be. @param {string} text @param {Registry} registry */
export function factorOf(text, registry) {
  const value = /^[-+−]?\d{1,12}(\.\d{1,12})?$/.test(text) ? Number(text.replace("−", "-")) : NaN;
  if (Math.abs(value) > 0 && Math.abs(value) <= registry.factor) return { value };
  return { fault: `The factor of a spread is a number other than 0, up to ${registry.factor.toLocaleString("en-US")} in size${came(text)}.` };
}

/** A window from its text, or a sentence on what it has to be. @param {string} text @param {Registry} registry */
export function windowOf(text, { window: { minimum, maximum } }) {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (value >= minimum && value <= maximum) return { value };
  return { fault: `A correlation is of ${minimum} to ${maximum} returns, a whole number${came(text)}.` };
}

/** @param {string} text */
const came = (text) => (text ? `, not ${text.slice(0, 20)}` : "");

/**
 * Why one more symbol can't be compared; empty where it can. @param {string} symbol
 * @param {string[]} symbols those that are @param {{own: string, known: (symbol: string) => boolean, registry: Registry}} page
 */
export function refused(symbol, symbols, { own, known, registry }) {
  const said = symbol.slice(0, 40);
  if (!known(symbol)) return `There is no instrument ${said || "without a name"}.`;
  if (symbol === own) return `${said} is the chart's own instrument.`;
  if (symbols.includes(symbol)) return `${said} is compared already.`;
  if (symbols.length >= registry.most) return `${said} is one too many: ${registry.most + 1} instruments are compared at most, the chart's own among them.`;
  return "";
}

/**
 * What an address asks for: what there is of it, and a sentence on each part that is left out.
 * @param {(string | null)[]} values of `NAMES` @param {{own: string, known: (symbol: string) => boolean, registry: Registry}} page
 * @returns {{choice: Choice, faults: string[]}}
 */
export function read([symbols, mode, factor, window], page) {
  const { registry } = page;
  const choice = none();
  /** @type {string[]} */
  const faults = [];
  if (symbols && symbols.length > LONGEST) faults.push(`A list of symbols to compare has ${LONGEST} characters at most.`);
  else if (symbols) {
    for (const symbol of symbols.split(",")) {
      const fault = refused(symbol, choice.symbols, page);
      if (fault) faults.push(fault);
      else choice.symbols.push(symbol);
    }
  }
  if (mode) {
    if (Object.hasOwn(registry.modes, mode)) choice.mode = mode;
    else faults.push(`There is no way to compare called ${mode.slice(0, 40)}; there are ${Object.keys(registry.modes).join(", ")}.`);
  }
  if (factor) {
    const { value, fault } = factorOf(factor, registry);
    if (value !== undefined) choice.factor = value;
    else faults.push(/** @type {string} */ (fault));
  }
  if (window) {
    const { value, fault } = windowOf(window, registry);
    if (value !== undefined) choice.window = value;
    else faults.push(/** @type {string} */ (fault));
  }
  return { choice, faults };
}

/** The values of `NAMES` in the address; null for what is as usual, all of it where nothing is compared. @param {Choice} choice */
export function written({ symbols, mode, factor, window }) {
  if (!symbols.length) return NAMES.map(() => null);
  return [
    symbols.join(","),
    mode === "indexed" ? null : mode,
    mode === "spread" && factor !== 1 ? plain(factor) : null,
    window === null ? null : String(window),
  ];
}

/** A factor without an exponent. @param {number} factor */
export function plain(factor) {
  const text = String(factor);
  return text.includes("e") ? factor.toFixed(12).replace(/0+$/, "") : text;
}

/** What is made of the two of a spread or ratio, in words. @param {string} own @param {Choice} choice */
export function pairWords(own, { symbols, mode, factor }) {
  if (mode === "ratio") return `${own} / ${symbols[0]}`;
  const size = Math.abs(factor) === 1 ? "" : `${plain(Math.abs(factor))} × `;
  return `${own} ${factor < 0 ? "+" : "−"} ${size}${symbols[0]}`;
}
