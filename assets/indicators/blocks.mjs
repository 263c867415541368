// @ts-check
// The parts that indicators are made of, a value at a time: dashboard/market/indicators/blocks.py, whose states these
// are, by the same names, as the server gives them (dashboard/market/indicators/warm.py). Pure but for their state.
//
// Each takes (its state, the next value, whether to keep it) and gives what it makes of it, NaN while it warms up. What
// is not finite is passed over. A forming bar's value is not kept, so that it may come again.

/** @typedef {{period: number, tail: number[]}} WindowState the last period - 1 values at most */
/** @typedef {{period: number, alpha: number, skip: number, silent: boolean, seed: number[], value: number}} SmoothedState */
/** @typedef {{last: number}} LastState */
/** @typedef {(tail: number[], value: number) => number} Reduce of the period - 1 values before and this one */

/** @type {Reduce} the arithmetic mean; of equal values that value to the last bit */
export function mean(tail, value) {
  const first = tail.length ? tail[0] : value;
  let sum = value - first;
  for (let at = 1; at < tail.length; at++) sum += tail[at] - first;
  return first + sum / (tail.length + 1);
}

/** @type {Reduce} the standard deviation of a population, in two passes */
export function deviation(tail, value) {
  const middle = mean(tail, value);
  let squares = (value - middle) ** 2;
  for (let at = 0; at < tail.length; at++) squares += (tail[at] - middle) ** 2;
  return Math.sqrt(squares / (tail.length + 1));
}

/** @type {Reduce} the mean with weights 1, 2, …, period, the newest value's the largest */
export function weighted(tail, value) {
  const count = tail.length + 1;
  const first = tail.length ? tail[0] : value;
  let sum = (value - first) * count;
  for (let at = 1; at < tail.length; at++) sum += (tail[at] - first) * (at + 1);
  return first + sum / ((count * (count + 1)) / 2);
}

/** @type {Reduce} */
export function highest(tail, value) {
  let most = value;
  for (let at = 0; at < tail.length; at++) if (tail[at] > most) most = tail[at];
  return most;
}

/** @type {Reduce} */
export function lowest(tail, value) {
  let least = value;
  for (let at = 0; at < tail.length; at++) if (tail[at] < least) least = tail[at];
  return least;
}

/**
 * What `reduce` makes of the newest `period` values; O(period).
 * @param {WindowState} state @param {number} value @param {boolean} keep @param {Reduce} reduce
 */
export function windowed(state, value, keep, reduce) {
  if (!Number.isFinite(value)) return NaN;
  const { period, tail } = state;
  const made = tail.length === period - 1 ? reduce(tail, value) : NaN;
  if (keep) {
    tail.push(value);
    if (tail.length >= period) tail.shift();
  }
  return made;
}

/**
 * A mean that each value draws towards itself by `alpha` of the distance, begun as the mean of the first `period` values
 * behind `skip`; `silent` where this first mean is no value yet. O(1).
 * @param {SmoothedState} state @param {number} value @param {boolean} keep
 */
export function smoothed(state, value, keep) {
  if (!Number.isFinite(value)) return NaN;
  const { alpha, period, seed, silent, skip } = state;
  let made;
  if (Number.isNaN(state.value)) {
    if (seed.length + 1 < skip + period) {
      if (keep) seed.push(value);
      return NaN;
    }
    made = mean(seed.slice(skip), value);
    if (keep) [state.seed, state.value] = [[], made];
    return silent ? NaN : made;
  }
  made = state.value + alpha * (value - state.value);
  if (keep) state.value = made;
  return made;
}

/** The value before this one, NaN before the first. @param {LastState} state @param {number} value @param {boolean} keep */
export function lag(state, value, keep) {
  const { last } = state;
  if (keep) state.last = value;
  return last;
}

/** The last value that was finite. @param {LastState} state @param {number} value @param {boolean} keep */
export function held(state, value, keep) {
  if (!Number.isFinite(value)) return state.last;
  if (keep) state.last = value;
  return value;
}
