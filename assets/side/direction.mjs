// @ts-check
// Which side began a trade, as far as prices tell.

/**
 * The tick test (Lee and Ready 1991, Journal of Finance 46:733, section II): a trade above the one before was begun by
 * the buyer, one below by the seller, one at the same price by whoever began the last one that differed. Feeds that
 * name the side are not asked: a tick carries none.
 */
export class TickRule {
  constructor() {
    /** @type {number | null} */
    this.price = null;
    /** @type {-1 | 0 | 1} */
    this.side = 0;
  }

  /** 1 for the buyer, -1 for the seller, 0 before any price has differed. @param {number} price */
  of(price) {
    if (this.price !== null && price !== this.price) this.side = price > this.price ? 1 : -1;
    this.price = price;
    return this.side;
  }

  /** Trades may be missing here: what comes is compared with nothing before. */
  forget() {
    this.price = null;
    this.side = 0;
  }
}
