"""What may be kept: each kind of document as a user gives it, and each fault by name, what came and what is taken."""

from __future__ import annotations

import time
import unicodedata
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.errors import BadParameters, Conflict, DashboardError
from dashboard.workbench import drawings, preferences, views, watchlists

TYPES = ("candles", "line", "area")
LIST: dict[str, Any] = {"name": "Tech", "symbols": ["MSFT", "AAPL", "OLD-ONE"]}
VIEW: dict[str, Any] = {"symbol": "AAPL", "timeframe": "5m"}
LINE: dict[str, Any] = {"id": "a1", "kind": "line", "points": [[1_795_428_000_000, 190.5], [1_795_428_060_000, 191]]}


def view(given: object) -> tuple[str, dict[str, Any]]:
    return views.checked(given, TYPES)


def faults(check: Any, given: object) -> dict[str, tuple[str, str]]:
    """{field: (what came, what is accepted)} of a refusal."""
    with pytest.raises(BadParameters) as caught:
        check(given)
    return {each.parameter: (each.received, each.accepted) for each in caught.value.errors}


def test_a_watchlist_has_what_was_given_and_the_usual_for_the_rest() -> None:
    name, content = watchlists.checked(LIST)
    assert name == "Tech"
    assert content == {
        "symbols": ["MSFT", "AAPL", "OLD-ONE"],
        "pinned": [],
        "columns": ["symbol", "price", "change_percent", "trend"],
        "sort": None,
        "group": "none",
    }
    full = {
        **LIST,
        "pinned": ["AAPL"],
        "columns": ["symbol", "spread", "day_range"],
        "sort": {"column": "change_percent", "descending": True},
        "group": "sector",
    }
    assert watchlists.checked(full)[1] == {name: value for name, value in full.items() if name != "name"}


def test_an_answer_can_be_given_back_as_it_is() -> None:
    answered = {"id": 3, "version": 2, "created": 1, "changed": 2, "unknown": ["OLD-ONE"]}
    assert watchlists.checked({**LIST, **answered}) == watchlists.checked(LIST)
    assert view({"name": "x", "view": VIEW, "token": "whatever", **answered}) == view({"name": "x", "view": VIEW})


@pytest.mark.parametrize(
    ("change", "field", "came", "accepted"),
    [
        ({"name": ""}, "name", "", "a text of 1 to 80 characters"),
        ({"name": " \t "}, "name", " \t ", "a text of 1 to 80 characters"),
        ({"name": "x" * 81}, "name", "x" * 81, "a text of 1 to 80 characters"),
        ({"name": "a\nb"}, "name", "a\nb", "none of them a control character"),
        ({"name": "a\0b"}, "name", "a\0b", "none of them a control character"),
        ({"name": 7}, "name", "7", "a text"),
        ({"symbols": "AAPL"}, "symbols", "AAPL", "a list of symbols"),
        ({"symbols": ["AAPL", "aapl"]}, "symbols[1]", "aapl", "a symbol: 1 to 24 of A-Z"),
        ({"symbols": ["AAPL", "AAPL"]}, "symbols", "AAPL", "none comes twice"),
        ({"symbols": ["AAPL", ["AAPL"]]}, "symbols[1]", '["AAPL"]', "a symbol"),
        ({"symbols": [f"S{at}" for at in range(1001)]}, "symbols", "1001 of them", "a list of 1000 symbols at most"),
        ({"pinned": ["TSLA"]}, "pinned", "TSLA", "symbols of the list"),
        ({"columns": ["price", "beta"]}, "columns[1]", "beta", "one of symbol, name, class, price"),
        ({"sort": "price"}, "sort", "price", "a JSON object"),
        ({"sort": {"column": "trend"}}, "sort.column", "trend", "one of symbol"),
        ({"sort": {"column": "price", "descending": 1}}, "sort.descending", "1", "true or false"),
        ({"group": None}, "group", "", "one of none, class, sector"),
        ({"colour": "red"}, "colour", "red", "left out: this takes name, symbols, pinned"),
    ],
)
def test_each_fault_of_a_watchlist_is_named(change: dict[str, Any], field: str, came: str, accepted: str) -> None:
    found = faults(watchlists.checked, {**LIST, **change})
    assert list(found) == [field]
    assert found[field][0] == came
    assert accepted in found[field][1]


def test_what_is_missing_is_named_and_every_fault_at_once() -> None:
    found = faults(watchlists.checked, {"pinned": 1, "group": "x"})
    assert set(found) == {"name", "symbols", "pinned", "group"}
    assert found["name"][0] == ""


@pytest.mark.parametrize("given", [None, [], "x", 1, True])
def test_what_is_no_object_is_named_as_the_body(given: object) -> None:
    for check in (watchlists.checked, view, drawings.checked, preferences.checked):
        assert list(faults(check, given)) == ["body"]


def test_names_that_look_alike_are_one() -> None:
    assert watchlists.checked({**LIST, "name": " Cafe\u0301 "})[0] == "Caf\u00e9"


@pytest.mark.parametrize(
    "name",
    [
        "👩‍💻 desk",  # joined with U+200D
        "❤️",  # made an emoji by U+FE0F
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # England's flag, of tags
        "می‌خواهم",  # Persian, with U+200C inside the word
        "אבג",
        "\U0003fffd",  # not assigned, whatever Python's Unicode
        "e\u0323\u0302",
        "-",
    ],
)
def test_a_name_of_any_script_and_of_emoji_is_kept_whole(name: str) -> None:
    assert watchlists.checked({**LIST, "name": name})[0] == unicodedata.normalize("NFC", name)


def test_marks_without_end_are_refused_before_they_are_composed() -> None:
    # Composing 64 KB of them takes two seconds, half a megabyte two minutes, and every thread waits.
    name = "a" + "\u0301" * 131_000 + "\u0316" * 131_000
    began = time.process_time()
    assert list(faults(watchlists.checked, {**LIST, "name": name})) == ["name"]
    assert time.process_time() - began < 1
    composed = watchlists.checked({**LIST, "name": "e\u0323\u0302" * 80})[0]
    assert composed == "\u1ec7" * 80


@pytest.mark.parametrize(
    "name",
    [
        *(f"a{char}b" for char in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"),
        *(f"a{char}b" for char in "\ue000\U00100000\u2028\u2029\x7f\x85\r\n"),
        *("\u200d", "\ufe0f", "\u200b\u200d", "\u00ad", "\u0301", "\u3164", "\u2800", "\u2060 \u2060"),
    ],
    ids=ascii,
)
def test_a_name_that_turns_its_neighbours_or_shows_nothing_is_named(name: str) -> None:
    (came, accepted) = faults(watchlists.checked, {**LIST, "name": name})["name"]
    assert came == name
    assert accepted == "a text of 1 to 80 characters, none of them a control character, one of them to be seen"


def test_a_text_that_may_be_empty_needs_nothing_to_be_seen() -> None:
    assert drawings.checked({"drawings": [{**LINE, "text": "\ufe0f"}]})["drawings"][0]["text"] == "\ufe0f"
    assert list(faults(drawings.checked, {"drawings": [{**LINE, "text": "a\u202eb"}]})) == ["drawings[0].text"]


def test_a_view_has_what_was_given_and_the_usual_for_the_rest() -> None:
    assert view({"name": "Morning", "view": VIEW}) == (
        "Morning",
        {
            "format": 1,
            "symbol": "AAPL",
            "timeframe": "5m",
            "type": "candles",
            "scale": "linear",
            "indicators": [],
            "compare": [],
            "start": None,
            "end": None,
            "settings": {},
        },
    )


@pytest.mark.parametrize(
    ("change", "field", "accepted"),
    [
        ({"symbol": None}, "view.symbol", "a symbol"),
        ({"timeframe": "2m"}, "view.timeframe", "one of 1s, 5s"),
        ({"type": "pie"}, "view.type", "one of candles, line, area"),
        ({"scale": "square"}, "view.scale", "one of linear, log, percent"),
        ({"indicators": [f"sma:{period}" for period in range(5, 16)]}, "view.indicators", "10 indicators at most"),
        ({"indicators": ["sma:20", "SMA"]}, "view.indicators", "each indicator once"),
        ({"indicators": ["sma:20,ema:5"]}, "view.indicators", "one indicator in each text"),
        ({"indicators": ["sma:0"]}, "view.indicators", "sma:period with period a whole number from 1 to 1000"),
        ({"indicators": ["smaa:20"]}, "view.indicators", "like it: sma"),
        ({"indicators": [{"name": "sma"}]}, "view.indicators[0]", "a text of 1 to 120"),
        ({"compare": ["A", "B", "C", "D", "E", "F"]}, "view.compare", "5 symbols at most"),
        ({"start": -1}, "view.start", "whole milliseconds since 1970, in the years 1970 to 9999, or null"),
        ({"start": 10**15}, "view.start", "whole milliseconds"),
        ({"start": True}, "view.start", "whole milliseconds"),
        ({"start": 2, "end": 1}, "view.start", "at or before end (1)"),
        ({"settings": {"A": 1}}, "view.settings.A", "1 to 40 of a-z"),
        ({"settings": {"a": [1]}}, "view.settings.a", "a text, a number, true, false or null"),
        ({"settings": {"a": float("inf")}}, "view.settings.a", "a number"),
        ({"settings": {"a": 1e15}}, "view.settings.a", "a number between"),
        ({"settings": {"a": "x" * 201}}, "view.settings.a", "a text of 0 to 200"),
        ({"settings": {f"s{at}": 1 for at in range(51)}}, "view.settings", "50 settings at most"),
        ({"format": 0}, "view.format", "1"),
        ({"format": "1"}, "view.format", "1"),
        ({"panes": []}, "view.panes", "left out"),
    ],
)
def test_each_fault_of_a_view_is_named(change: dict[str, Any], field: str, accepted: str) -> None:
    found = faults(view, {"name": "x", "view": {**VIEW, **change}})
    assert list(found) == [field]
    assert accepted in found[field][1]


def test_a_view_of_a_newer_version_is_one_sentence_whatever_else_is_in_it() -> None:
    with pytest.raises(Conflict, match=r"^this view is of format 7, which a newer version .* knows format 1 at most"):
        view({"name": "x", "view": {"format": 7, "panes": [{}]}})


def test_indicators_are_kept_with_every_parameter_said() -> None:
    _name, found = view({"name": "x", "view": {**VIEW, "indicators": ["sma", "BBANDS", "macd:12:26"]}})
    assert found["indicators"] == ["sma:20", "bbands:20:2", "macd:12:26:9"]


def test_a_view_is_taken_by_its_token_too() -> None:
    from dashboard.workbench import token

    name, found = view({"name": "x", "view": {**VIEW, "indicators": ["sma:20", "rsi:14"]}})
    assert view({"name": name, "token": token.encode(found)}) == (name, found)
    assert list(faults(view, {"name": "x", "token": "1.AAAA"})) == ["token"]
    assert list(faults(view, {"name": "x"})) == ["view"]
    assert list(faults(view, {"name": "x", "token": 7})) == ["token"]


def test_drawings_of_every_kind_are_kept_as_they_were_given() -> None:
    given = {
        "drawings": [
            {**LINE, "id": kind, "kind": kind, "points": LINE["points"][:count], "style": {}, "text": "a\nnote"}
            for kind, count in drawings.POINTS.items()
        ]
    }
    assert len(given["drawings"]) == 7
    assert drawings.checked(given) == given
    styled = {**LINE, "style": {"color": "#1a2B3c", "width": 2, "dash": "dot"}, "text": ""}
    assert drawings.checked({"drawings": [styled]}) == {"drawings": [styled]}
    assert drawings.checked({"drawings": []}) == {"drawings": []}


@pytest.mark.parametrize(
    ("change", "field", "accepted"),
    [
        ({"kind": "circle"}, "kind", "one of line, ray, horizontal, rectangle, fibonacci, text, measure"),
        ({"points": [[0, 1]]}, "points", "2 times [time in ms, price]"),
        ({"kind": "horizontal"}, "points", "1 [time in ms, price]"),
        ({"points": [[0, 1], [0, 1, 2]]}, "points[1]", "[time in ms, price]"),
        ({"points": [[0.5, 1], [0, 1]]}, "points[0][0]", "whole milliseconds"),
        ({"points": [[0, "1"], [0, 1]]}, "points[0][1]", "a number"),
        ({"points": [[0, 1e15], [0, 1]]}, "points[0][1]", "between -1e15 and 1e15"),
        ({"points": [[0, float("nan")], [0, 1]]}, "points[0][1]", "a number"),
        ({"points": None}, "points", "2 times"),
        ({"id": "a b"}, "id", "1 to 40 of A-Z"),
        ({"style": {"color": "red;}"}}, "style.color", "#rrggbb"),
        ({"style": {"width": 0}}, "style.width", "a whole number from 1 to 8"),
        ({"style": {"dash": "wavy"}}, "style.dash", "one of solid, dash, dot"),
        ({"style": {"glow": 1}}, "style.glow", "left out"),
        ({"text": "x" * 501}, "text", "a text of 0 to 500"),
        ({"kind": "text", "points": [[0, 1]]}, "text", "a text of 1 to 500"),
        ({"more": 1}, "more", "left out"),
    ],
)
def test_each_fault_of_a_drawing_is_named(change: dict[str, Any], field: str, accepted: str) -> None:
    found = faults(drawings.checked, {"drawings": [LINE, {**LINE, "id": "b", **change}]})
    assert list(found) == [f"drawings[1].{field}"]
    assert accepted in found[f"drawings[1].{field}"][1]


def test_a_drawings_id_comes_once_and_there_are_200_at_most() -> None:
    assert faults(drawings.checked, {"drawings": [LINE, LINE]})["drawings"][0] == "a1"
    many = [{**LINE, "id": str(at)} for at in range(201)]
    assert faults(drawings.checked, {"drawings": many})["drawings"][0] == "201 of them"
    assert len(drawings.checked({"drawings": many[:200]})["drawings"]) == 200


def test_preferences_are_as_usual_where_nothing_is_said() -> None:
    usual = {
        "theme": "system",
        "palette": "default",
        "direction": "green-up",
        "time_zone": "local",
        "density": "comfortable",
        "motion": "system",
        "default_view": None,
    }
    assert preferences.checked({}) == preferences.filled({}) == usual
    assert preferences.filled({"theme": "dark"}) == {**usual, "theme": "dark"}


@pytest.mark.parametrize("zone", ["local", "UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])
def test_a_time_zone_is_one_of_iana_or_local(zone: str) -> None:
    assert preferences.checked({"time_zone": zone})["time_zone"] == zone


@pytest.mark.parametrize(
    "zone", ["Europe", "Europe/Berlin ", "../etc/passwd", "/etc/localtime", "Mars/Base", "", 1, {}]
)
def test_another_time_zone_is_named(zone: object) -> None:
    found = faults(preferences.checked, {"time_zone": zone})
    assert "IANA" in found["time_zone"][1]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_keys = st.sampled_from(
    ["name", "symbols", "pinned", "columns", "sort", "group", "view", "token", "drawings", "theme", "time_zone"]
)


@given(st.dictionaries(_keys | st.text(max_size=6), _json, max_size=5))
def test_whatever_json_comes_is_kept_or_refused_in_words(given: dict[str, Any]) -> None:
    for check in (watchlists.checked, view, drawings.checked, preferences.checked):
        with suppress(DashboardError):
            orjson.dumps(check(given))


def test_what_is_nested_deeper_than_can_be_shown_is_named_all_the_same() -> None:
    deep: Any = 1
    for _ in range(600):
        deep = [deep]
    assert faults(watchlists.checked, {**LIST, "name": deep})["name"][0] == "a list"
    assert faults(view, {"name": "x", "view": {**VIEW, "settings": {"a": deep}}})["view.settings.a"][0] == "a list"
