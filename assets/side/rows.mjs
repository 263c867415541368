// @ts-check
// A list whose newest row is on top, of which only the rows in view have elements. They hang from the bottom: a new row
// makes the list taller and moves none of the others.

/**
 * @template T
 * @typedef {{first: number, end: number, at: (number: number) => T}} Source rows numbered from `first` to `end` - 1, oldest first
 */

/** Rows drawn beyond the view, so that a wheel's step finds them there. */
const SPARE = 3;

/** @template T */
export class Rows {
  /**
   * @param {HTMLElement} scroller @param {HTMLElement} list @param {number} height a row's, px
   * @param {{make: () => HTMLElement, fill: (node: any, row: T) => void}} look
   */
  constructor(scroller, list, height, look) {
    this.scroller = scroller;
    this.list = list;
    this.height = height;
    this.look = look;
    /** Elements from the top down, each with its row's number. @type {{number: number, node: HTMLElement}[]} */
    this.nodes = [];
    /** @type {HTMLElement[]} */
    this.spare = [];
    this.tall = -1;
    this.first = 0;
  }

  /** Show what is in view of `source`; with `anew` every row is written again. @param {Source<T>} source @param {boolean} [anew] */
  draw(source, anew = false) {
    const count = source.end - source.first;
    // Before anything is written: asked for after it, these would lay out the page at once.
    const { scrollTop, clientHeight } = this.scroller;
    if (this.tall !== count) {
      this.tall = count;
      this.list.style.height = `${count * this.height}px`;
      this.list.setAttribute("aria-rowcount", String(count));
    }
    if (anew || this.first !== source.first) this.clear();
    this.first = source.first;
    const above = Math.max(0, Math.floor(scrollTop / this.height) - SPARE);
    const fits = Math.ceil(clientHeight / this.height) + 2 * SPARE;
    const high = Math.max(source.first, source.end - above);
    const low = Math.max(source.first, high - fits);
    while (this.nodes.length && this.nodes[0].number >= high) this.free(/** @type {any} */ (this.nodes.shift()));
    while (this.nodes.length && this.nodes[this.nodes.length - 1].number < low) this.free(/** @type {any} */ (this.nodes.pop()));
    if (!this.nodes.length && high > low) this.put(source, high - 1, true);
    while (this.nodes.length && this.nodes[0].number < high - 1) this.put(source, this.nodes[0].number + 1, true);
    while (this.nodes.length && this.nodes[this.nodes.length - 1].number > low) this.put(source, this.nodes[this.nodes.length - 1].number - 1, false);
    for (const node of this.spare.splice(0)) node.remove();
  }

  clear() {
    for (const one of this.nodes.splice(0)) this.free(one);
  }

  /** @param {{node: HTMLElement}} one */
  free({ node }) {
    this.spare.push(node);
  }

  /** @param {Source<T>} source @param {number} number @param {boolean} top */
  put(source, number, top) {
    const node = this.spare.pop() ?? this.look.make();
    this.look.fill(node, source.at(number));
    node.style.bottom = `${(number - source.first) * this.height}px`;
    if (top) {
      this.list.prepend(node);
      this.nodes.unshift({ number, node });
    } else {
      this.list.append(node);
      this.nodes.push({ number, node });
    }
  }
}
