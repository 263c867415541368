"""What a connection is subscribed to, and the work of catching up before a symbol is live."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

from dashboard.stream.connection import Connection, Outgoing

Topic = tuple[str, int]
Steps = Generator[Outgoing, None, None]


@dataclass(slots=True, eq=False)
class Subscription:
    """A connection's part in a topic (channel, timeframe).

    `live` are the instruments whose changes go out with the shared frames; `joined` those of them that were added
    since the last flush, with the sequence number that they already have; `behind` those that changed while the
    connection was slow, `reference` among them with a changed open or previous close, all from `since` on.
    """

    client: Client
    topic: Topic
    live: frozenset[int] = frozenset()
    joined: dict[int, int] = field(default_factory=dict)
    behind: set[int] = field(default_factory=set)
    reference: set[int] = field(default_factory=set)
    since: int = 0


@dataclass(slots=True, eq=False)
class Job:
    """Catching up: `steps` gives messages one by one as there is room; `held` instruments are not live meanwhile.

    Everything up to `position` has been written.
    """

    topic: Topic
    held: set[int]
    position: int
    steps: Steps | None = None


@dataclass(slots=True, eq=False)
class Client:
    """The hub's side of a connection: who it is, its subscriptions, jobs and limits."""

    connection: Connection
    user_id: int
    session: str
    allowance: float
    allowance_at: float
    next_beat: float
    subscriptions: dict[Topic, Subscription] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    written: int = 0
    slow_since: float | None = None
    alerts: bool = False
    alerts_after: int | None = None
    alerts_loading: bool = False
    pumping: bool = False

    @property
    def caught_up(self) -> bool:
        """Whether nothing of its subscriptions is waiting."""
        return not self.jobs and not any(each.behind for each in self.subscriptions.values())
