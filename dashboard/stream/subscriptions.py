"""What one connection is subscribed to: the instruments that are live on each topic, and the work before they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from dashboard.stream.news import Mark

if TYPE_CHECKING:
    from dashboard.stream.catchup import Job
    from dashboard.stream.connection import Connection
    from dashboard.stream.fanout import Fanout

#: A channel and the index of a timeframe (0 but for bars).
Topic = tuple[str, int]
#: Stands for the mark of the last flush, wherever that is.
SETTLED = Mark(-1, -1)
#: Instruments, and the mark up to which they have been written.
Part = tuple[frozenset[int], Mark]


class Owner(Protocol):
    """The connection's side that a subscription needs (`client.Client`)."""

    @property
    def connection(self) -> Connection: ...
    @property
    def fanout(self) -> Fanout: ...
    def catch_up(self, subscription: Subscription, instruments: set[int], since: Mark) -> None: ...
    def fail(self) -> None: ...


class Subscription:
    """A connection's part in a topic: `parts` are live, the instruments of `jobs` will be.

    No instrument is in two of them, so that nothing comes doubled.
    """

    __slots__ = ("client", "everything", "jobs", "named", "parts", "topic")

    def __init__(self, client: Owner, topic: Topic) -> None:
        self.client, self.topic = client, topic
        self.parts: tuple[Part, ...] = ()
        self.jobs: list[Job] = []
        self.everything = False
        self.named: set[str] = set()

    @property
    def empty(self) -> bool:
        """Whether nothing is left of it."""
        return not self.parts and not self.jobs

    def live(self) -> frozenset[int]:
        """The instruments that get shared frames."""
        return frozenset().union(*(instruments for instruments, _ in self.parts))

    def held(self) -> frozenset[int]:
        """The instruments that are still being answered."""
        return frozenset().union(*(job.instruments for job in self.jobs))

    def take_out(self, gone: frozenset[int]) -> int | None:
        """End what is live or under way for `gone`; the lowest seq up to which any of them had been written."""
        base = self.client.fanout.base
        seqs = []
        left: list[Part] = []
        for instruments, mark in self.parts:
            if instruments & gone:
                seqs.append(base.seq if mark is SETTLED else mark.seq)
            if instruments - gone:
                left.append((instruments - gone, mark))
        for job in self.jobs:
            if job.instruments & gone:
                seqs.append(job.written)
                job.instruments -= gone
        self._place(left)
        return min(seqs, default=None)

    def go_live(self, parts: Iterable[Part]) -> None:
        """Add parts to the live ones."""
        base = self.client.fanout.base
        added = [(instruments, SETTLED if mark.step == base.step else mark) for instruments, mark in parts]
        self._place([*self.parts, *added])

    def fall_behind(self, base: Mark) -> None:
        """The connection is slow: what it misses from here on is caught up when it reads again."""
        parts = self.parts
        self._place([])
        for instruments, mark in parts:
            self.client.catch_up(self, set(instruments), base if mark is SETTLED else mark)

    def written(self) -> int | None:
        """The seq up to which all of it has been written; None where that is the last flush's."""
        base = self.client.fanout.base
        seqs = [mark.seq for _, mark in self.parts if mark is not SETTLED and mark.step < base.step]
        seqs += [job.written for job in self.jobs]
        return min(seqs, default=None)

    def end(self) -> None:
        """Nothing more is sent."""
        self._place([])
        for job in self.jobs:
            job.instruments.clear()

    def fail(self) -> None:
        """It can't be told something: its connection has to come back and resume."""
        self.client.fail()

    def _place(self, parts: list[Part]) -> None:
        """Join parts with the same mark, in a fixed order, so that equal subscriptions share a group."""
        joined: dict[Mark, frozenset[int]] = {}
        for instruments, mark in parts:
            joined[mark] = joined.get(mark, frozenset()) | instruments
        fanout = self.client.fanout
        every = fanout.everything
        fanout.place(
            self,
            tuple(
                (every if len(instruments) == len(every) else instruments, SETTLED if mark == SETTLED else mark)
                for mark, instruments in sorted(joined.items())
                if instruments
            ),
        )
