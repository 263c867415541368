"""States as plain data: what JSON takes, complete, and those behind the bars that they are said to be behind."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dashboard.market.indicators import INDICATORS, Columns, parse, warm
from tests.market.indicators.series import SERIES, walk

EVERY = tuple(INDICATORS)


def refuse(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


@pytest.mark.parametrize("name", SERIES)
def test_states_are_json_whatever_the_bars_were(name: str) -> None:
    states = warm(parse("sma,ema,wma,vwap,bbands,keltner,donchian,rsi,macd,stoch"), SERIES[name])
    text = json.dumps(states, allow_nan=False)
    assert json.loads(text, parse_constant=refuse) == states
    assert len(states) == 10


@pytest.mark.parametrize("name", EVERY)
def test_a_state_knows_the_bars_before_and_nothing_else(name: str) -> None:
    bars, chosen = walk(300, 8), parse(name)
    (begun,) = warm(chosen, bars[:0])
    assert warm(chosen, bars[:100]) == warm(chosen, bars[:100])
    assert warm(chosen, bars[:100]) != warm(chosen, bars[:101])
    assert set(warm(chosen, bars[:100])[0]) == set(begun)


def test_windows_keep_one_bar_less_than_they_are_long() -> None:
    bars = walk(50, 9)
    (state,) = warm(parse("sma:20"), bars)
    assert state == {"block": {"period": 20, "tail": bars.close[-19:].tolist()}}
    (short,) = warm(parse("sma:20"), bars[:5])
    assert short["block"]["tail"] == bars.close[:5].tolist()


def test_what_has_no_value_yet_is_none() -> None:
    (state,) = warm(parse("ema:20"), walk(5, 1))
    assert state["block"]["value"] is None
    assert len(state["block"]["seed"]) == 5
    (state,) = warm(parse("rsi"), Columns.of(np.zeros((0, 8))))
    assert state["previous"] == {"last": None}
