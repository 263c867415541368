// @ts-check
// Which indicators are chosen: their form as text (`sma:20,bbands:20:2`, as dashboard/market/indicators/chosen.py reads
// it) and how they look (`2,,5h`: a colour's number, h where hidden, empty where both are the usual ones). Pure.

/** @typedef {{name: string, default: number, minimum: number, maximum: number, whole: boolean}} Parameter */
/** @typedef {{label?: string, colour?: string, dash?: string, draw?: string}} Line */
/**
 * @typedef {object} About an indicator of the registry (dashboard/ui/studies.py)
 * @property {string} name @property {string} title @property {string} short @property {"price" | "own"} pane
 * @property {Parameter[]} parameters @property {string[]} rising @property {string[]} inputs @property {string[]} outputs
 * @property {Line[]} lines @property {number[]} guides @property {[number, number] | null} span @property {string} digits
 */
/** @typedef {{most: number, colours: number, list: About[]}} Registry */
/** @typedef {{about: About, values: number[], colour: number, hidden: boolean}} Chosen */

/** Longer texts are not looked at. */
const LONGEST_TEXT = 400;

/** `bbands:20:2`. @param {Chosen} chosen */
export function textOf({ about, values }) {
  return [about.name, ...values].join(":");
}

/** `BB 20 2`. @param {Chosen} chosen */
export function label({ about, values }) {
  return [about.short, ...values].join(" ");
}

/** The number of the colour that an indicator at a place of the list usually has. @param {number} place @param {Registry} registry */
function usual(place, registry) {
  return (place % registry.colours) + 1;
}

/** A list as the address has it. @param {Chosen[]} list @param {Registry} registry @returns {{indicators: string, looks: string}} */
export function written(list, registry) {
  const looks = list.map(({ colour, hidden }, at) => `${colour === usual(at, registry) ? "" : colour}${hidden ? "h" : ""}`);
  return { indicators: list.map(textOf).join(","), looks: looks.some(Boolean) ? looks.join(",") : "" };
}

/**
 * What an address asks for: those there are, and a sentence on each part that is left out.
 * @param {string} indicators @param {string} looks @param {Registry} registry
 * @returns {{list: Chosen[], faults: string[]}}
 */
export function read(indicators, looks, registry) {
  /** @type {Chosen[]} */
  const list = [];
  /** @type {string[]} */
  const faults = [];
  if (!indicators) return { list, faults };
  if (indicators.length > LONGEST_TEXT) return { list, faults: [`A list of indicators has ${LONGEST_TEXT} characters at most.`] };
  const styles = looks.split(",");
  for (const [at, part] of indicators.toLowerCase().split(",").entries()) {
    const { values, about, fault } = one(part, registry);
    const chosen = about && values && { about, values, ...style(styles[at] ?? "", list.length, registry) };
    if (!chosen) faults.push(/** @type {string} */ (fault));
    else if (list.some((other) => textOf(other) === textOf(chosen))) faults.push(`${textOf(chosen)} is there already.`);
    else if (list.length === registry.most) faults.push(`${part.slice(0, 40)} is one too many: a chart has ${registry.most} indicators at most.`);
    else list.push(chosen);
  }
  return { list, faults };
}

/** @param {string} text @param {number} place @param {Registry} registry */
function style(text, place, registry) {
  const [, digits, hidden] = /^(\d*)(h?)$/.exec(text) ?? ["", "", ""];
  const colour = Number(digits);
  return { colour: colour >= 1 && colour <= registry.colours ? colour : usual(place, registry), hidden: hidden === "h" };
}

/** @param {string} part @param {Registry} registry @returns {{about?: About, values?: number[], fault?: string}} */
function one(part, registry) {
  const [head, ...given] = part.split(":");
  const said = part.slice(0, 40);
  const about = registry.list.find(({ name }) => name === head);
  if (!about) return { fault: `There is no indicator ${said || "without a name"}; there are ${registry.list.map(({ name }) => name).join(", ")}.` };
  const { parameters } = about;
  if (given.length > parameters.length) return { fault: `${said}: ${about.name} has ${parameters.length || "no"} parameter${parameters.length === 1 ? "" : "s"}${parameters.length ? " at most" : ""}.` };
  const values = parameters.map((parameter) => parameter.default);
  for (const [at, text] of given.entries()) {
    const { value, fault } = number(parameters[at], text);
    if (fault) return { fault: `${said}: ${fault}` };
    values[at] = /** @type {number} */ (value);
  }
  const fault = order(about, values);
  return fault ? { fault: `${said}: ${fault}` } : { about, values };
}

/** A parameter from its text, or a sentence on what it has to be. @param {Parameter} parameter @param {string} text */
export function number({ name, minimum, maximum, whole }, text) {
  const value = Number(text);
  const formed = (whole ? /^[0-9]{1,9}$/ : /^[0-9]{1,9}(\.[0-9]{1,4})?$/).test(text);
  if (formed && value >= minimum && value <= maximum) return { value };
  const came = text ? `, not ${text.slice(0, 20)}` : "";
  return { fault: `${name} is ${whole ? "a whole number" : "a number"} from ${minimum} to ${maximum}${whole ? "" : " with four decimals at most"}${came}.` };
}

/** What is wrong with parameters beside each other, nothing where they are right. @param {About} about @param {number[]} values */
export function order({ parameters, rising }, values) {
  const of = (/** @type {string} */ name) => values[parameters.findIndex((each) => each.name === name)];
  const at = rising.findIndex((name, place) => place > 0 && of(rising[place - 1]) >= of(name));
  return at < 0 ? "" : `${rising[at - 1]} is below ${rising[at]}.`;
}

/**
 * One more of an indicator: with its defaults, or where those are there already, with the next first parameter that is
 * free; null where it has none. In the first colour that nobody has.
 * @param {About} about @param {Chosen[]} list @param {Registry} registry @returns {Chosen | null}
 */
export function another(about, list, registry) {
  const colours = Array.from({ length: registry.colours }, (_, at) => at + 1);
  const colour = colours.find((each) => !list.some((other) => other.colour === each)) ?? usual(list.length, registry);
  const taken = new Set(list.map(textOf));
  const made = { about, values: about.parameters.map((parameter) => parameter.default), colour, hidden: false };
  const [first] = about.parameters;
  while (taken.has(textOf(made)) || order(about, made.values)) {
    if (!first || made.values[0] + 1 > first.maximum || order(about, made.values)) return null;
    made.values[0] += first.default < 20 ? 1 : 10;
  }
  return made;
}
