"""Catching up: snapshots, resumes and what a slow reader missed, as messages made one by one when there is room.

Each step reads the store at an exact sequence number and makes the instruments that it completes live from there on.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from dashboard.market.ticks import Floats, Ints
from dashboard.store.change import BarRows
from dashboard.store.memory import LastTable
from dashboard.stream import protocol
from dashboard.stream.connection import Outgoing
from dashboard.stream.subscriptions import Job, Steps, Subscription

if TYPE_CHECKING:
    from dashboard.stream.hub import Hub

#: Instruments whose bars are looked through at a step.
BARS_AT_ONCE = 64


def begun(hub: Hub, subscription: Subscription, job: Job, after: int | None, resumed: bool) -> Steps:
    """What follows `subscribed`: a snapshot, or what was missed after the sequence number `after`."""
    channel, timeframe = subscription.topic
    if channel == "ticker":
        return _ticker(hub, subscription, job)
    if channel == "bars":
        if after is not None and resumed:
            return _bars_since(hub, subscription, job, timeframe, after, "snapshot")
        return _recent_bars(hub, subscription, job, timeframe)
    if after is None:
        return _nothing(hub, subscription, job)
    return _ticks_since(hub, subscription, job, after)


def drained(hub: Hub, subscription: Subscription, job: Job, reference: set[int]) -> Steps:
    """What a slow reader gets when it reads again: newest values, bars that closed meanwhile, every tick."""
    channel, timeframe = subscription.topic
    if channel == "ticker":
        return _newest(hub, subscription, job, reference)
    if channel == "bars":
        return _bars_since(hub, subscription, job, timeframe, job.position, "bars")
    return _ticks_since(hub, subscription, job, job.position)


def _finish(hub: Hub, subscription: Subscription, job: Job, done: list[int], seq: int) -> None:
    """Those of `done` that are still wanted become live; they have everything up to `seq`."""
    wanted = job.held.intersection(done)
    job.held -= wanted
    hub.fanout.join(subscription, wanted, seq)


def _nothing(hub: Hub, subscription: Subscription, job: Job) -> Steps:
    seq = hub.read(lambda: hub.store.seq)
    _finish(hub, subscription, job, sorted(job.held), seq)
    yield from ()


def _ticker(hub: Hub, subscription: Subscription, job: Job) -> Steps:
    while job.held:
        part = sorted(job.held)[: protocol.ROWS_A_MESSAGE // 2]
        last = hub.read(hub.store.last)
        fragments = _snapshots(hub, last, part)
        _finish(hub, subscription, job, part, last.seq)
        yield Outgoing(
            protocol.frame("snapshot", fragments, last.seq, hub.clock.now_ms(), channel="ticker", more=bool(job.held))
        )


def _newest(hub: Hub, subscription: Subscription, job: Job, reference: set[int]) -> Steps:
    while job.held:
        part = sorted(job.held)[: protocol.ROWS_A_MESSAGE]
        last = hub.read(hub.store.last)
        wanted = [who for who in part if who in reference]
        rows = _last_rows(last)[part].tolist()
        fragments = [protocol.ticker_fragment(hub.fanout.names[who], row) for who, row in zip(part, rows, strict=True)]
        received = float(np.nanmax(np.append(last.received[part], 0.0)))
        _finish(hub, subscription, job, part, last.seq)
        if wanted:
            yield Outgoing(
                protocol.frame(
                    "snapshot", _snapshots(hub, last, wanted), last.seq, hub.clock.now_ms(), channel="ticker"
                )
            )
        yield Outgoing(protocol.frame("ticker", fragments, last.seq, hub.clock.now_ms(), received=received))


def _snapshots(hub: Hub, last: LastTable, part: list[int]) -> list[bytes]:
    rows = _last_rows(last)[part].tolist()
    return [
        protocol.snapshot_fragment(hub.fanout.names[who], row, float(last.open[who]), float(last.previous_close[who]))
        for who, row in zip(part, rows, strict=True)
    ]


def _last_rows(last: LastTable) -> Floats:
    return np.stack([last.price, last.bid, last.ask, last.size, last.volume, last.high, last.low, last.ts], axis=1)


def _recent_bars(hub: Hub, subscription: Subscription, job: Job, timeframe: int) -> Steps:
    while job.held:
        part = sorted(job.held)[: protocol.ROWS_A_MESSAGE // 2]
        asked = np.array(part, dtype=np.int64)
        seq, news = hub.read(lambda asked=asked: (hub.store.seq, hub.store.recent_bars(asked, timeframe, 2)))
        fragments = [protocol.rows_fragment(hub.fanout.names[who], rows) for who, rows in _by_instrument(news).items()]
        _finish(hub, subscription, job, part, seq)
        yield Outgoing(
            protocol.frame(
                "snapshot",
                fragments,
                seq,
                hub.clock.now_ms(),
                channel="bars",
                timeframe=timeframe,
                more=bool(job.held),
            )
        )


def _bars_since(hub: Hub, subscription: Subscription, job: Job, timeframe: int, since: int, type_: str) -> Steps:
    """Every bar that changed at or after `since`. An instrument with more rows than a message holds is sent in
    pieces, then looked at again for what changed meanwhile, until a piece completes it."""
    seen: dict[int, int] = {}
    snapshot = type_ == "snapshot"

    def framed(fragments: list[bytes], seq: int, more: bool) -> Outgoing:
        return Outgoing(
            protocol.frame(
                type_,
                fragments,
                seq,
                hub.clock.now_ms(),
                channel="bars" if snapshot else None,
                timeframe=timeframe,
                more=more and snapshot,
            )
        )

    sent_more = False
    while job.held:
        part, after = sorted(job.held)[:BARS_AT_ONCE], since
        if part[0] in seen:
            part, after = part[:1], seen[part[0]]
        asked = np.array(part, dtype=np.int64)
        seq, news = hub.read(lambda a=asked, b=after: (hub.store.seq, hub.store.bars_since(a, timeframe, b)))
        rows = _by_instrument(news)
        done: list[int] = []
        fragments: list[bytes] = []
        count = 0
        for who in part:
            mine = rows.get(who, [])
            if len(mine) > protocol.ROWS_A_MESSAGE and not done:
                for at in range(0, len(mine), protocol.ROWS_A_MESSAGE):
                    piece = mine[at : at + protocol.ROWS_A_MESSAGE]
                    yield framed([protocol.rows_fragment(hub.fanout.names[who], piece)], seq, True)
                sent_more = True
                seen[who] = seq
                break
            if count + len(mine) > protocol.ROWS_A_MESSAGE:
                break
            count += len(mine)
            done.append(who)
            if mine:
                fragments.append(protocol.rows_fragment(hub.fanout.names[who], mine))
        if not done:
            continue
        _finish(hub, subscription, job, done, seq)
        more = bool(job.held)
        if fragments or (snapshot and not more):
            yield framed(fragments, seq, more)
            sent_more = more
    if sent_more and snapshot:
        yield framed([], hub.seq, False)


def _ticks_since(hub: Hub, subscription: Subscription, job: Job, after: int) -> Steps:
    """Every tick after `after`, after a gap that names what is no longer kept."""
    position, sent_more, store = after, False, hub.store
    while job.held:
        asked: Ints = np.array(sorted(job.held), dtype=np.int64)
        seq, oldest, rows = hub.read(
            lambda a=asked, p=position: (
                store.seq,
                store.oldest_seq,
                store.missed(a, p, protocol.ROWS_A_MESSAGE + 1),
            )
        )
        if position < oldest - 1:
            for who in asked.tolist():
                if who in job.held:
                    yield Outgoing(protocol.gap(store.catalogue.symbols[who], position + 1, oldest - 1))
            position = job.position = oldest - 1
            continue
        more = len(rows) > protocol.ROWS_A_MESSAGE
        rows = rows[: protocol.ROWS_A_MESSAGE]
        fragments = []
        for who in np.unique(rows[:, 6]).astype(int).tolist() if len(rows) else []:
            if who in job.held:
                mine = protocol.tick_rows(rows[rows[:, 6] == who, :6])
                fragments.append(protocol.rows_fragment(hub.fanout.names[who], mine))
        position = job.position = int(rows[-1, 0]) if more else seq
        if not more:
            _finish(hub, subscription, job, asked.tolist(), seq)
        if fragments or sent_more:
            yield Outgoing(protocol.frame("ticks", fragments, position, hub.clock.now_ms(), more=more))
            sent_more = more


def _by_instrument(news: BarRows) -> dict[int, list[list[float]]]:
    rows: dict[int, list[list[float]]] = defaultdict(list)
    for who, row in zip(news.instrument.tolist(), news.rows.tolist(), strict=True):
        rows[who].append(protocol.bar_row(row))
    return rows
