// A server of ticks behind a line that a test cuts, in one thread: `tick` makes one of a symbol, `step` lets one message
// arrive, `settle` everything that is under way. Its reader writes down [seq, price, hole] in `told`. Needs `tape`, the module.

class Server {
  constructor() {
    Object.assign(this, { epoch: "e1", seq: 0, oldest: 1, ticks: [], wire: [], asked: [], subscribed: null, answers: [] });
    this.states = [];
    this.market = { state: { state: "live" }, on: (_kind, heard) => this.states.push(heard) };
    this.stream = { open: true, epoch: "e1", tape: null, say: (text) => this.wire.push(["up", JSON.parse(text)]) };
    this.told = [];
    this.sentence = "";
    this.tape = new tape.Tape({
      stream: this.stream,
      market: this.market,
      heard: {
        begin: () => { this.told = []; },
        rows: (news, hole) => this.told.push(...news.map((row, at) => [row[0], row[1], hole && at === 0])),
        failed: (sentence) => { this.sentence = sentence; },
      },
      ask: (address) => this.answer(address),
    });
  }
  tick(symbol = "A", price = this.seq + 1) {
    this.seq += 1;
    const row = [this.seq, price, 1, null, null, 1e12 + this.seq];
    this.ticks.push([symbol, row]);
    if (this.subscribed === symbol) this.wire.push(["down", { type: "ticks", seq: this.seq, data: { [symbol]: [row] } }]);
  }
  of(symbol) {
    return this.ticks.filter(([of, row]) => of === symbol && row[0] >= this.oldest).map(([, row]) => row);
  }
  /** Read at once, or when `hold` says so; the answer is of the moment it is read at. */
  async answer(address) {
    const url = new URL(address, "http://x");
    const symbol = url.pathname.split("/")[4];
    this.asked.push(`${symbol} ${url.search}`);
    if (this.hold) await new Promise((go) => this.answers.push(go));
    if (this.down) throw new TypeError("no line");
    const query = url.searchParams;
    if (query.has("epoch") && query.get("epoch") !== this.epoch) return { status: 409, ok: false };
    const after = Number(query.get("after_seq") ?? 0);
    const limit = Number(query.get("limit"));
    const found = this.of(symbol).filter((row) => row[0] > after);
    const data = query.has("after_seq") ? found.slice(0, limit) : found.slice(-limit);
    const body = { epoch: this.epoch, seq: this.seq, oldest_seq: this.oldest, data,
      next_after_seq: query.has("after_seq") && found.length > limit ? data.at(-1)[0] : null };
    return { status: 200, ok: true, json: async () => body };
  }
  /** One message of the wire arrives at its end. */
  step() {
    const [way, message] = this.wire.shift();
    if (way === "down") return this.tape.take(message);
    if (message.op === "unsubscribe") {
      if (this.subscribed === message.symbols[0]) this.subscribed = null;
      return undefined;
    }
    [this.subscribed] = message.symbols;
    const resumed = message.epoch === this.epoch && message.after_seq <= this.seq && message.after_seq >= this.oldest - 1;
    this.wire.push(["down", { type: "subscribed", id: message.id, channel: "ticks", symbols: message.symbols, resumed }]);
    const missed = this.of(this.subscribed).filter((row) => row[0] > message.after_seq);
    if (missed.length) this.wire.push(["down", { type: "ticks", seq: missed.at(-1)[0], data: { [this.subscribed]: missed } }]);
    return undefined;
  }
  async settle(rounds = 30) {
    for (let round = 0; round < rounds; round++) {
      for (const go of this.answers.splice(0)) go();
      await new Promise((go) => setTimeout(go));
      while (this.wire.length) this.step();
    }
  }
  cut() {
    this.stream.open = false;
    this.wire = [];
    this.subscribed = null;
    for (const heard of this.states) heard({ state: "reconnecting" });
  }
  mend(epoch = this.epoch) {
    Object.assign(this.stream, { open: true, epoch });
    this.tape.welcome();
    for (const heard of this.states) heard({ state: "live" });
  }
}
