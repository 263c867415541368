"""What has changed since the last flush, and the shared frames that tell it: built once for each distinct set of
instruments, written to everybody who has that set. Owned by the hub and used on its loop only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
import orjson

from dashboard.market.ticks import Floats
from dashboard.store.change import LAST_COLUMNS, Change
from dashboard.stream import protocol
from dashboard.stream.connection import Outgoing
from dashboard.stream.subscriptions import Subscription, Topic

TICKER: Topic = ("ticker", 0)
TICKS: Topic = ("ticks", 0)


class Fanout:
    """Groups of subscriptions by topic and set of instruments, and the changes that they have not been sent."""

    def __init__(self, symbols: tuple[str, ...], send: Callable[[Subscription, Outgoing, str], None]) -> None:
        self.names = [orjson.dumps(symbol) for symbol in symbols]
        self.send = send
        self.groups: dict[Topic, dict[frozenset[int], dict[Subscription, None]]] = {}
        self.fresh: dict[Subscription, None] = {}
        self.conflated = 0
        self.reset()

    def reset(self) -> None:
        """Nothing has changed and nothing is known (a new epoch)."""
        self.rows: Floats = np.full((len(self.names), len(LAST_COLUMNS)), np.nan)
        self.reset_pending()

    def reset_pending(self) -> None:
        """Everybody has been told everything."""
        self.changed: dict[int, int] = {}
        self.references: set[int] = set()
        self.received = float("nan")
        self.batches: list[tuple[int, Change]] = []
        self.bars: dict[int, dict[tuple[int, int], tuple[list[float], int]]] = defaultdict(dict)
        for subscription in self.fresh:
            subscription.joined.clear()
        self.fresh.clear()

    @property
    def pending(self) -> bool:
        """Whether somebody has not been told of something."""
        return bool(self.changed or self.batches or self.references or self.bars)

    def join(self, subscription: Subscription, instruments: Iterable[int], seq: int) -> None:
        """Make `instruments` live: the subscription has everything up to `seq`, what comes after is shared."""
        added = frozenset(instruments)
        if not added:
            return
        self._move(subscription, subscription.live | added)
        if self.pending:
            for each in added:
                subscription.joined[each] = seq
            self.fresh[subscription] = None

    def leave(self, subscription: Subscription, instruments: Iterable[int] | None = None) -> None:
        """Take `instruments`, or all, out of the live ones."""
        gone = subscription.live if instruments is None else frozenset(instruments)
        if gone & subscription.live:
            self._move(subscription, subscription.live - gone)
        for each in gone:
            subscription.joined.pop(each, None)
            subscription.behind.discard(each)
            subscription.reference.discard(each)

    def _move(self, subscription: Subscription, live: frozenset[int]) -> None:
        groups = self.groups.setdefault(subscription.topic, {})
        before = groups.get(subscription.live)
        if before is not None:
            before.pop(subscription, None)
            if not before:
                del groups[subscription.live]
        subscription.live = live
        if live:
            groups.setdefault(live, {})[subscription] = None
        if not groups:
            del self.groups[subscription.topic]

    def absorb(self, change: Change) -> None:
        """Take note of a change of the store."""
        self.rows[change.touched] = change.last
        seq = change.seq
        if TICKER in self.groups:
            self.changed.update(dict.fromkeys(change.touched.tolist(), seq))
            self.references.update(change.reference.tolist())
            if len(change.touched):
                self.received = float(np.fmax(self.received, change.received))
        if change.batch is not None and TICKS in self.groups:
            self.batches.append((seq, change))
        for channel, timeframe in self.groups:
            if channel == "bars" and len(change.bars[timeframe].rows):
                news = change.bars[timeframe]
                pending = self.bars[timeframe]
                for who, row in zip(news.instrument.tolist(), news.rows.tolist(), strict=True):
                    pending[who, int(row[0])] = (row, seq)

    def flush(self, seq: int, sent: float, since: int, day: Callable[[], tuple[Floats, Floats]]) -> None:
        """Tell everybody what has changed; `since` is the seq of the flush before, `day` gives opens and closes."""
        if self.references:
            opens, closes = day()
            fragments = {
                who: protocol.snapshot_fragment(self.names[who], row, opens[who], closes[who])
                for who, row in self._rows_of(self.references)
            }
            self._tell(TICKER, fragments, dict.fromkeys(fragments, seq), "snapshot", seq, sent, since, channel="ticker")
        if self.changed:
            fragments = {
                who: protocol.ticker_fragment(self.names[who], row) for who, row in self._rows_of(self.changed)
            }
            self._tell(TICKER, fragments, self.changed, "ticker", seq, sent, since, received=self.received)
        if self.batches:
            self._flush_ticks(seq, sent, since)
        for timeframe, pending in self.bars.items():
            self._flush_bars(timeframe, pending, seq, sent, since)
        self.reset_pending()

    def _rows_of(self, instruments: Iterable[int]) -> Iterator[tuple[int, list[float]]]:
        who = np.fromiter(instruments, dtype=np.int64)
        return zip(who.tolist(), self.rows[who].tolist(), strict=True)

    def _flush_ticks(self, seq: int, sent: float, since: int) -> None:
        wanted = frozenset().union(*self.groups.get(TICKS, {}))
        rows: dict[int, list[list[float]]] = defaultdict(list)
        for _seq, change in self.batches:
            batch = change.batch
            assert batch is not None
            columns = (batch.seqs(), batch.price, batch.size, batch.bid, batch.ask, batch.ts)
            for who, *row in zip(batch.instrument.tolist(), *(column.tolist() for column in columns), strict=True):
                if who in wanted:
                    rows[who].append(row)
        fragments = {
            who: protocol.rows_fragment(self.names[who], protocol.tick_lists(mine)) for who, mine in rows.items()
        }

        def after(who: int, had: int) -> bytes | None:
            later = [row for row in rows[who] if row[0] > had]
            return protocol.rows_fragment(self.names[who], protocol.tick_lists(later)) if later else None

        self._tell(
            TICKS, fragments, {who: int(mine[-1][0]) for who, mine in rows.items()}, "ticks", seq, sent, since, after
        )

    def _flush_bars(
        self,
        timeframe: int,
        pending: Mapping[tuple[int, int], tuple[list[float], int]],
        seq: int,
        sent: float,
        since: int,
    ) -> None:
        rows: dict[int, list[tuple[list[float], int]]] = defaultdict(list)
        for (who, _start), row in sorted(pending.items()):
            rows[who].append(row)

        def fragment(who: int, had: int) -> bytes | None:
            mine = [protocol.bar_row(row) for row, at in rows[who] if at > had]
            return protocol.rows_fragment(self.names[who], mine) if mine else None

        fragments = {who: made for who in rows if (made := fragment(who, -1)) is not None}
        newest = {who: max(at for _row, at in mine) for who, mine in rows.items()}
        self._tell(("bars", timeframe), fragments, newest, "bars", seq, sent, since, fragment, timeframe=timeframe)

    def _tell(
        self,
        topic: Topic,
        fragments: Mapping[int, bytes],
        newest: Mapping[int, int],
        type_: str,
        seq: int,
        sent: float,
        since: int,
        after: Callable[[int, int], bytes | None] | None = None,
        *,
        channel: str | None = None,
        timeframe: int | None = None,
        received: float | None = None,
    ) -> None:
        """Send each group of a topic its frame; who joined meanwhile gets only what it does not have yet."""

        def framed(parts: Iterable[bytes]) -> Outgoing:
            return Outgoing(
                protocol.frame(type_, parts, seq, sent, channel=channel, timeframe=timeframe, received=received)
            )

        for live, members in list(self.groups.get(topic, {}).items()):
            mine = fragments.keys() if fragments.keys() <= live else fragments.keys() & live
            if not mine:
                continue
            shared: Outgoing | None = None
            for subscription in list(members):
                if subscription.client.connection.slow:
                    if not subscription.behind:
                        subscription.since = since
                    self.conflated += len(subscription.behind & mine)
                    subscription.behind |= mine
                    if type_ == "snapshot":
                        subscription.reference |= mine
                    continue
                had = subscription.joined
                if had and any(newest[who] <= had.get(who, -1) or (after and who in had) for who in mine):
                    parts = [
                        part
                        for who in mine
                        if (part := self._own(fragments, newest, who, had.get(who, -1), after)) is not None
                    ]
                    if parts:
                        self.send(subscription, framed(parts), topic[0])
                    continue
                if shared is None:
                    shared = framed([fragments[who] for who in sorted(mine)])
                self.send(subscription, shared, topic[0])

    def _own(
        self,
        fragments: Mapping[int, bytes],
        newest: Mapping[int, int],
        who: int,
        had: int,
        after: Callable[[int, int], bytes | None] | None,
    ) -> bytes | None:
        if newest[who] <= had:
            return None
        return fragments[who] if after is None or had < 0 else after(who, had)
