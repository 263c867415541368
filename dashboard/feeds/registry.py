"""Which feed a setting means: one line a source."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from dashboard.clock import Clock
from dashboard.config import Settings
from dashboard.errors import ConfigurationError
from dashboard.feeds.base import Feed
from dashboard.feeds.replay import Replay, columns_of
from dashboard.feeds.simulator import Simulator
from dashboard.market.instruments import catalogue
from dashboard.telemetry import get_logger


def _simulator(settings: Settings, _rest: str, clock: Clock) -> Feed:
    seed = settings.seed if settings.seed is not None else secrets.randbits(32)
    get_logger("feed").info("simulated market", seed=seed, tick_ms=settings.tick_ms)
    return Simulator(
        catalogue(settings.symbols),
        seed=seed,
        tick_ms=settings.tick_ms,
        opening_hours=settings.opening_hours,
        clock=clock,
    )


def _replay(settings: Settings, rest: str, clock: Clock) -> Feed:
    return Replay(
        rest,
        symbol=settings.replay_symbol,
        speed=settings.replay_speed,
        loop=settings.replay_loop,
        times=settings.replay_times,
        columns=columns_of(settings.replay_columns),
        clock=clock,
    )


FEEDS: dict[str, Callable[[Settings, str, Clock], Feed]] = {"simulator": _simulator, "replay": _replay}


def make_feed(settings: Settings, clock: Clock) -> Feed:
    """The feed of the setting FEED. Raises ConfigurationError or StartRefused with one sentence."""
    name, _colon, rest = settings.feed.partition(":")
    make = FEEDS.get(name)
    if make is None:
        raise ConfigurationError(f"DASHBOARD_FEED {name!r} is not in this version; it takes {' or '.join(FEEDS)}:FILE")
    # Refused whatever the feed is, like every bad value.
    columns_of(settings.replay_columns)
    return make(settings, rest, clock)
