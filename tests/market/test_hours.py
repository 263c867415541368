"""The hours in which an instrument is closed: its class's session, held against the bars that there are."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dashboard.market.hours import closed_hours
from dashboard.market.instruments import SESSIONS
from dashboard.market.ticks import Ints

STOCK = SESSIONS["stock"]
QUARTER, HOUR, DAY = 900_000, 3_600_000, 86_400_000
#: The session of a share in New York as minutes of the week: closed but from 9:30 to 16:00 on five days.
NIGHTS = [(0, 570), *((day * 1440 + 960, (day + 1) * 1440 + 570) for day in range(4)), (4 * 1440 + 960, 7 * 1440)]
MONDAY = date(2026, 11, 2)


def starts(hours: dict[int, tuple[time, time]], days: int, zone: str, ms: int = QUARTER) -> Ints:
    """Bars on `days` days from a Monday on, from and to the local times that `hours` gives by weekday."""
    found = set()
    for day in range(days):
        on = MONDAY + timedelta(days=day)
        if on.weekday() not in hours:
            continue
        first, last = (datetime.combine(on, at, ZoneInfo(zone)).timestamp() * 1000 for at in hours[on.weekday()])
        found |= set(range(int(first) // ms * ms, int(last), ms))
    return np.array(sorted(found), dtype=np.int64)


def workdays(first: time, last: time) -> dict[int, tuple[time, time]]:
    return dict.fromkeys(range(5), (first, last))


def test_a_share_is_closed_outside_of_its_session_before_a_bar_was_seen() -> None:
    assert closed_hours(STOCK, np.array([], dtype=np.int64), QUARTER) == NIGHTS


@pytest.mark.parametrize("ms", [60_000, QUARTER, HOUR])
@pytest.mark.parametrize("days", [1, 5, 30])
def test_bars_of_the_session_change_nothing_whatever_their_length(ms: int, days: int) -> None:
    bars = starts(workdays(time(9, 30), time(16)), days, STOCK.zone, ms)
    assert closed_hours(STOCK, bars, ms) == NIGHTS


def test_what_trades_around_the_clock_is_never_closed_whatever_its_class() -> None:
    assert closed_hours(SESSIONS["crypto"], np.array([], dtype=np.int64), QUARTER) == []
    for days in (1, 2, 10):
        # The simulator, which knows no hours: also of its first day only, which says nothing of a Saturday.
        bars = np.arange(days * 96, dtype=np.int64) * QUARTER + int(
            datetime(2026, 11, 2, tzinfo=UTC).timestamp() * 1000
        )
        assert closed_hours(STOCK, bars, QUARTER) == []


def test_hours_of_another_market_are_learned_from_its_bars_and_unknown_before() -> None:
    berlin = workdays(time(9), time(17, 30))
    assert closed_hours(STOCK, starts(berlin, 2, "Europe/Berlin"), QUARTER) == []
    # Six hours behind: 3:00 to 11:30 in New York.
    learned = closed_hours(STOCK, starts(berlin, 15, "Europe/Berlin"), QUARTER)
    assert learned == [
        (0, 180),
        *((day * 1440 + 690, (day + 1) * 1440 + 180) for day in range(4)),
        (4 * 1440 + 690, 7 * 1440),
    ]


def test_the_currencies_sunday_evening_is_open_and_the_rest_of_the_weekend_closed() -> None:
    hours = {6: (time(22), time(23, 59)), **{day: (time(0), time(23, 59)) for day in range(4)}, 4: (time(0), time(22))}
    week = closed_hours(SESSIONS["currency"], starts(hours, 28, "UTC"), QUARTER)
    assert week == [(4 * 1440 + 22 * 60, 6 * 1440 + 22 * 60)]


def test_an_outage_is_no_closed_hour_and_neither_is_a_short_calm() -> None:
    bars = starts(workdays(time(9, 30), time(16)), 14, STOCK.zone)
    opened = int(datetime(2026, 11, 2, 9, 30, tzinfo=ZoneInfo(STOCK.zone)).timestamp() * 1000)
    gone = (bars >= opened + 2 * HOUR) & (bars < opened + 4 * HOUR)
    assert closed_hours(STOCK, bars[~gone], QUARTER) == NIGHTS
    calm = (bars - opened) % DAY == 3 * HOUR  # a quarter in which it never trades
    assert calm.sum() == 10
    assert closed_hours(STOCK, bars[~calm], QUARTER) == NIGHTS


def test_a_pause_at_noon_is_learned_and_a_stray_tick_opens_no_night() -> None:
    bars = starts(workdays(time(9, 30), time(16)), 28, STOCK.zone)
    local = (bars - int(datetime(2026, 11, 2, tzinfo=ZoneInfo(STOCK.zone)).timestamp() * 1000)) % DAY
    noon = (local >= 12 * HOUR) & (local < 13 * HOUR)
    stray = bars[0] - 6 * HOUR - 30 * 60_000
    found = closed_hours(STOCK, np.sort(np.append(bars[~noon], stray)), QUARTER)
    pauses = [(day * 1440 + 720, day * 1440 + 780) for day in range(5)]
    assert [span for span in found if span in pauses] == pauses
    assert sorted([*NIGHTS, *pauses]) == found


def test_bars_of_a_day_tell_of_the_weekend_alone() -> None:
    weekdays = np.arange(30, dtype=np.int64) * DAY + int(datetime(2026, 11, 2, tzinfo=UTC).timestamp() * 1000)
    shares = weekdays[(weekdays // DAY + 3) % 7 < 5]
    assert closed_hours(STOCK, shares, DAY) == NIGHTS
    assert closed_hours(STOCK, weekdays, DAY) == []
