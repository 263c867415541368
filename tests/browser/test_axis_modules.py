"""The modules of the time axis by themselves: the map, closed hours between bars, ticks, and the strip's runs."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page

from dashboard.market.bars import Flag
from tests.browser import test_modules

blank = test_modules.blank
MODULES = """
const [{ TimeMap }, { closedIn }, { TimeAxis }, { timeTicks }, made, { Series }, { choose }, { moved }] =
await Promise.all([
  "chart/timemap", "chart/sessions", "chart/timeaxis", "chart/timeticks", "chart/made", "chart/series", "page/zone",
  "drawing/hand",
].map((name) => import(`/${name}.mjs`)));
"""
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NEW_YORK = ZoneInfo("America/New_York")
#: A share in New York, as dashboard/market/hours.py says it.
NIGHTS = [[0, 570], *([day * 1440 + 960, (day + 1) * 1440 + 570] for day in range(4)), [4 * 1440 + 960, 7 * 1440]]
HOURS = {"zone": "America/New_York", "closed": NIGHTS}
MARKS = {flag.name.lower(): int(flag) for flag in Flag if flag.name}
CLOSED = int(Flag.CLOSED)


def run(page: Page, code: str, given: Any = None) -> Any:
    return page.evaluate(f"async (given) => {{{MODULES}{code}}}", given)


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def session(day: str, ms: int, until: str = "16:00") -> list[int]:
    """The starts of a session's bars, from 9:30 in New York."""
    first, last = (
        int(datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=NEW_YORK).timestamp() * 1000)
        for at in ("09:30", until)
    )
    return list(range(first // ms * ms, last, ms))


def bars(starts: list[int], flags: int = CLOSED) -> list[list[float]]:
    return [[start, 10, 11, 9, 10.5, 5, 3, flags] for start in starts]


#: The week of Thanksgiving 2026, whose Friday ends at 13:00, and the Monday after it.
WEEK = [("2026-11-24", "16:00"), ("2026-11-25", "16:00"), ("2026-11-27", "13:00"), ("2026-11-30", "16:00")]


@pytest.mark.parametrize("seed", range(6))
def test_the_map_goes_there_and_back_and_never_back_in_time(blank: Page, seed: int) -> None:
    chance = random.Random(seed)
    spans, at = [], 1_700_000_000_000
    for _ in range(chance.choice((0, 1, 40))):
        at += chance.randrange(0, 5) * HOUR + chance.randrange(1, HOUR)
        spans.append([at, at := at + chance.randrange(1, 70 * HOUR)])
    moments = sorted(chance.randrange(1_699_999_000_000, at + DAY) for _ in range(400))
    moments = sorted([*moments, *(edge for span in spans for edge in span)])
    anchor = chance.choice(moments)
    places, back, held, plain = run(
        blank,
        """
        const [spans, moments, anchor] = given;
        const map = new TimeMap(spans, anchor, anchor + 12345);
        const places = moments.map((ms) => map.place(ms));
        return [places, places.map((x) => map.time(x)), map.place(anchor) - anchor, new TimeMap([]).identity];
        """,
        [spans, moments, anchor],
    )
    assert held == 12345
    assert plain is True
    for ms, x, time in zip(moments, places, back, strict=True):
        inside = next((end for begin, end in spans if begin <= ms < end), None)
        assert time == (ms if inside is None else inside), (ms, x)
    left_out = lambda ms: sum(max(0, min(end, ms) - begin) for begin, end in spans)  # noqa: E731
    for (one, x), (other, y) in pairwise(zip(moments, places, strict=True)):
        assert y - x == other - one - (left_out(other) - left_out(one)) >= 0


@pytest.mark.parametrize(
    ("hole", "step", "gone", "closed"),
    [
        (("2026-11-24T21:00", "2026-11-25T14:30"), MINUTE, False, "all"),  # a night
        (("2026-11-25T21:00", "2026-11-27T14:30"), MINUTE, False, "all"),  # Thanksgiving
        (("2026-11-27T18:00", "2026-11-30T14:30"), MINUTE, False, "all"),  # the half day after it, and the weekend
        (("2026-10-30T20:00", "2026-11-02T14:30"), MINUTE, False, "all"),  # clocks are put back meanwhile
        (("2026-11-24T21:00", "2026-11-25T14:00"), HOUR, False, "all"),
        (("2026-11-26T00:00", "2026-11-27T00:00"), DAY, False, "all"),  # bars of a day around the holiday
        (("2026-11-28T00:00", "2026-11-30T00:00"), DAY, False, "all"),  # and around a weekend
        (("2026-11-24T15:00", "2026-11-24T16:00"), MINUTE, False, []),  # within a session: an outage
        (("2026-11-25T03:10", "2026-11-25T05:10"), MINUTE, False, []),  # bars in the night: it trades then
        # The feed was gone: only what is closed for certain.
        (("2026-11-27T18:00", "2026-11-30T14:30"), MINUTE, True, [("2026-11-27T21:00", "2026-11-30T14:30")]),
        # No early close is at 13:07, and none lasts a few minutes; a late opening is none at all.
        (("2026-11-27T18:07", "2026-11-30T14:30"), MINUTE, False, [("2026-11-27T21:00", "2026-11-30T14:30")]),
        (("2026-11-24T20:30", "2026-11-25T14:30"), MINUTE, False, [("2026-11-24T21:00", "2026-11-25T14:30")]),
        (("2026-11-24T21:00", "2026-11-25T16:00"), MINUTE, False, [("2026-11-24T21:00", "2026-11-25T14:30")]),
        # Three sessions are no holidays.
        (
            ("2026-11-23T21:00", "2026-11-27T14:30"),
            MINUTE,
            False,
            [(f"2026-11-{day}T21:00", f"2026-11-{day + 1}T14:30") for day in (23, 24, 25, 26)],
        ),
    ],
)
def test_what_is_closed_of_a_hole_is_left_out_and_what_is_missing_stays(
    blank: Page, hole: tuple[str, str], step: int, gone: bool, closed: str | list[tuple[str, str]]
) -> None:
    span = [utc(text) for text in hole]
    wanted = [span] if closed == "all" else [[utc(text) for text in part] for part in closed]
    assert run(blank, "return closedIn(...given);", [HOURS, span, step, gone]) == wanted


#: An axis over a series, and the distances between its bars in bars.
AXIS = """
const { rows, hours, marks, ms } = given;
const series = new Series();
let held = 0;
const axis = new TimeAxis(series, () => held);
const load = (bars, same) => {
  series.load({ symbol: "A", timeframe: "1m", ms, bars });
  axis.load({ hours, marks }, same);
};
const places = () => series.rows.map((bar) => axis.place(bar[0]));
const steps = () => places().slice(1).map((x, at) => (x - places()[at]) / ms);
"""


@pytest.mark.parametrize("ms", [MINUTE * 5, 15 * MINUTE, HOUR])
def test_bars_stand_side_by_side_over_nights_a_holiday_a_half_day_and_a_weekend(blank: Page, ms: int) -> None:
    starts = [start for day, until in WEEK for start in session(day, ms, until)]
    steps, nearest, off, plain = run(
        blank,
        AXIS
        + """
        load(rows, false);
        const found = steps();
        // Wherever a pointer is, the nearest bar in time is the nearest on the axis, also beside a night.
        const at = (bar, part) => series.nearest(axis.time(axis.place(bar[0]) + part * ms));
        const right = series.rows.every((bar) => [-0.45, 0, 0.45].every((part) => at(bar, part) === bar));
        axis.close(false);
        return [found, right, places().every((x, at) => x === series.rows[at][0]), axis.plain];
        """,
        {"rows": bars(starts), "hours": HOURS, "marks": MARKS, "ms": ms},
    )
    assert steps == [1] * (len(starts) - 1)
    assert nearest and off and plain


def test_an_outage_stays_a_gap_of_its_own_length_and_so_does_a_night_in_which_it_trades(blank: Page) -> None:
    starts = [start for day, until in WEEK for start in session(day, MINUTE, until)]
    gone = (utc("2026-11-25T16:00"), utc("2026-11-25T17:00"))
    kept = [start for start in starts if not gone[0] <= start < gone[1]]
    code = AXIS + "load(rows, false); return steps();"
    found = run(blank, code, {"rows": bars(kept), "hours": HOURS, "marks": MARKS, "ms": MINUTE})
    assert sorted(found) == [*[1] * (len(kept) - 2), 61]
    always = [start for start in range(starts[0], starts[0] + 2 * DAY, MINUTE) if start % (3 * HOUR) >= 10 * MINUTE]
    found = run(blank, code, {"rows": bars(always), "hours": HOURS, "marks": MARKS, "ms": MINUTE})
    assert sorted(set(found)) == [1, 11]
    found = run(blank, code, {"rows": bars(kept), "hours": None, "marks": MARKS, "ms": MINUTE})
    assert found == [(after - before) / MINUTE for before, after in pairwise(kept)]


def test_bars_keep_their_places_when_older_ones_come_a_session_begins_and_the_oldest_go(blank: Page) -> None:
    starts = [start for day, until in WEEK for start in session(day, MINUTE, until)]
    before, older, later, corrected, fewer = run(
        blank,
        AXIS
        + """
        load(rows.slice(500, 800), false);
        const of = () => new Map(series.rows.map((bar) => [bar[0], axis.place(bar[0])]));
        const alike = (a, b) => [...a].filter(([start]) => b.has(start)).map(([start, x]) => b.get(start) - x);
        let last = of();
        held = last.get(rows[700][0]);
        const told = [[...last.values()].at(-1) - rows[799][0]];
        const next = (change) => {
          change();
          const now = of(), off = alike(last, now);
          last = now;
          told.push([off.length, ...new Set(off)]);
        };
        next(() => series.prepend(rows.slice(0, 500)));
        next(() => rows.slice(800).forEach((bar) => series.merge([bar])));
        next(() => series.merge([[...rows[100].slice(0, 4), 10.7, ...rows[100].slice(5)]]));
        next(() => { series.rows.splice(0, 450); series.revised(0); });
        return told;
        """,
        {"rows": bars(starts), "hours": HOURS, "marks": MARKS, "ms": MINUTE},
    )
    assert before == 0  # the newest lies at its own time
    count = len(starts)
    assert (older, later, corrected, fewer) == ([300, 0], [800, 0], [count, 0], [count - 450, 0])


def test_a_drawing_that_is_moved_over_a_night_is_as_many_bars_long_as_before(blank: Page) -> None:
    starts = [start for day, until in WEEK for start in session(day, MINUTE, until)]
    there, back = run(
        blank,
        AXIS
        + """
        load(rows, false);
        const prices = { y: () => 0, priceAt: () => 10, height: 9, bars: { decimals: 2 } };
        const ground = { x: (at) => axis.place(at) / ms, msAt: (x) => axis.time(x * ms), even: axis.plain, ...prices };
        const index = (ms) => rows.findIndex((bar) => bar[0] === ms);
        const points = [[rows[300][0], 10], [rows[370][0], 11]];
        const line = { id: "a", kind: "line", style: {}, text: "", points };
        const there = moved(line, -1, 60, 0, ground, series), back = moved(there, -1, -60, 0, ground, series);
        return [there, back].map((each) => each.points.map(([ms]) => index(ms)));
        """,
        {"rows": bars(starts), "hours": HOURS, "marks": MARKS, "ms": MINUTE},
    )
    assert (there, back) == ([360, 430], [300, 370])


@pytest.mark.parametrize("shown", [40, 110, 500, 1400])
@pytest.mark.parametrize("most", [4, 12])
def test_ticks_are_at_bars_apart_from_each_other_and_say_true_times(blank: Page, shown: int, most: int) -> None:
    starts = [start for day, until in WEEK for start in session(day, MINUTE, until)]
    found = run(
        blank,
        AXIS
        + """
        choose("Europe/Berlin");
        load(rows, false);
        const right = axis.place(rows.at(-1)[0]) + ms, left = right - given.shown * ms;
        const ticks = timeTicks(rows, { ms, left, right, most: given.most, place: (moment) => axis.place(moment) });
        return ticks.map(({ at, text }) => [axis.time(at), (at - left) / ms, text]);
        """,
        {"rows": bars(starts), "hours": HOURS, "marks": MARKS, "ms": MINUTE, "shown": shown, "most": most},
    )
    seen = [(ms, text) for ms, at, text in found if 0 <= at <= shown]
    assert 2 <= len(seen) <= most + 1
    assert all(b - a >= shown / most for (_, a, _), (_, b, _) in pairwise(found))
    days = {start for start in starts if start - DAY // 4 not in starts and start - MINUTE not in starts}
    for at, (ms, text) in enumerate(seen):
        local = datetime.fromtimestamp(ms / 1000, ZoneInfo("Europe/Berlin"))
        day = f"{local.day} {local:%b}"
        said = f"<b>{day}</b>" if ms in days else f"{local:%H:%M}"
        more = ("<br>2026" if ms in days else f"<br>{day} 2026") if at == 0 else ""
        assert ms in starts
        assert text == said + more


def test_ticks_of_days_are_weeks_months_and_years(blank: Page) -> None:
    first = datetime(2025, 1, 1, tzinfo=UTC)
    days = [first + timedelta(days=day) for day in range(700)]
    starts = [int(day.timestamp() * 1000) for day in days if day.weekday() < 5]
    code = (
        AXIS
        + """
        load(rows, false);
        const right = axis.place(rows.at(-1)[0]) + ms, left = right - given.shown * ms;
        const ticks = timeTicks(rows, { ms, left, right, most: 12, place: (moment) => axis.place(moment) });
        return ticks.filter(({ at }) => at >= left).map(({ text }) => text);
        """
    )
    given = {"rows": bars(starts), "hours": HOURS, "marks": MARKS, "ms": DAY}
    months = run(blank, code, given | {"shown": 220})
    assert months[0].endswith("<br>2026")
    assert {"<b>Jun</b>", "<b>Sep</b>"} <= set(months)
    assert "<b>2026</b>" in run(blank, code, given | {"shown": 400})
    assert "<b>Nov</b>" in run(blank, code, given | {"shown": 40})


def test_no_tick_stands_for_a_time_that_comes_round_much_more_often_than_there_is_room(blank: Page) -> None:
    """Minutes up to 21:14: the quarter of an hour gets the next one when it has come, 21:13 none."""
    last = utc("2026-11-28T21:14")
    starts = list(range(last - 200 * MINUTE, last + 1, MINUTE))
    code = """
      const { starts, ms } = given, rows = starts.map((start) => [start]);
      const right = starts.at(-1) + ms, left = right - 110 * ms;
      return timeTicks(rows, { ms, left, right, most: 9, place: (moment) => moment }).map(({ at }) => at);"""
    ticks = [at for at in run(blank, code, {"starts": starts, "ms": MINUTE}) if at >= last - 110 * MINUTE]
    assert len(ticks) >= 6
    assert all(at % (15 * MINUTE) == 0 for at in ticks)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("wide", [0.03, 0.8, 9.0])
def test_runs_are_merged_and_where_bars_share_a_pixel_the_worst_wins(blank: Page, seed: int, wide: float) -> None:
    chance = random.Random(seed)
    width = 300
    starts = [at * MINUTE for at in range(int(width / wide) + 20) if chance.random() > 0.1]
    rows = bars(starts)
    for row in rows:
        row[7] = CLOSED | sum(int(flag) for flag in Flag if flag != Flag.CLOSED and chance.random() < 0.02)
    found = run(
        blank,
        """
        const { rows, marks, width, wide } = given;
        const runs = made.runs(rows, { marks, width, x: (start) => (start / 60000 - 5) * wide, half: wide / 2 });
        return [runs, rows.map((row) => made.kindOf(row[7], marks))];
        """,
        {"rows": rows, "marks": MARKS, "width": width, "wide": wide},
    )
    runs, kinds = found
    order = ["gap", "partial", "corrected", "filled", "whole"]
    named = {"gap": Flag.GAP, "partial": Flag.PARTIAL, "corrected": Flag.CORRECTED, "filled": Flag.FILLED}
    pixels: list[int | None] = [None] * width
    for row, kind in zip(rows, kinds, strict=True):
        assert kind == next((name for name in order[:4] if int(row[7]) & named[name]), "whole")
        left = (row[0] / MINUTE - 5) * wide - wide / 2
        for pixel in range(width):
            # Rounded pixels: what is well inside of a bar is its own for certain.
            if left <= pixel and pixel + 1 <= left + wide:
                pixels[pixel] = min(order.index(kind), *(p for p in (pixels[pixel],) if p is not None), 9)
    drawn: list[int | None] = [None] * width
    for each in runs:
        assert each["from"] < each["to"] <= width
        for pixel in range(each["from"], each["to"]):
            assert drawn[pixel] is None
            drawn[pixel] = order.index(each["kind"])
    for one, other in pairwise(runs):
        assert one["to"] < other["from"] or one["kind"] != other["kind"]
    for pixel, wanted in enumerate(pixels):
        if wanted is not None:
            assert drawn[pixel] is not None
            assert drawn[pixel] <= wanted
    # However many bars share a pixel, none that is not whole is lost.
    for row, kind in zip(rows, kinds, strict=True):
        middle = (row[0] / MINUTE - 5) * wide
        if middle - wide / 2 >= 0 and middle + wide / 2 < width - 1:
            place = int(middle - wide / 2 + 0.5)
            assert drawn[place] is not None
            assert drawn[place] <= order.index(kind)


def test_the_words_of_flags_and_their_counts(blank: Page) -> None:
    rows = bars([at * MINUTE for at in range(6)])
    rows[1][7] = CLOSED | Flag.GAP | Flag.CORRECTED
    rows[2][7] = CLOSED | Flag.FILLED
    words, counts = run(
        blank,
        "return [given.rows.map((row) => made.flagWords(row[7], given.marks)), made.counts(given.rows, given.marks)];",
        {"rows": rows, "marks": MARKS},
    )
    assert words[:3] == [
        "",
        "gap: the feed was disconnected · corrected after closing",
        "filled in from stored history",
    ]
    assert counts == "1 gap, 1 filled in, 4 whole"
