"""The real product for gunicorn over a simulated market with `LONG_DAYS` days of minutes behind it, and room for them.

`gunicorn -c infra/gunicorn.conf.py tests.benchmarks.lengthy:server`; everything else is as `app.py` builds it. The
product itself keeps 14,400 minutes of an instrument: ten days.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dashboard.config import load_settings
from dashboard.feeds import simulator
from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.runtime import Runtime
from dashboard.store import memory
from dashboard.telemetry import configure_logging
from dashboard.web import create_server
from tests.conftest import Product

DAY_MS = 86_400_000
DAY_MINUTES = 1_440
#: Days of hours behind those of minutes.
MORE = 5


class LengthyProduct(Product):
    """A running product of this kind under gunicorn."""

    def __init__(self, folder: Path, days: int, settings: dict[str, str]) -> None:
        super().__init__(folder, "gunicorn", {"STORE_MB": "512", **settings})
        self.days = days

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"LONG_DAYS": str(self.days)}

    @property
    def command(self) -> list[str]:
        return [*super().command[:-1], "tests.benchmarks.lengthy:server"]


def create(days: int) -> Any:
    """The product whose market goes back so many days in minutes."""
    longer = {"1m": days, "1h": days + MORE}
    simulator.WINDOWS = tuple(
        (name, longer[name] * DAY_MS if name in longer else back) for name, back in simulator.WINDOWS
    )
    kept = list(memory.BARS_WANTED)
    kept[TIMEFRAME_INDEX["1m"]] = (days + 2) * DAY_MINUTES
    memory.BARS_WANTED = tuple(kept)
    settings = load_settings()
    configure_logging(settings.log_format)
    return create_server(Runtime(settings))


server = create(int(os.environ["LONG_DAYS"])) if "LONG_DAYS" in os.environ else None
