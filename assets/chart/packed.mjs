// @ts-check
// Bars as dashboard/ui/packed.py gives them, columns of typed arrays in base64, as rows. Pure.

/** @typedef {{dtype: string, bdata: string, places: number, first?: number | null}} Column values are those of `bdata` over 10 ** `places` */

const TYPES = { i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array, f8: Float64Array };

/** @param {Column} column @returns {ArrayLike<number>} its numbers, undivided */
function numbers({ dtype, bdata }) {
  const text = atob(bdata);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return new TYPES[dtype](bytes.buffer);
}

/**
 * Rows [start, open, high, low, close, volume, trades, flags], of which `start` comes as the first one's and the ms from
 * each to the next. @param {Record<string, Column>} columns in the order of a row @returns {number[][]}
 */
export function unpacked({ start, ...columns }) {
  if (start.first == null) return [];
  const steps = numbers(start);
  const values = Object.values(columns).map((column) => ({ list: numbers(column), scale: 10 ** column.places }));
  let moment = start.first;
  return Array.from({ length: steps.length + 1 }, (_, index) => {
    if (index > 0) moment += steps[index - 1];
    const row = [moment];
    for (const { list, scale } of values) row.push(list[index] / scale);
    return row;
  });
}
