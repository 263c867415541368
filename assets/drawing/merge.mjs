// @ts-check
// What somebody has changed between two lists of drawings, and the same change made to another list. Pure.

/** @typedef {import("./kinds.mjs").Drawing} Drawing */
/** @typedef {{put: Drawing[], gone: string[]}} Change drawings that are new or other, ids of those that are gone */

/** Whether two drawings, or two lists of them, say the same. @param {unknown} one @param {unknown} other @returns {boolean} */
export function same(one, other) {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
  const [names, others] = [Object.keys(one), Object.keys(other)];
  return Array.isArray(one) === Array.isArray(other) && names.length === others.length && names.every((name) => same(one[name], other[name]));
}

/** @param {Drawing[]} base @param {Drawing[]} mine @returns {Change} */
export function difference(base, mine) {
  const [before, after] = [base, mine].map((drawings) => new Map(drawings.map((each) => [each.id, each])));
  return {
    put: mine.filter((each) => !same(before.get(each.id), each)),
    gone: base.filter((each) => !after.has(each.id)).map((each) => each.id),
  };
}

/** Whether a change changes nothing. @param {Change} change */
export function isNone(change) {
  return !change.put.length && !change.gone.length;
}

/** The list with a change made to it; what is new comes last. @param {Drawing[]} drawings @param {Change} change @returns {Drawing[]} */
export function applied(drawings, change) {
  const put = new Map(change.put.map((each) => [each.id, each]));
  const kept = drawings.filter((each) => !change.gone.includes(each.id)).map((each) => put.get(each.id) ?? each);
  const there = new Set(drawings.map((each) => each.id));
  return [...kept, ...change.put.filter((each) => !there.has(each.id))];
}

/** Two changes, one after the other, as one. @param {Change | null} first @param {Change} second @returns {Change} */
export function joined(first, second) {
  if (!first) return second;
  const put = applied(first.put, second);
  const back = new Set(put.map((each) => each.id));
  return { put, gone: [...new Set([...first.gone, ...second.gone])].filter((id) => !back.has(id)) };
}
