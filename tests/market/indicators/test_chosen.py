"""The form of indicators as text: what is read, what it is called, and a sentence for each way to get it wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.errors import BadParameter
from dashboard.market.indicators import INDICATORS, MOST, Columns, Indicator, Running, columns, compute, parse
from dashboard.market.indicators.registry import LONGEST, Number, Parameter
from tests.market.indicators.series import walk


def refused(text: str) -> BadParameter:
    with pytest.raises(BadParameter) as caught:
        parse(text)
    error = caught.value
    assert error.parameter == "indicators"
    assert str(error) == f"indicators must be {error.accepted}, got {error.received or 'nothing'}"
    return error


def test_the_thirteen_are_there() -> None:
    price = ["sma", "ema", "wma", "vwap", "bbands", "keltner", "donchian"]
    assert list(INDICATORS) == [*price, "rsi", "macd", "stoch", "atr", "obv", "adx"]


@pytest.mark.parametrize("indicator", INDICATORS.values(), ids=INDICATORS)
def test_an_entry_of_the_registry_is_whole(indicator: Indicator) -> None:
    (chosen,) = parse(indicator.name)
    assert chosen.values == tuple(parameter.default for parameter in indicator.parameters)
    assert len(set(chosen.columns)) == len(indicator.outputs)
    assert all(part.minimum <= part.default <= part.maximum for part in indicator.parameters)
    assert set(indicator.inputs) < set(Columns.__slots__)
    assert indicator.title
    assert indicator.pane == ("price" if indicator.name in list(INDICATORS)[:7] else "own")
    assert any(word in indicator.formula for word in ("TA-Lib", "19")), "the formula says where it is from"
    assert "O(" in indicator.formula, "and what an update costs"
    assert len(Running(chosen).close(walk(3, 1))) == len(indicator.outputs)


@pytest.mark.parametrize(
    ("text", "full", "names"),
    [
        ("sma", "sma:20", ["sma_20"]),
        ("SMA:5", "sma:5", ["sma_5"]),
        ("sma:007", "sma:7", ["sma_7"]),
        ("vwap", "vwap", ["vwap"]),
        ("obv", "obv", ["obv"]),
        ("bbands:10", "bbands:10:2", ["bbands_10_2_upper", "bbands_10_2_middle", "bbands_10_2_lower"]),
        ("BBands:20:2.50", "bbands:20:2.5", ["bbands_20_2.5_upper", "bbands_20_2.5_middle", "bbands_20_2.5_lower"]),
        ("macd", "macd:12:26:9", ["macd_12_26_9_line", "macd_12_26_9_signal", "macd_12_26_9_histogram"]),
        ("macd:5", "macd:5:26:9", ["macd_5_26_9_line", "macd_5_26_9_signal", "macd_5_26_9_histogram"]),
        ("keltner", "keltner:20:2:10", ["keltner_20_2_10_upper", "keltner_20_2_10_middle", "keltner_20_2_10_lower"]),
        ("stoch:5", "stoch:5:3:3", ["stoch_5_3_3_k", "stoch_5_3_3_d"]),
        ("adx", "adx:14", ["adx_14_adx", "adx_14_plus_di", "adx_14_minus_di"]),
    ],
)
def test_what_is_left_out_has_its_default_and_every_output_a_name(text: str, full: str, names: list[str]) -> None:
    (chosen,) = parse(text)
    assert chosen.text == full
    assert list(chosen.columns) == names
    assert parse(full) == (chosen,)


def test_several_are_read_in_their_order() -> None:
    chosen = parse("sma:20,ema:50,bbands:20:2,macd:12:26:9")
    assert [each.text for each in chosen] == ["sma:20", "ema:50", "bbands:20:2", "macd:12:26:9"]
    assert columns(chosen)[:3] == ("sma_20", "ema_50", "bbands_20_2_upper")
    assert compute(chosen, walk(40, 1)).shape == (40, len(columns(chosen)))


def test_none_are_no_columns() -> None:
    assert columns(()) == ()
    assert compute((), walk(3, 1)).shape == (3, 0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "indicators must be a comma list of 1 to 10 indicators, such as sma:20,bbands:20:2,macd, got nothing"),
        ("sma:0", "indicators must be sma:period with period a whole number from 1 to 1000, got sma:0"),
        ("rsi:1", "indicators must be rsi:period with period a whole number from 2 to 1000, got rsi:1"),
        (
            "sma:1000000000",
            "indicators must be sma:period with period a whole number from 1 to 1000, got sma:1000000000",
        ),
        ("ema:fast", "indicators must be ema:period with period a whole number from 1 to 1000, got ema:fast"),
        (
            "bbands:20:0",
            "indicators must be bbands:period:deviations with deviations a number from 0.1 to 20, got bbands:20:0",
        ),
        ("sma:20:2", "indicators must be sma:period with one parameter at most, got sma:20:2"),
        ("vwap:1", "indicators must be vwap without parameters, got vwap:1"),
        ("macd:1:2:3:4", "indicators must be macd:fast:slow:signal with 3 parameters at most, got macd:1:2:3:4"),
        ("macd:26:12", "indicators must be macd:fast:slow:signal with fast below slow, got macd:26:12"),
        ("sma,ema,sma:20", "indicators must be a list that has each indicator once, got sma:20 twice"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(text: str, sentence: str) -> None:
    assert str(refused(text)) == sentence


@pytest.mark.parametrize(
    "period", ["-1", "+5", "1.5", "1e3", " 5", "5 ", "", "0x10", "1_000", "٣", "²", "nan", "9" * 300]
)
def test_a_period_is_digits_and_nothing_else(period: str) -> None:
    assert "whole number from 1 to 1000" in refused(f"ema:{period}").accepted


@pytest.mark.parametrize("number", ["-2", "+2", "2.", ".5", "1e1", "inf", "nan", "", "2,5", "2.12345", "20.1", "0.09"])
def test_a_number_is_digits_with_a_point_at_most(number: str) -> None:
    refused(f"bbands:20:{number}")


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("smaa", "sma"),
        ("bollinger", "bbands"),
        ("Stochastic:14", "stoch"),
        ("bband", "bbands"),
        ("relative", "rsi"),
        ("donchain", "donchian"),
    ],
)
def test_an_unknown_one_is_told_with_what_looks_like_it(text: str, near: str) -> None:
    error = refused(f"ema,{text}")
    assert error.received == text.lower()
    assert all(name in error.accepted for name in INDICATORS)
    assert near in error.accepted.split("like it: ")[1]


def test_what_looks_like_nothing_has_no_hint() -> None:
    assert "like it" not in refused("xyzzy").accepted


@pytest.mark.parametrize(
    "text", [",", "sma,", ",sma", "sma,,ema", "sma;ema", "sma ema", "sma, ema", ":", "sma::", "\0"]
)
def test_lists_are_read_strictly(text: str) -> None:
    refused(text)


def test_ten_are_the_most() -> None:
    ten = ",".join(f"sma:{period}" for period in range(1, MOST + 1))
    assert len(parse(ten)) == MOST
    assert "1 to 10 indicators" in refused(f"{ten},ema").accepted


def test_ten_with_every_parameter_are_not_too_long() -> None:
    long = ",".join(f"keltner:{1000 - at}:19.1234:1000" for at in range(MOST))
    assert len(parse(long)) == MOST


def test_a_text_of_any_length_is_refused_shortly() -> None:
    for text in ("sma," * 1_000_000, "x" * 1_000_000, "sma:" + "9" * 1_000_000, ":" * 1_000_000):
        assert len(str(refused(text))) < 300


def value(parameter: Parameter) -> st.SearchStrategy[Number]:
    if parameter.kind == "whole":
        return st.integers(int(parameter.minimum), int(parameter.maximum))
    return st.integers(1000, 200_000).map(lambda number: number / 10_000)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_is_written_is_read_back(data: st.DataObject) -> None:
    indicator = INDICATORS[data.draw(st.sampled_from(list(INDICATORS)))]
    values = [data.draw(value(parameter)) for parameter in indicator.parameters]
    if indicator.rising:
        values[1] = data.draw(st.integers(2, LONGEST))
        values[0] = data.draw(st.integers(1, int(values[1]) - 1))
    text = ":".join([indicator.name, *map(str, values)])
    (chosen,) = parse(text)
    assert list(chosen.values) == values
    assert parse(chosen.text) == (chosen,)
