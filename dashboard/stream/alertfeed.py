"""The channel `alerts` of one connection: the events missed, then the live ones, by id, none twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

#: Events that wait for a slow reader; beyond that they are read from the database when it reads again.
MOST_WAITING = 500
#: Ids that are remembered to know an event that comes live and from the database.
REMEMBERED = 4_000

Event = dict[str, Any]
Loaded = Callable[[list[Event] | None], None]


class AlertFeed:
    """Off until `subscribe`. `load(after_id, loaded)` has the events after an id read and calls `loaded` with them,
    or with None where they could not be had; `write(event)` sends one, False where there is no room for it now."""

    def __init__(self, load: Callable[[int, Loaded], None], write: Callable[[Event], bool]) -> None:
        self._load, self._write = load, write
        self.on = False
        self._begun = 0
        self._loading = False
        #: Whether a read is under way, perhaps for a subscription that has ended, and the one to begin after it:
        #: whoever subscribes again and again would else have a database that hangs asked without end.
        self._reading = False
        self._next: int | None = None
        self._lost_after: int | None = None
        self._newest = 0
        self._waiting: deque[Event] = deque()
        self._known: deque[int] = deque(maxlen=REMEMBERED)

    def subscribe(self, after_id: int | None) -> None:
        """Begin, or begin anew: with what came after `after_id` where that is given."""
        self.unsubscribe()
        self.on = True
        self._newest = after_id or 0
        if after_id is not None:
            self._read(after_id)

    def unsubscribe(self) -> None:
        """End it."""
        self.on = False
        self._begun += 1
        self._loading = False
        self._next = None
        self._waiting.clear()
        self._known.clear()
        self._lost_after = None

    def publish(self, event: Event) -> None:
        """An event has been recorded just now."""
        if not self.on or event["id"] in self._known:
            return
        if len(self._waiting) >= MOST_WAITING:
            first = min(waiting["id"] for waiting in self._waiting)
            self._waiting.clear()
            self._lost_after = first - 1
            return
        if self._lost_after is None:
            self._waiting.append(event)
            self.room()

    def _loaded(self, begun: int, events: list[Event] | None) -> None:
        self._reading = False
        if begun != self._begun:
            # An answer to a subscription that has ended.
            if self._next is not None:
                after, self._next = self._next, None
                self._read(after)
            return
        self._loading = False
        if events is None:
            # Live ones meanwhile are in the database too: reading again from the last one sent keeps the order.
            self._lost_after = self._newest
            self._waiting.clear()
            return
        live = {event["id"]: event for event in self._waiting}
        if events:
            # Perhaps not all: read on behind them, until nothing comes; what is later than they are comes again.
            self._lost_after = events[-1]["id"]
            live = {id_: event for id_, event in live.items() if id_ <= self._lost_after}
        live |= {event["id"]: event for event in events if event["id"] not in self._known}
        self._waiting = deque(live[id_] for id_ in sorted(live))
        self.room()

    def room(self) -> None:
        """Send what waits as far as there is room."""
        if self._loading or not self.on:
            return
        while self._waiting:
            if not self._write(self._waiting[0]):
                return
            sent = self._waiting.popleft()
            self._known.append(sent["id"])
            self._newest = max(self._newest, sent["id"])
        if self._lost_after is not None:
            after, self._lost_after = self._lost_after, None
            self._read(after)

    def _read(self, after_id: int) -> None:
        self._loading = True
        if self._reading:
            self._next = after_id
            return
        self._reading, begun = True, self._begun
        self._load(after_id, lambda events: self._loaded(begun, events))
