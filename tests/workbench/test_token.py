"""Tokens: a view comes back whole, and what is damaged, oversized, a bomb or of a newer version is one sentence."""

from __future__ import annotations

import re
import zlib
from base64 import urlsafe_b64encode
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.errors import BadParameter, BadParameters, Conflict, DashboardError, TooLarge
from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.workbench import token, views

TYPES = ("candles", "line", "area")
PLAIN = {"symbol": "AAPL", "timeframe": "1m"}
_symbols = st.from_regex(r"[A-Z0-9.\-_^=]{1,24}", fullmatch=True)
_ms = st.none() | st.integers(0, 253_402_300_799_999)
_words = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=60)

_indicators = st.builds("{}:{}".format, st.sampled_from(["sma", "ema", "rsi"]), st.integers(2, 1000))


@st.composite
def given_views(draw: st.DrawFn) -> dict[str, Any]:
    """Whatever a user may give as a view."""
    view = {
        "symbol": draw(_symbols),
        "timeframe": draw(st.sampled_from(list(TIMEFRAME_INDEX))),
        "type": draw(st.sampled_from(TYPES)),
        "scale": draw(st.sampled_from(list(views.SCALES))),
        "indicators": draw(st.lists(_indicators, max_size=8, unique=True)),
        "compare": draw(st.lists(_symbols, max_size=5, unique=True)),
        "settings": draw(
            st.dictionaries(
                st.from_regex(r"[a-z][a-z0-9_.-]{0,20}", fullmatch=True),
                st.none() | st.booleans() | st.integers(-(10**14), 10**14) | st.floats(-1e14, 1e14) | _words,
                max_size=6,
            )
        ),
    }
    start, end = draw(_ms), draw(_ms)
    if start is not None and end is not None:
        start, end = min(start, end), max(start, end)
    return {**view, "start": start, "end": end}


@given(given_views())
def test_a_view_comes_back_whole_from_its_token(given: dict[str, Any]) -> None:
    view = views.read("view", given, TYPES)
    made = token.encode(view)
    assert re.fullmatch(r"1\.[A-Za-z0-9_-]+", made)
    assert len(made) <= token.LONGEST
    assert views.restored("token", made, TYPES) == view
    assert token.encode(views.restored("token", made, TYPES)) == made


@settings(deadline=None)
@given(given_views(), st.data())
def test_no_character_of_a_token_can_be_changed_lost_or_added_unnoticed(given: dict[str, Any], data: Any) -> None:
    made = token.encode(views.read("view", given, TYPES))
    at = data.draw(st.integers(0, len(made) - 1))
    put = data.draw(st.text("AZaz09_-.~ é", max_size=2))
    changed = made[:at] + put + made[at + 1 :]
    if changed != made:
        with pytest.raises((BadParameter, Conflict)) as caught:
            token.decode("token", changed)
        assert "\n" not in str(caught.value)


def test_the_bits_of_the_last_character_that_say_nothing_are_not_taken() -> None:
    for extra in range(3):
        made = token.encode({**PLAIN, "indicators": ["x" * extra]})
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        for last in letters:
            if last != made[-1]:
                with pytest.raises(BadParameter):
                    token.decode("token", made[:-1] + last)


@given(st.text(max_size=80) | st.from_regex(r"1\.[A-Za-z0-9_-]{0,80}", fullmatch=True))
def test_whatever_else_comes_is_one_short_sentence(came: str) -> None:
    with pytest.raises(DashboardError) as caught:
        token.decode("token", came)
    assert len(str(caught.value)) < 400


def wrapped(deflated: bytes, version: int = 1) -> str:
    """A token with the right checksum around anything."""
    text = urlsafe_b64encode(zlib.crc32(deflated).to_bytes(4) + deflated).decode().rstrip("=")
    return f"{version}.{text}"


def test_a_bomb_is_not_inflated() -> None:
    deflating = zlib.compressobj(9)
    bomb = b"".join(deflating.compress(b" " * 100_000) for _ in range(20)) + deflating.flush()
    made = wrapped(bomb)
    assert len(made) <= token.LONGEST
    with pytest.raises(BadParameter, match="whole and unchanged"):
        token.decode("token", made)


def test_inflating_stops_at_the_limit_to_the_byte() -> None:
    def of(length: int) -> str:
        return wrapped(zlib.compress(orjson.dumps(PLAIN).ljust(length), 9))

    assert token.decode("token", of(token.INFLATED)) == PLAIN
    with pytest.raises(BadParameter):
        token.decode("token", of(token.INFLATED + 1))


@pytest.mark.parametrize(
    "inside",
    [
        b"",
        b"no zlib",
        zlib.compress(b""),
        zlib.compress(b"[1]"),
        zlib.compress(b'"text"'),
        zlib.compress(b"{"),
        zlib.compress(b'{"a":NaN}'),
        zlib.compress(b"\xff"),
        zlib.compress(b"{}")[:-1],
        zlib.compress(b"{}") + b"more",
        zlib.compress(b"[" * 30_000),
    ],
)
def test_what_is_no_deflated_object_is_refused_though_its_checksum_is_right(inside: bytes) -> None:
    with pytest.raises(BadParameter):
        token.decode("token", wrapped(inside))


def test_a_token_of_a_newer_version_or_with_a_newer_view_says_so() -> None:
    with pytest.raises(Conflict, match="version 2, which a newer version of this program has made"):
        token.decode("token", wrapped(zlib.compress(b"{}"), version=2))
    newer = wrapped(zlib.compress(orjson.dumps({**PLAIN, "format": 2, "panes": []})))
    with pytest.raises(Conflict, match="format 2, which a newer version of this program has made"):
        views.restored("token", newer, TYPES)


def test_a_token_that_is_too_long_is_told_by_its_length() -> None:
    with pytest.raises(BadParameter, match=r"got 3501 characters$"):
        token.decode("token", "1." + "A" * (token.LONGEST - 1))


def test_a_view_whose_token_would_be_too_long_is_refused() -> None:
    # Random letters do not deflate.
    import random

    chance = random.Random(4)
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    settings = {f"s{at}": "".join(chance.choices(letters, k=200)) for at in range(40)}
    with pytest.raises(TooLarge, match=r"its token would take [0-9]+ characters, 3500 are the most"):
        views.checked({"name": "all", "view": {**PLAIN, "settings": settings}}, TYPES)


@st.composite
def large_views(draw: st.DrawFn) -> dict[str, Any]:
    """Views with many settings of long texts that deflate well, in characters of one to four bytes."""
    letter = draw(st.sampled_from(["😀", "é", "a"]))
    length, count = draw(st.sampled_from([200, 170, 1])), draw(st.integers(40, views.SETTINGS))
    return {**PLAIN, "settings": {f"s{at}": letter * length for at in range(count)}}


@settings(deadline=None)
@given(given_views() | large_views())
def test_whatever_may_be_kept_comes_back_from_its_token_and_the_rest_is_refused_at_once(given: dict[str, Any]) -> None:
    try:
        _name, view = views.checked({"name": "x", "view": given}, TYPES)
    except TooLarge:
        return
    assert views.restored("token", token.encode(view), TYPES) == view


def test_a_view_that_deflates_well_is_refused_by_the_bytes_that_its_token_would_have_to_hold() -> None:
    fits = {**PLAIN, "settings": {f"s{at}": "😀" * 200 for at in range(40)}}
    room = token.INFLATED - len(orjson.dumps(fits))
    fits["settings"]["last"] = "x" * (room - len(',"last":""'))
    assert token.decode("token", token.encode(fits)) == fits
    fits["settings"]["last"] += "x"
    with pytest.raises(TooLarge, match=r"its JSON takes 32769 bytes, 32768 are the most"):
        token.encode(fits)


def test_a_token_brings_only_what_a_view_may_hold() -> None:
    with pytest.raises(BadParameters, match=r"view\.symbol must be a symbol"):
        views.restored("token", wrapped(zlib.compress(b'{"symbol":"<b>","timeframe":"1m"}')), TYPES)
    with pytest.raises(BadParameters, match=r"view\.type must be one of candles, line, area, got hollow"):
        views.restored("token", token.encode({**PLAIN, "type": "hollow"}), TYPES)
