"""The modules of views and settings by themselves: times, zones, views as text and in files, sorts, the search."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page

from dashboard.errors import BadParameters
from dashboard.ui.studies import registry
from dashboard.workbench import preferences, views
from tests.browser.test_modules import blank

__all__ = ["blank"]
READY = """
window.dash_clientside = { set_props: () => {} };
const [range, zone, words, pointer, text, sort, search, preferred, file] = await Promise.all(
  ["chart/range", "page/zone", "page/words", "chart/pointer", "page/viewtext", "page/listsort", "page/search",
   "page/preferences", "page/viewfile"].map((name) => import(`/${name}.mjs`)));
"""
TYPES = ("candles", "line")
DAY = 86_400_000


def run(page: Page, code: str, given: Any = None) -> Any:
    return page.evaluate(f"async (given) => {{{READY}{code}}}", given)


def test_a_zone_is_that_of_the_database_at_every_moment(blank: Page) -> None:
    """Against Python's zoneinfo: zones with half hours, quarters, clock changes, and none."""
    chance = random.Random(3)
    names = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"]
    names += ["Pacific/Apia", "America/St_Johns", "America/Sao_Paulo", "Pacific/Chatham"]
    moments = [chance.randrange(315_532_800_000, 1_735_689_600_000) for _ in range(150)]
    # The quarters around Berlin's and New York's clock changes of 2026.
    for change in ("2026-03-29T01:00", "2026-10-25T01:00", "2026-03-08T07:00", "2026-11-01T06:00"):
        at = int(datetime.fromisoformat(change).replace(tzinfo=UTC).timestamp() * 1000)
        moments += [at - 1, at, at + 1, at - 899_999, at + 900_000]
    found = run(
        blank,
        """return given.names.map((name) => {
          zone.choose(name);
          return given.moments.map((ms) => [zone.offset(ms), words.time(ms)]);
        });""",
        {"names": names, "moments": moments},
    )
    for name, row in zip(names, found, strict=True):
        for ms, (offset, time) in zip(moments, row, strict=True):
            there = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).astimezone(ZoneInfo(name))
            ahead = there.utcoffset()
            assert ahead is not None
            assert offset == ahead.total_seconds() * 1000, (name, there)
            assert time == there.strftime("%H:%M:%S"), (name, there)


def test_a_zone_that_the_browser_does_not_know_is_refused_and_its_own_shown(blank: Page) -> None:
    known, name, offset = run(
        blank,
        """zone.choose("Asia/Tokyo");
        return [zone.choose("Mars/Base"), zone.name() === zone.own(),
          zone.offset(1.8e12) === -new Date(1.8e12).getTimezoneOffset() * 6e4];""",
    )
    assert (known, name, offset) == (False, True, True)


def test_what_is_now_is_said_by_the_given_clock_not_by_the_browsers(blank: Page) -> None:
    said = run(
        blank,
        """zone.choose("Asia/Tokyo");
        const noon = Date.UTC(2030, 0, 1, 12);
        zone.setClock(() => noon);
        return [words.moment(noon - 60_000), words.moment(noon - 22 * 3_600_000), words.zone(noon),
          pointer.barTime(noon, 60_000), pointer.barTime(noon, 1000), pointer.barTime(noon, 86_400_000)];""",
    )
    assert said == ["20:59:00", "31 Dec 23:00:00", "UTC+9", "1 Jan 21:00", "1 Jan 21:00:00", "1 Jan 2030 UTC"]


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("20261123T101500Z", "2026-11-23T10:15:00Z"),
        ("20261123T101500.250Z", "2026-11-23T10:15:00.25Z"),
        ("2026-11-23T10:15:00Z", "2026-11-23T10:15:00Z"),
        ("2026-11-23T10:15", "2026-11-23T10:15:00Z"),
        ("2026-11-23", "2026-11-23T00:00:00Z"),
        ("2026-11-23T10:15:00+01:00", "2026-11-23T09:15:00Z"),
        ("2026-11-23T10:15:00-0330", "2026-11-23T13:45:00Z"),
        ("1795428000000", "2026-11-23T10:00:00Z"),
    ],
)
def test_a_time_of_the_address_is_read(blank: Page, text: str, iso: str) -> None:
    ms = round(datetime.fromisoformat(iso).timestamp() * 1000)
    assert run(blank, "return [range.instant(given), range.instant(range.said(range.instant(given)))];", text) == [
        ms,
        ms,
    ]


@pytest.mark.parametrize(
    "text",
    ["", "x", "2026-13-01", "2026-02-30", "2026-11-23T25:00", "1e12", "-1795428000000", "99999999999999999", "2026"],
)
def test_what_is_no_time_is_none(blank: Page, text: str) -> None:
    assert run(blank, "return range.instant(given);", text) is None


def test_a_range_is_read_completed_bounded_or_refused_in_a_sentence(blank: Page) -> None:
    asked = (
        """return given.map((pair) => range.asked(pair, { newest: 1_000_000_000_000, ms: 1000, width: 110_000 }));"""
    )
    whole, only_start, only_end, tiny, huge, *wrong = run(
        blank,
        asked,
        [
            ["999999000000", "999999900000"],
            ["999999000000", None],
            [None, "999999000000"],
            ["999999000000", "999999000001"],
            ["19700101T000000Z", "99991231T235959Z"],
            ["999999900000", "999999000000"],
            ["yesterday", None],
        ],
    )
    assert whole == [999_999_000_000, 999_999_900_000]
    assert only_start == [999_999_000_000, 1_000_000_001_000]
    assert only_end == [999_999_000_000 - 110_000, 999_999_000_000]
    assert tiny == [999_999_000_001 - 8_000, 999_999_000_001]
    assert huge == [1_000_000_001_000 - 100_000_000, 1_000_000_001_000]
    assert "must lie before end" in wrong[0]
    assert "start must be a time such as 20261123T101500Z" in wrong[1]
    assert '"yesterday"' in wrong[1]


#: Colours of as many indicators as a chart may have, and more.
LOOKS = ",".join(f"{1 + at % 8}{'h' * (at % 3)}" for at in range(80))


def test_a_view_survives_the_address_and_the_server_takes_it(blank: Page) -> None:
    query = (
        "symbol=BTC-USD&timeframe=5m&type=line&scale=log&indicators=sma:20,bbands:20:2&compare=AAPL,MSFT"
        "&start=20261123T101500Z&end=20261123T111500Z&sort=last:desc&side=trades&Bad=1&looks=" + LOOKS
    )
    kept, again, same = run(
        blank,
        """const query = new URLSearchParams(given), kept = text.keptOf(query);
        return [kept, Object.fromEntries(text.queryOf(kept)), text.same(query, text.queryOf(kept))];""",
        query,
    )
    view = views.read("view", kept, TYPES)
    # A setting has 200 characters at most: a longer one goes as several.
    assert view["settings"] == {"sort": "last:desc", "side": "trades", "looks": LOOKS[:200], "looks.2": LOOKS[200:]}
    assert again.pop("looks") == LOOKS
    assert view["indicators"] == ["sma:20", "bbands:20:2"]
    assert view["compare"] == ["AAPL", "MSFT"]
    assert view["end"] - view["start"] == 3_600_000
    assert again == {
        "symbol": "BTC-USD",
        "timeframe": "5m",
        "type": "line",
        "scale": "log",
        "indicators": "sma:20,bbands:20:2",
        "compare": "AAPL,MSFT",
        "start": "20261123T101500Z",
        "end": "20261123T111500Z",
        "sort": "last:desc",
        "side": "trades",
    }
    assert same


def test_what_the_server_fills_in_is_no_change_of_a_view(blank: Page) -> None:
    """A view that was kept says more than the address did: what is as usual."""
    given = {"symbol": "AAPL", "timeframe": "1m", "type": "candles"}
    filled = views.read("view", given, TYPES)
    assert run(
        blank,
        """return [text.same(new URLSearchParams("symbol=AAPL&timeframe=1m&type=candles"), text.queryOf(given)),
          text.same(new URLSearchParams("symbol=AAPL&timeframe=1m&type=line"), text.queryOf(given))];""",
        filled,
    ) == [True, False]


def test_a_sort_of_the_address_is_read_or_refused_in_a_sentence(blank: Page) -> None:
    found = run(blank, "return given.map((each) => sort.read(each, ['symbol', 'last', 'volume']));", [
        "last:desc,symbol", "price:asc", "last:up", "last,last:desc", "",
    ])  # fmt: skip
    assert found[0] == [
        {"colId": "last", "sort": "desc", "sortIndex": 0},
        {"colId": "symbol", "sort": "asc", "sortIndex": 1},
    ]
    for sentence, word in zip(found[1:], ["price:asc", "last:up", "each once", "sort takes"], strict=True):
        assert word in sentence
        assert "\n" not in sentence


def test_the_search_finds_symbols_and_names_whatever_their_case_and_accents(blank: Page) -> None:
    instruments = [
        {"symbol": symbol, "name": name, "class": "stock"}
        for symbol, name in [("NESN", "Nestlé"), ("ETH-USD", "Ethereum"), ("AETH", "Aether"), ("MS", "Morgan Stanley")]
    ]
    instruments += [{"symbol": f"S{at}", "name": "x", "class": "stock"} for at in range(50)]
    found = run(
        blank,
        "return given[1].map((wanted) => search.matches(given[0], wanted).map((one) => one.symbol));",
        [instruments, ["nestle", "NESTLÉ", "eth", "stan", " ms ", "nothing", ""]],
    )
    assert found[:6] == [["NESN"], ["NESN"], ["ETH-USD", "AETH"], ["MS"], ["MS"], []]
    assert len(found[6]) == 12


def test_the_usual_settings_are_the_servers(blank: Page) -> None:
    assert run(blank, "return preferred.USUAL;") == preferences.checked({})


#: What the export menu saves as "The configuration".
SAVED = {
    "tickboard_view": 1,
    "symbol": "MSFT",
    "timeframe": "5m",
    "type": "line",
    "scale": "log",
    "indicators": "sma:20,rsi:14",
    "looks": "3,h",
    "start": "2026-11-23T10:15:00.250Z",
    "end": "2026-11-23T11:15:00.000Z",
    "following": False,
    "feed": "SIMULATED",
    "address": "/?symbol=OLD&timeframe=1m&compare=AAPL,GOOGL&comparemode=spread&sort=last:desc&indicators=ema:9",
    "made": "2026-11-23T12:00:00.000Z",
}
READ = "return given.map(([said, registry]) => file.viewIn(JSON.stringify(said), 'mine.json', registry));"
WRONG = """return await Promise.all(given.map(async ([body, name]) => {
  try {
    return file.viewIn(await file.contentOf(new File([body], name)), name, { list: [] });
  } catch (refused) {
    return refused.message;
  }
}));"""


def test_a_view_in_a_file_is_read_and_the_server_takes_it(blank: Page) -> None:
    (found,) = run(blank, READ, [[SAVED, registry()]])
    assert found["faults"] == []
    view = views.read("", found["kept"], TYPES)
    assert (view["symbol"], view["timeframe"], view["type"], view["scale"]) == ("MSFT", "5m", "line", "log")
    assert view["indicators"] == ["sma:20", "rsi:14"]
    assert view["compare"] == ["AAPL", "GOOGL"]
    assert view["settings"] == {"comparemode": "spread", "sort": "last:desc", "looks": "3,h"}
    start = datetime(2026, 11, 23, 10, 15, 0, 250_000, UTC)
    assert (view["start"], view["end"]) == (start.timestamp() * 1000, start.timestamp() * 1000 + 3_599_750)


def test_a_file_of_the_newest_bars_has_no_range_but_one_that_was_chosen(blank: Page) -> None:
    following = {**SAVED, "following": True}
    chosen = {**following, "address": "/?symbol=MSFT&start=20261123T101500Z&end=20261123T111500Z"}
    by_hand = {"tickboard_view": 1, "symbol": "MSFT", "timeframe": "5m", "start": "2026-11-23T10:15:00Z"}
    found = run(blank, READ, [[each, registry()] for each in (following, chosen, by_hand)])
    kept = [views.read("", each["kept"], TYPES) for each in found]
    assert [(each["start"] is not None, each["end"] is not None) for each in kept] == [
        (False, False),
        (True, True),
        (True, False),
    ]


def test_an_indicator_of_a_file_that_there_is_not_is_left_out_with_its_look(blank: Page) -> None:
    (found,) = run(blank, READ, [[{**SAVED, "indicators": "nope:3,rsi:14,sma:0", "looks": "2,4h,5"}, registry()]])
    assert views.read("", found["kept"], TYPES)["indicators"] == ["rsi:14"]
    assert found["kept"]["settings"]["looks"] == "4h"
    nope, sma = found["faults"]
    assert "There is no indicator nope:3" in nope
    assert "sma" in sma


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"symbol": None}, "symbol"),
        ({"symbol": 5}, "symbol"),
        ({"timeframe": "7m"}, "timeframe"),
        ({"type": "cubes"}, "type"),
        ({"start": "yesterday"}, "start"),
        ({"start": "2026-11-24T00:00:00Z"}, "start"),
        ({"indicators": {"sma": 20}}, "indicators"),
    ],
)
def test_a_field_of_a_file_that_can_be_none_is_the_servers_to_refuse(
    blank: Page, patch: dict[str, Any], field: str
) -> None:
    (found,) = run(blank, READ, [[{**SAVED, **patch}, registry()]])
    with pytest.raises(BadParameters) as refused:
        views.read("", found["kept"], TYPES)
    assert [error.parameter for error in refused.value.errors] == [field]


def test_a_file_that_is_no_view_is_refused_in_a_sentence_and_a_large_one_unread(blank: Page) -> None:
    given = [
        ["hello", "a.json"],
        ["", "empty.json"],
        ["[1, 2]", "list.json"],
        ["null", "null.json"],
        ['{"symbol": "MSFT"}', "other.json"],
        ['{"tickboard_view": "1"}', "text.json"],
        ['{"tickboard_view": 7, "shape": "new"}', "new.json"],
        ["x" * 65_537, "large.json"],
        ["x" * 65_536, "y" * 100],
    ]
    words = ["a.json is not JSON", "empty.json is not JSON", "list.json is not a view", "null.json is not a view"]
    words += ["other.json is not a view", "text.json is not a view", "new.json is of format 7, which a newer version"]
    words += ["large.json takes 65 KB, a view 64 KB at most; it was not read.", "y" * 60 + "… is not JSON"]
    for sentence, word in zip(run(blank, WRONG, given), words, strict=True):
        assert sentence.startswith(word)
        assert sentence.endswith(".")
