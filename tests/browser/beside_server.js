// A server of bars of B and C behind a line that a test cuts, in one thread: `close` makes or changes a bar, `step` lets one
// message arrive, `settle` everything that is under way. Needs `beside`, the module.

class Server {
  constructor() {
    Object.assign(this, { epoch: "e1", seq: 0, oldest: 0, bars: {}, wire: [], asked: [], topics: new Set(), changes: [] });
    this.states = [];
    this.market = { state: { state: "live" }, on: () => {}, get: (symbol) => this.tickers?.[symbol] };
    this.stream = { open: true, epoch: "e1", bars: null, readers: new Set(), holders: new Set(), wanted: (symbol) => symbol === this.stream.bars?.symbol, say: (text) => this.up(JSON.parse(text)) };
    this.said = [];
    this.beside = new beside.Beside({ stream: this.stream, market: this.market, ask: (address) => this.answer(address) });
    this.beside.changed = (symbol, from) => this.changes.push([symbol, from]);
  }
  close(symbol, start, close) {
    this.seq += 1;
    (this.bars[symbol] ??= new Map()).set(start, { row: [start, close, close, close, close, 1, 1, 1], seq: this.seq });
    const told = { type: "bars", timeframe: "1m", seq: this.seq, data: { [symbol]: [[start, close, close, close, close, 1, 1, 1]] } };
    if (this.topics.has(symbol)) this.wire.push(told);
  }
  of(symbol) {
    return [...(this.bars[symbol] ?? new Map()).values()].sort((a, b) => a.row[0] - b.row[0]);
  }
  up(message) {
    if (!this.stream.open) return;
    this.said.push(`${message.op} ${message.symbols} ${message.timeframe} ${message.after_seq ?? ""}`.trim());
    const [symbol] = message.symbols;
    if (message.op === "unsubscribe") {
      this.topics.delete(symbol);
      return;
    }
    const resumed = message.epoch === this.epoch && message.after_seq >= this.oldest;
    this.wire.push({ type: "subscribed", id: message.id, channel: "bars", resumed });
    const since = resumed ? message.after_seq : Infinity;
    const rows = this.of(symbol).filter((each) => each.seq >= since).map((each) => each.row);
    this.wire.push({ type: "snapshot", channel: "bars", timeframe: "1m", seq: this.seq, data: { [symbol]: rows } });
    this.topics.add(symbol);
  }
  async answer(address) {
    const url = new URL(address, "http://x");
    this.asked.push(decodeURIComponent(`${url.pathname.split("/")[4]} ${url.searchParams.get("start")} ${url.searchParams.get("end") ?? ""}`).trim());
    if (this.down) throw new TypeError("no line");
    const [start, end] = [Number(url.searchParams.get("start")), Number(url.searchParams.get("end") ?? Infinity)];
    const data = this.of(url.pathname.split("/")[4]).map((each) => each.row).filter((row) => row[0] >= start && row[0] < end);
    const body = { epoch: this.epoch, seq: this.seq, data };
    return { status: 200, ok: true, json: async () => body };
  }
  step() {
    const message = this.wire.shift();
    for (const heard of this.stream.readers) heard(message);
  }
  async settle() {
    for (let turn = 0; turn < 20; turn++) {
      await new Promise((go) => setTimeout(go));
      while (this.wire.length) this.step();
    }
  }
  cut() {
    this.stream.open = false;
    this.wire = [];
    this.topics.clear();
  }
  mend() {
    this.stream.open = true;
    this.stream.epoch = this.epoch;
    for (const heard of this.stream.readers) heard({ type: "welcome", epoch: this.epoch });
  }
  /** The chart shows bars of A from `first` on, and the figure brings what it says. */
  show(first, compared = []) {
    const figure = { symbol: "A", timeframe: "1m", ms: 60000, epoch: this.epoch, bars: first === null ? [] : [[first]] };
    this.beside.show(figure, compared);
    this.beside.want();
  }
  closes(symbol) {
    return this.beside.held.get(symbol)?.series.rows.map((row) => [row[0], row[4]]) ?? null;
  }
  kept(symbol, first = 0) {
    return this.of(symbol).map((each) => [each.row[0], each.row[4]]).filter(([start]) => start >= first);
  }
}
