"""Instruments and catalogues: the fifteen of the contract, generated ones, lists, files and what a symbol may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.errors import ConfigurationError, UnknownSymbol
from dashboard.market.instruments import ASSET_CLASSES, LARGEST, SESSIONS, catalogue, check_symbol, known

FIRST = ["AAPL", "MSFT", "GOOGL", "AMZN", "META", "TSLA", "NVDA", "NFLX", "JPM", "V"]
DEFAULTS = [*FIRST, "BTC-USD", "ETH-USD", "XRP-USD", "GOLD", "OIL"]
#: UTC ms of Monday 2024-07-01 00:00, when New York is four hours behind.
MONDAY = 1_719_792_000_000
HOUR, DAY = 3_600_000, 86_400_000


def test_the_contracts_fifteen_instruments_come_first_and_are_described() -> None:
    first = known()[:15]
    assert [each.symbol for each in first] == DEFAULTS
    assert {each.asset_class for each in first} == {"stock", "crypto", "commodity"}
    assert all(each.name != each.symbol and each.price > 0 and each.volatility > 0 for each in first)


@pytest.mark.parametrize("count", [1, 15, 16, 100, 2_000])
def test_a_numbered_catalogue_has_that_many_unique_symbols_that_keep_the_rule(count: int) -> None:
    made = catalogue(f"catalogue:{count}")
    assert len(made) == len(set(made.symbols)) == count
    assert [check_symbol(symbol) for symbol in made.symbols] == list(made.symbols)
    assert list(made.symbols[:15]) == DEFAULTS[:count]
    assert {each.asset_class for each in made} <= set(ASSET_CLASSES)
    assert all(each.price > 0 and each.volume > 0 for each in made)


def test_a_larger_numbered_catalogue_begins_with_the_smaller_one() -> None:
    assert catalogue("catalogue:300").symbols == catalogue("catalogue:500").symbols[:300]


@pytest.mark.parametrize("number", ["", "0", "-1", "1.5", "x", str(LARGEST + 1), "9" * 30])
def test_a_numbered_catalogue_with_a_bad_number_is_refused_with_what_is_accepted(number: str) -> None:
    with pytest.raises(ConfigurationError, match=f"1 to {LARGEST}"):
        catalogue(f"catalogue:{number}")


@pytest.mark.parametrize("symbol", ["A", "BRK.B", "BTC-USD", "^GSPC", "EURUSD=X", "A_1", "A" * 24])
def test_a_symbol_of_the_allowed_characters_is_one(symbol: str) -> None:
    assert check_symbol(symbol) == symbol
    assert catalogue(symbol).symbols == (symbol,)


@pytest.mark.parametrize("symbol", ["", "aapl", "A" * 25, "A B", "A/B", "<b>", "Ä", "A\n", "A,B"])
def test_what_is_no_symbol_is_refused_with_the_rule(symbol: str) -> None:
    with pytest.raises(ValueError, match="1 to 24 of A-Z 0-9"):
        check_symbol(symbol)


def test_a_list_keeps_its_order_knows_the_known_and_takes_commas_and_spaces() -> None:
    made = catalogue(" MSFT,  AAPL\nMADE.UP ")
    assert made.symbols == ("MSFT", "AAPL", "MADE.UP")
    assert made[0].name == "Microsoft"
    assert made[2].sector == "Unlisted"


@pytest.mark.parametrize(
    ("spec", "told"), [("", "names no instrument"), ("AAPL,AAPL", "AAPL twice"), ("AAPL,x y", "got 'x'")]
)
def test_a_bad_list_is_refused_in_one_sentence_that_names_the_setting(spec: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as caught:
        catalogue(spec)
    assert "DASHBOARD_SYMBOLS" in str(caught.value)


# -- files -----------------------------------------------------------------------------------------------------------


def test_a_file_may_name_one_symbol_a_line_with_comments(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("# my own\nAAPL\n\nMADE.UP  # invented\n")
    assert catalogue(str(path)).symbols == ("AAPL", "MADE.UP")


def test_a_file_with_a_header_describes_its_instruments(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("symbol,name,class,decimals,price,currency\nNEW,New coin,crypto,4,1.25,EUR\nAAPL,,,,,\n")
    new, apple = catalogue(str(path))
    assert (new.name, new.asset_class, new.decimals, new.price, new.currency) == ("New coin", "crypto", 4, 1.25, "EUR")
    assert new.session == SESSIONS["crypto"]
    assert apple == known()[0]


@pytest.mark.parametrize(
    "text",
    [
        "name, symbol ,price\nNew coin, NEW ,2.5\n",
        "\ufeffSymbol,Name,Price\nNEW,New coin,2.5\n",
        '"symbol", "name", "price"\n"NEW", "New coin", "2.5"\n',
        "symbol,name,price,,\nNEW,New coin,2.5,,,more,and more\n",
    ],
    ids=["spaces", "BOM", "quotes", "long rows"],
)
def test_a_header_is_read_however_a_spreadsheet_has_written_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text, "utf-8")
    (new,) = catalogue(str(path))
    assert (new.symbol, new.name, new.price) == ("NEW", "New coin", 2.5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name,symbol\nShort\n", "symbol"),
        ("symbol,price,Price\nAAPL,1,2\n", "two columns 'price'"),
        ("symbol, symbol\nAAPL,MSFT\n", "two columns 'symbol'"),
        ("", "names no instrument"),
        ("symbol,price\n", "names no instrument"),
        ("AAPL\nAAPL\n", "AAPL twice"),
        ("symbol,class\nAAPL,bond\n", "class is one of"),
        ("symbol,decimals\nAAPL,13\n", "decimals are 0 to 12"),
        ("symbol,decimals\nAAPL,two\n", "two"),
        ("symbol,price\nAAPL,nan\n", "price and volatility positive"),
        ("symbol,price\nAAPL,-1\n", "price and volatility positive"),
        ("symbol,volatility\nAAPL,inf\n", "price and volatility positive"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence_that_names_setting_and_file(
    tmp_path: Path, text: str, told: str
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=told) as caught:
        catalogue(str(path))
    assert "DASHBOARD_SYMBOLS (mine.csv)" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00AAPL"])
def test_a_file_that_is_missing_or_no_text_is_refused_in_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "mine.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="can't be read"):
        catalogue(str(path))


# -- looking up, sessions --------------------------------------------------------------------------------------------


def test_an_unknown_symbol_is_told_with_those_that_look_like_it() -> None:
    instruments = known()
    assert instruments.index("AAPL") == instruments.require("AAPL") == 0
    assert instruments.index("NONE") is None
    with pytest.raises(UnknownSymbol) as caught:
        instruments.require("aapl")
    assert caught.value.near[0] == "AAPL"


@pytest.mark.parametrize(
    ("kind", "at_ms", "is_open"),
    [
        ("stock", MONDAY + 13.5 * HOUR, True),
        ("stock", MONDAY + 13.5 * HOUR - 1, False),
        ("stock", MONDAY + 20 * HOUR, False),
        ("stock", MONDAY + 20 * HOUR - 1, True),
        ("stock", MONDAY - DAY + 15 * HOUR, False),
        ("currency", MONDAY, True),
        ("currency", MONDAY - 1, False),
        ("crypto", MONDAY - 1, True),
    ],
)
def test_a_session_is_open_from_its_first_moment_to_just_before_its_last(
    kind: str, at_ms: float, is_open: bool
) -> None:
    assert SESSIONS[kind].is_open(at_ms) is is_open


def test_a_session_follows_its_zones_summer_time() -> None:
    january = 1_704_067_200_000  # Monday 2024-01-01, when New York is five hours behind
    assert not SESSIONS["stock"].is_open(january + 13.5 * HOUR)
    assert SESSIONS["stock"].is_open(january + 14.5 * HOUR)
