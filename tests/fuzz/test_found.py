"""Inputs that the fuzz tests have found, each as it was found: what was a traceback, a wrong count or a torn bar."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from dashboard.accounts.sessions import COOKIE
from dashboard.config import load_settings
from dashboard.database.engine import Database
from dashboard.errors import ConfigurationError, StartRefused
from dashboard.feeds.tables import Table
from dashboard.market.instruments import catalogue
from tests.feeds.making import line_of, played
from tests.house import House, cookie_of, open_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("found")
    with open_house(folder, {"ada": "administrator"}) as opened:
        yield opened


# -- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["FEED", "SYMBOLS", "DATABASE_URL", "ADMIN_PASSWORD_FILE", "HOST", "REPLAY_COLUMNS"])
def test_a_nul_in_a_setting_names_the_setting(name: str) -> None:
    value = {"FEED": "replay:a\0b", "DATABASE_URL": "sqlite:///a\0b"}.get(name, "a\0/b")
    with pytest.raises(ConfigurationError, match=f"^DASHBOARD_{name} must be"):
        load_settings({f"DASHBOARD_{name}": value}, env_file=None)


@pytest.mark.parametrize(
    "options", ["timeout=x", "cached_statements=x", "check_same_thread=x", "timeout=1&detect_types=y"]
)
def test_an_option_behind_a_database_url_that_can_not_be_read_is_one_sentence(tmp_path: Path, options: str) -> None:
    with pytest.raises(StartRefused, match=r"^DASHBOARD_DATABASE_URL can't be used: "):
        Database(f"sqlite:///{tmp_path}/some.db?{options}")
    assert not (tmp_path / "some.db").exists()


def test_a_catalogue_file_that_is_no_csv_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "symbols.csv"
    file.write_text('symbol,class\n"AAPL' + "x" * 200_000, "utf-8")
    with pytest.raises(ConfigurationError, match="can't be read: field larger"):
        catalogue(str(file))


# -- replay ----------------------------------------------------------------------------------------------------------


def test_a_superscript_is_no_number_of_a_column(tmp_path: Path) -> None:
    file = tmp_path / "trades.csv"
    file.write_text("time,last\n1610064000000,5\n", "utf-8")
    with pytest.raises(StartRefused, match="has no column '²'"):
        Table(file, {"price": "²"})


def test_a_cell_means_the_same_whatever_stands_beside_it(tmp_path: Path) -> None:
    rows = ["1610064000000,1_000", "1610064001000,5", "1610064002000,infinity"]
    counts = []
    for extra in ([], ["1610064003000,x"]):
        file = tmp_path / "trades.csv"
        file.write_text("\n".join(["time,price", *rows, *extra, ""]), "utf-8")
        (block,) = Table(file, {}).blocks()
        counts.append((block.bad, block.values["price"].tolist()))
    assert counts == [((2,), [5.0, float("inf")]), ((2, 5), [5.0, float("inf")])]


def test_an_id_that_can_not_be_read_takes_no_digit_from_the_others(tmp_path: Path) -> None:
    file = tmp_path / "trades.csv"
    first = 2**53
    ids = [first, "x", first + 1, first + 2, "1e999"]
    lines = [f"{1610064000000 + at},{each},5" for at, each in enumerate(ids)]
    file.write_text("\n".join(["time,trade_id,price", *lines]), "utf-8")
    line = line_of(file)
    line.replay.run(line.intake, threading.Event())
    assert (line.store.seq, line.quarantined("duplicate"), line.quarantined("unreadable")) == (3, 0, 2)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1000,12,9,11,5", "crossed"),
        ("10,12,9,13,5", "crossed"),
        ("10,9,12,11,5", "crossed"),
        ("nan,12,9,11,5", "nan"),
        ("10,inf,9,11,5", "nan"),
        ("10,12,-1,11,5", "price"),
        ("10,12,9,11,-5", "price"),
    ],
)
def test_a_bar_that_breaks_its_own_range_is_quarantined(tmp_path: Path, row: str, reason: str) -> None:
    file = tmp_path / "bars.csv"
    good = [f"2022-01-01 00:0{minute}:00,10,12,9,11,5" for minute in (0, 1, 3)]
    lines = ["timestamp,open,high,low,close,volume", *good[:2], f"2022-01-01 00:02:00,{row}", good[2]]
    file.write_text("\n".join(lines), "utf-8")
    line = line_of(file)
    line.replay.run(line.intake, threading.Event())
    assert (line.store.seq, line.quarantined(reason)) == (3, 1)


def test_a_parquet_file_whose_time_is_pandas_index_is_read(tmp_path: Path) -> None:
    file = tmp_path / "trades.parquet"
    stamps = pd.date_range("2021-01-08", periods=3, freq="1s", tz="UTC", name="timestamp")
    pd.DataFrame({"price": [1.0, 2.0, 3.0]}, index=stamps).to_parquet(file)
    assert played(file).column("price") == [1.0, 2.0, 3.0]


def test_a_parquet_file_damaged_behind_its_head_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "trades.parquet"
    frame = pd.DataFrame({"timestamp": range(1000), "price": [at / 7 for at in range(1000)]})
    frame.to_parquet(file, compression="gzip")
    whole = bytearray(file.read_bytes())
    whole[100:400] = bytes(300)
    file.write_bytes(whole)
    with pytest.raises(StartRefused, match="can't be read: ") as caught:
        Table(file, {})
    assert "\n" not in str(caught.value)


# -- requests --------------------------------------------------------------------------------------------------------


def test_a_referer_that_is_no_address_is_no_fault_of_ours(house: House) -> None:
    assert house.enter("ada").get("/_dash-layout", headers={"Referer": "http://["}).status_code == 200


def test_a_session_has_one_cookie(house: House) -> None:
    cookie = cookie_of(house.enter("ada"))
    changed = cookie[:-20] + "ÿ".encode().decode("latin-1") + cookie[-20:]
    app = house.server.test_client(use_cookies=False)
    for value, status in ((cookie, 200), (changed, 401)):
        headers = {"HTTP_COOKIE": f"{COOKIE}={value}"}
        assert app.get("/api/v1/tickers", environ_overrides=headers).status_code == status


@pytest.mark.parametrize(
    "changes",
    [
        {"output": "nope.data"},
        {"output": "started.data"},
        {"outputs": []},
        {"inputs": []},
        {"inputs": [{"id": "figure-request"}]},
        {"inputs": [{"id": ["x"], "property": "data", "value": 1}]},
        {"state": 3},
        {"changedPropIds": [{}]},
    ],
    ids=str,
)
def test_a_body_that_is_no_call_of_a_callback_is_a_400(house: House, changes: dict[str, object]) -> None:
    body = {
        "output": "figure.data",
        "outputs": {"id": "figure", "property": "data"},
        "inputs": [{"id": "figure-request", "property": "data", "value": {"symbol": "AAPL"}}],
        "changedPropIds": ["figure-request.data"],
    }
    client = house.enter("ada")
    answer = client.post("/_dash-update-component", data=json.dumps(body | changes), content_type="application/json")
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
