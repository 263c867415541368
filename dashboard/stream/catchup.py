"""Catching up: snapshots, resumes and what a slow reader missed, one message at a time, made when there is room.

Every step reads the store at an exact mark; a job ends by giving the parts that go live, each at its mark.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import orjson

from dashboard.market.ticks import Floats, Ints
from dashboard.store.rows import bar_rows, tick_rows
from dashboard.stream import protocol
from dashboard.stream.connection import Outgoing
from dashboard.stream.fanout import Fanout
from dashboard.stream.news import Mark, ticker_table
from dashboard.stream.subscriptions import Part, Subscription

#: Ticks that one step reads: bounds the time that the store's lock is held, and the interpreter's.
ROWS = 600
#: Bars and instruments that one step looks at. More than of ticks: the fewer steps a pass takes, the less changes
#: meanwhile and has to be told again.
BARS, INSTRUMENTS = 1500, 750
#: A row takes 40 bytes at least: no use in trying more than could ever fit into a message.
MOST_FITTING = protocol.LARGEST_BYTES // 40
#: More than a message of bars has around its fragments.
HEAD_BYTES = 200
#: Gaps told in one step.
GAPS = 500
#: Passes over bars that change meanwhile; after that the rest is read at one mark, in however many messages.
PASSES = 2


@dataclass(slots=True)
class Step:
    """What a step of a job gives: messages, and whether it was the last."""

    messages: list[Outgoing]
    done: bool


class Job:
    """Work for `instruments` of a subscription before they are live; it may lose some of them meanwhile.

    `written` is the seq up to which they have been written.
    """

    def __init__(self, subscription: Subscription, instruments: set[int], written: int) -> None:
        self.subscription, self.instruments, self.written = subscription, instruments, written
        self.fanout: Fanout = subscription.client.fanout
        self.parts: list[Part] = []

    def step(self) -> Step:
        """The next messages. When it is done, `parts` go live."""
        raise AssertionError("a kind of job does the work")

    def finished(self) -> list[Part]:
        """The parts that go live: those that nobody has taken out meanwhile."""
        kept = [(instruments & self.instruments, mark) for instruments, mark in self.parts]
        return [(frozenset(instruments), mark) for instruments, mark in kept if instruments]

    def name(self, who: int) -> bytes:
        return self.fanout.news.names[who]


class Rejoin(Job):
    """A slow reader of `ticker` that reads again: the next flush gives it the newest of what changed since."""

    def __init__(self, subscription: Subscription, instruments: set[int], mark: Mark) -> None:
        super().__init__(subscription, instruments, mark.seq)
        self.mark = mark
        self._array: Ints = np.array(sorted(instruments), dtype=np.int64)
        self._updates = int(self.fanout.news.updates[self._array].sum())

    def step(self) -> Step:
        news = self.fanout.news
        updates = int(news.updates[self._array].sum()) - self._updates
        newest = int((news.step[self._array] > self.mark.step).sum())
        self.fanout.telemetry.conflated.inc(max(0, updates - newest))
        self.parts = [(frozenset(self.instruments), self.mark)]
        return Step([], True)


class TickerSnapshot(Job):
    """The last values with the day's reference."""

    def __init__(self, subscription: Subscription, instruments: set[int], written: int) -> None:
        super().__init__(subscription, instruments, written)
        self._todo = sorted(instruments)

    def step(self) -> Step:
        last = self.fanout.read(self.fanout.store.last)
        mark, rows = self.fanout.mark, ticker_table(last)
        self._todo = [who for who in self._todo if who in self.instruments]

        def frame(count: int) -> bytes:
            fragments = [
                protocol.snapshot_fragment(
                    self.name(who), rows[who].tolist(), float(last.open[who]), float(last.previous_close[who])
                )
                for who in self._todo[:count]
            ]
            more = count < len(self._todo)
            return protocol.frame("snapshot", fragments, mark.seq, self._now(), channel="ticker", more=more)

        count, message = fitting(frame, min(len(self._todo), INSTRUMENTS))
        self.parts.append((frozenset(self._todo[:count]), mark))
        self._todo = self._todo[count:]
        return Step([Outgoing(message)], not self._todo)

    def _now(self) -> float:
        return self.fanout.clock.now_ms()


class ChangedBars(Job):
    """Bars that changed at or after the seq `since`, with `newest` also that many of the newest of each instrument.

    The instruments are gone through in passes; one that takes several messages is followed by another for what
    changed meanwhile, until a pass fits into one message. A bar may come again, which is harmless.
    """

    def __init__(
        self, subscription: Subscription, instruments: set[int], written: int, *, since: int | None, newest: int = 0
    ) -> None:
        super().__init__(subscription, instruments, written)
        self._since, self._newest = since, newest
        self._type = "snapshot"
        self._begin_pass()

    def live(self) -> ChangedBars:
        """Call the messages `bars`: a slow reader's news rather than a snapshot."""
        self._type = "bars"
        return self

    _passes = 0

    def _begin_pass(self) -> None:
        self._passes += 1
        self._todo = sorted(self.instruments)
        self._first: Mark | None = None
        #: An instrument, and the start of the last of its bars that a message which it did not fit into has told.
        self._cut: tuple[int, float] | None = None

    def step(self) -> Step:
        if self._passes > PASSES:
            return self._last_pass()
        fanout = self.fanout
        self._todo = [who for who in self._todo if who in self.instruments]
        who, rows, read = fanout.read(self._read)
        mark = fanout.mark
        if self._first is None:
            self._first = mark
        whole_pass = read == len(self._todo)
        count, fragments = self._fitting(who.tolist(), bar_texts(rows[:MOST_FITTING]), 0)
        done = whole_pass and count == len(who) and mark == self._first
        message = self._frame(fragments, mark.seq, more=not done)
        if count < len(who):
            cut = int(who[count])
            self._todo = self._todo[self._todo.index(cut) :]
            self._cut = (cut, float(rows[count - 1, 0])) if count and int(who[count - 1]) == cut else None
            return Step([Outgoing(message)], False)
        self._todo, self._cut = self._todo[read:], None
        if self._todo:
            return Step([Outgoing(message)] if count else [], False)
        if mark != self._first:
            self._since, self._newest = self._first.seq, 0
            self._begin_pass()
            return Step([Outgoing(message)], False)
        self.parts = [(frozenset(self.instruments), mark)]
        return Step([Outgoing(message)], True)

    def _last_pass(self) -> Step:
        """Everything that changed since the pass before, at one mark and so in one step: what a pass takes to be sent
        is mostly less than a bar's time, so a bar or two an instrument."""
        fanout, timeframe = self.fanout, self.subscription.topic[1]
        assert self._since is not None
        since, asked = self._since, np.array(sorted(self.instruments), dtype=np.int64)
        found, _ = fanout.read(lambda: fanout.store.bars_since(asked, timeframe, since))
        who, texts, mark = found.instrument.tolist(), bar_texts(found.rows), fanout.mark
        messages: list[Outgoing] = []
        at = 0
        while at < len(who) or not messages:
            at, fragments = self._fitting(who, texts, at)
            messages.append(Outgoing(self._frame(fragments, mark.seq, more=at < len(who))))
        self.parts = [(frozenset(self.instruments), mark)]
        return Step(messages, True)

    def _fitting(self, who: list[int], texts: list[bytes], at: int) -> tuple[int, list[bytes]]:
        """(the end of the bars from `at` on that fit into a message, their fragments)."""
        fragments: list[bytes] = []
        left, end = protocol.LARGEST_BYTES - HEAD_BYTES, at
        while end < len(texts):
            name, begin = self.name(who[end]), end
            left -= len(name) + len(b":[],")
            while end < len(texts) and who[end] == who[begin] and len(texts[end]) + len(b"[],") <= left:
                left -= len(texts[end]) + len(b"[],")
                end += 1
            if end > begin:
                fragments.append(b"%b:[[%b]]" % (name, b"],[".join(texts[begin:end])))
            if end < len(texts) and who[end] == who[begin]:
                break
        return end, fragments

    def _frame(self, fragments: list[bytes], seq: int, *, more: bool) -> bytes:
        channel, now = "bars" if self._type == "snapshot" else None, self.fanout.clock.now_ms()
        timeframe = self.subscription.topic[1]
        return protocol.frame(self._type, fragments, seq, now, channel=channel, timeframe=timeframe, more=more)

    def _read(self) -> tuple[Ints, Floats, int]:
        """(instrument int64[m], rows float64[m, 8], how many of the instruments that are to do they cover)."""
        store, timeframe = self.fanout.store, self.subscription.topic[1]
        asked = np.array(self._todo[: BARS // self._newest if self._newest else INSTRUMENTS], dtype=np.int64)
        found = []
        if self._since is not None:
            changed, looked = store.bars_since(asked[:INSTRUMENTS], timeframe, self._since, BARS)
            found.append(changed)
            asked = asked[:looked]
        if self._newest:
            found.append(store.recent_bars(asked, timeframe, self._newest))
        who = np.concatenate([bars.instrument for bars in found])
        rows = np.concatenate([bars.rows for bars in found])
        wanted = np.isin(who, asked)
        if self._cut is not None:
            one, told = self._cut
            wanted &= (who != one) | (rows[:, 0] > told)
        who, rows = who[wanted], rows[wanted]
        order = np.lexsort((rows[:, 0], who))
        who, rows = who[order], rows[order]
        if len(found) > 1 and len(who):
            once = np.append(True, (who[1:] != who[:-1]) | (rows[1:, 0] != rows[:-1, 0]))
            who, rows = who[once], rows[once]
        return who, rows, len(asked)


class MissedTicks(Job):
    """Every tick after the seq `written`, in order, after a `gap` that names what is no longer kept."""

    _sent_more = False
    _gap: tuple[int, int] = (0, 0)
    _untold: tuple[int, ...] = ()

    def step(self) -> Step:
        if self._untold:
            return self._name_gap()
        fanout, store = self.fanout, self.fanout.store
        asked: Ints = np.array(sorted(self.instruments), dtype=np.int64)

        def look() -> tuple[int, Floats]:
            after = max(self.written, store.oldest_seq - 1)
            return after, store.missed(asked, after, ROWS + 1)

        after, rows = fanout.read(look)
        mark = fanout.mark
        messages = []
        if after > self.written:
            self._gap, self._untold = (self.written + 1, after), tuple(sorted(self.instruments))
            return self._name_gap()
        cut = len(rows) > ROWS
        rows = rows[:ROWS]

        def frame(count: int) -> bytes:
            part, more = rows[:count], cut or count < len(rows)
            seq = int(part[-1, 0]) if more else mark.seq
            order = np.argsort(part[:, 6], kind="stable")
            heads = np.flatnonzero(np.append(True, np.diff(part[order, 6]) != 0))
            fragments = [
                protocol.rows_fragment(self.name(int(piece[0, 6])), tick_rows(piece[:, :6]))
                for piece in np.split(part[order], heads[1:])
                if len(piece)
            ]
            return protocol.frame("ticks", fragments, seq, fanout.clock.now_ms(), more=more)

        count, message = fitting(frame, len(rows))
        more = cut or count < len(rows)
        if count or self._sent_more:
            messages.append(Outgoing(message))
        self._sent_more = more
        self.written = int(rows[count - 1, 0]) if more else mark.seq
        if not more:
            self.parts = [(frozenset(self.instruments), mark)]
        return Step(messages, not more)

    def _name_gap(self) -> Step:
        """Some of the gaps: as many as make no more than a message may be large. With the last, it is made up for."""
        symbols = self.fanout.store.catalogue.symbols
        now, self._untold = self._untold[:GAPS], self._untold[GAPS:]
        if not self._untold:
            self.written = self._gap[1]
        told = [Outgoing(protocol.gap(symbols[who], *self._gap)) for who in now if who in self.instruments]
        return Step(told, False)


def missed(subscription: Subscription, instruments: set[int], mark: Mark) -> Job:
    """What a slow reader gets when it reads again: newest values, bars that changed meanwhile, every tick."""
    channel = subscription.topic[0]
    if channel == "ticker":
        return Rejoin(subscription, instruments, mark)
    if channel == "bars":
        return ChangedBars(subscription, instruments, mark.seq, since=mark.seq).live()
    return MissedTicks(subscription, instruments, mark.seq)


def bar_texts(rows: Floats) -> list[bytes]:
    """Bars float64[n, 8] as JSON rows without their brackets, encoded in one go: a message is cut by their lengths."""
    # Rows hold numbers only, so what lies between two of them is between two rows.
    return orjson.dumps(bar_rows(rows))[2:-2].split(b"],[") if len(rows) else []


def fitting(frame: Callable[[int], bytes], count: int) -> tuple[int, bytes]:
    """(how many of `count` entries, the message that `frame` makes of them), no larger than a message may be."""
    count = min(count, MOST_FITTING)
    message = frame(count)
    while len(message) > protocol.LARGEST_BYTES and count > 1:
        count //= 2
        message = frame(count)
    return count, message
