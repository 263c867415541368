// @ts-check
// How charts are laid out in the window: columns and rows that fill it, or one below the other where it is narrow. Pure.

/** As in dashboard/ui/compare/asked.py. */
export const LAYOUTS = [1, 2, 3, 4, 6, 9];
export const MOST = Math.max(...LAYOUTS);
/** A chart is best so many times as wide as high. */
const BEST = 1.6;
/** A window narrower than this has its charts one below the other; so has one that would have lower ones than `LOWEST`, px. */
const NARROW = 700;
const LOWEST = 150;

/** The smallest layout with room for so many charts. @param {number} count */
export function layoutFor(count) {
  return LAYOUTS.find((places) => places >= count) ?? MOST;
}

/**
 * Columns and rows of a layout in a box, every row full; `stacked` where the charts don't fit it and the page scrolls.
 * @param {number} places one of LAYOUTS @param {{width: number, height: number}} box px
 * @returns {{columns: number, rows: number, stacked: boolean}}
 */
export function arranged(places, { width, height }) {
  const stack = { columns: 1, rows: places, stacked: places > 1 };
  if (width < NARROW) return stack;
  let best = { columns: 1, rows: places, off: Infinity };
  for (let columns = 1; columns <= places; columns += 1) {
    if (places % columns) continue;
    const rows = places / columns;
    const off = Math.abs(Math.log((width * rows) / (height * columns) / BEST));
    if (off < best.off) best = { columns, rows, off };
  }
  if (places > 1 && height / best.rows < LOWEST) return { columns: best.columns, rows: best.rows, stacked: true };
  return { columns: best.columns, rows: best.rows, stacked: false };
}

/**
 * The place beside one, for who walks from chart to chart with arrows; itself at the edge.
 * @param {number} at @param {string} key ArrowLeft, ArrowRight, ArrowUp or ArrowDown
 * @param {number} columns @param {number} count charts
 */
export function beside(at, key, columns, count) {
  const column = at % columns;
  const moved = {
    ArrowLeft: column > 0 ? at - 1 : at,
    ArrowRight: column < columns - 1 ? at + 1 : at,
    ArrowUp: at - columns,
    ArrowDown: at + columns,
  }[key];
  return moved === undefined || moved < 0 || moved >= count ? at : moved;
}
