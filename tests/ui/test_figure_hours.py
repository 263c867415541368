"""What the figure says of an instrument's closed hours and of how its bars were made, on the data that there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboard.market.bars import TIMEFRAME_INDEX, Flag
from dashboard.ui.figures import figure
from tests.house import open_house
from tests.market.making import MIDNIGHT
from tests.store.making import give, store_of
from tests.ui.test_chart_callback import figure as asked

NIGHTS = [(0, 570), *((day * 1440 + 960, (day + 1) * 1440 + 570) for day in range(4)), (4 * 1440 + 960, 7 * 1440)]
NEW_YORK = ZoneInfo("America/New_York")


def hours(instrument: int, timeframe: str, traded: list[datetime]) -> Any:
    """What the figure says of a share (0) or a coin (1) that traded at these moments."""
    store = store_of("AAPL,BTC-USD")
    for at in traded:
        give(store, (instrument, int(at.timestamp() * 1000) - MIDNIGHT, 100.0, 1.0))
    return figure(store, instrument, TIMEFRAME_INDEX[timeframe], "candles")["hours"]


def moments(first: int, last: int) -> list[datetime]:
    """Every quarter of two days from and to an hour in New York."""
    day = datetime.fromtimestamp(MIDNIGHT / 1000, UTC).replace(hour=0, minute=0, tzinfo=NEW_YORK)
    while day.weekday() > 1:
        day += timedelta(days=1)
    return [day + timedelta(days=on, minutes=at) for on in range(2) for at in range(first * 60, last * 60, 15)]


@pytest.mark.parametrize("timeframe", ["1s", "1m", "1h", "1d"])
def test_a_share_has_its_sessions_hours_in_every_timeframe_until_it_trades_outside_of_them(timeframe: str) -> None:
    session = {"zone": "America/New_York", "closed": NIGHTS}
    assert hours(0, timeframe, []) == session
    assert hours(0, timeframe, moments(10, 16)) == session
    assert hours(0, timeframe, moments(0, 24)) is None
    assert hours(1, timeframe, moments(10, 16)) is None


def test_the_simulated_market_that_never_closes_has_no_closed_hours(tmp_path: Path) -> None:
    with open_house(tmp_path, {"ada": "administrator"}, SYMBOLS="AAPL,BTC-USD") as house:
        analyst = house.enter("ada")
        assert [asked(analyst, None, symbol)["hours"] for symbol in ("AAPL", "BTC-USD")] == [None, None]
        marks = asked(analyst, None)["marks"]
    assert marks == {flag.name.lower(): int(flag) for flag in Flag if flag.name}
