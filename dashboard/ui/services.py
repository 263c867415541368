"""What the page may ask of the rest of the product; `web.py` fills it in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from dashboard.alerts.book import AlertBook
from dashboard.clock import Clock
from dashboard.config import Settings
from dashboard.feeds.base import Feed
from dashboard.store.memory import MemoryStore
from dashboard.store.quotes import Freshness
from dashboard.telemetry import Telemetry
from dashboard.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Services:
    """`freshness` gives (age in ms, stale) of every instrument; `feed_health` (whether it is well, words);
    `studying` is held while indicators are calculated, and raises ServiceUnavailable where too many are."""

    store: MemoryStore
    freshness: Freshness
    feed: Feed
    feed_health: Callable[[], tuple[bool, str]]
    alert_book: AlertBook
    workbench: Workbench
    settings: Settings
    telemetry: Telemetry
    clock: Clock
    studying: Callable[[], AbstractContextManager[None]]
