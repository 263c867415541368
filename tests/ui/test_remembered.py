"""What the page takes from what its user keeps before it is drawn: looks in its first line, the default view."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from dashboard.errors import StorageError
from dashboard.workbench.keyed import Keyed
from dashboard.workbench.named import Named
from tests.house import House, open_house
from tests.ui.test_chart_callback import stores

VIEW = {"symbol": "MSFT", "timeframe": "5m", "type": "line", "scale": "log", "settings": {"sort": "last:desc"}}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("remembered")
    with open_house(folder, {"ada": "administrator", "ben": "viewer"}, SYMBOLS="AAPL,MSFT") as opened:
        opened.tick(("AAPL", 200.0), ("MSFT", 400.0))
        yield opened


@pytest.fixture
def ada(house: House) -> FlaskClient:
    with house.runtime.database.session() as session:
        for table in ("views", "preferences"):
            session.execute(text(f"DELETE FROM {table}"))
    return house.enter("ada")


def paint(client: FlaskClient, query: str = "") -> dict[str, Any]:
    layout = client.get("/_dash-layout", headers={"Referer": f"http://localhost/{query}"})
    (found,) = stores(orjson.loads(layout.data))
    assert isinstance(found, dict)
    return found


def first_line(client: FlaskClient) -> str:
    found = re.search(r"<html [^>]*>", client.get("/").text)
    assert found
    return found[0]


def prefer(client: FlaskClient, **wanted: object) -> None:
    answer = client.put("/api/v1/preferences", json=wanted, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text


def keep(client: FlaskClient, name: str = "Morning") -> int:
    answer = client.post("/api/v1/views", json={"name": name, "view": VIEW})
    assert answer.status_code == 201, answer.text
    return int(answer.json["id"])


def test_looks_are_in_the_first_line_of_the_users_page_and_of_nobody_elses(house: House, ada: FlaskClient) -> None:
    assert first_line(ada) == '<html lang="en">'
    prefer(ada, theme="dark", palette="colour-blind", direction="red-up", density="compact", motion="reduced")
    assert first_line(ada) == (
        '<html lang="en" data-theme="dark" data-palette="colour-blind" data-direction="red-up" data-density="compact" '
        'data-motion="reduced">'
    )
    assert first_line(house.enter("ada")) == first_line(ada)
    assert first_line(house.enter("ben")) == '<html lang="en">'
    assert paint(ada)["preferences"] == {
        "version": 1,
        "theme": "dark",
        "palette": "colour-blind",
        "direction": "red-up",
        "time_zone": "local",
        "density": "compact",
        "motion": "reduced",
        "default_view": None,
    }


def test_the_default_view_is_what_a_page_without_a_query_opens_with(ada: FlaskClient) -> None:
    assert paint(ada)["opened"] is None
    number = keep(ada)
    prefer(ada, default_view=number)
    found = paint(ada)
    assert found["view"] == {"symbol": "MSFT", "timeframe": "5m", "type": "line", "scale": "log", "indicators": ""}
    assert (found["figure"]["symbol"], found["figure"]["timeframe"], found["figure"]["type"]) == ("MSFT", "5m", "line")
    assert found["opened"]["view"]["settings"] == {"sort": "last:desc"}
    assert (found["opened"]["id"], found["opened"]["name"], found["opened"]["version"]) == (number, "Morning", 1)
    asked = paint(ada, "?symbol=AAPL")
    assert asked["opened"] is None
    assert asked["view"] == {
        "symbol": "AAPL",
        "timeframe": "1m",
        "type": "candles",
        "scale": "linear",
        "indicators": "",
    }


def test_a_default_view_that_was_deleted_or_is_another_users_is_passed_over(house: House, ada: FlaskClient) -> None:
    number = keep(ada)
    ben = house.enter("ben")
    prefer(ben, default_view=number)
    assert paint(ben)["opened"] is None
    prefer(ada, default_view=number)
    assert ada.delete(f"/api/v1/views/{number}", headers={"If-Match": "*"}).status_code == 204
    found = paint(ada)
    assert found["opened"] is None
    assert found["view"]["symbol"] == "AAPL"


def test_a_default_view_of_a_newer_version_is_told_and_the_usual_one_shown(house: House, ada: FlaskClient) -> None:
    number = keep(ada)
    prefer(ada, default_view=number)
    with house.runtime.database.session() as session:
        session.execute(text("UPDATE views SET format = 2"))
    found = paint(ada)
    assert "newer version of this program" in found["opened"]["error"]
    assert "view" not in found["opened"]
    assert found["view"] == {
        "symbol": "AAPL",
        "timeframe": "1m",
        "type": "candles",
        "scale": "linear",
        "indicators": "",
    }


def test_a_database_that_fails_costs_the_settings_not_the_page(
    ada: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefer(ada, theme="dark", default_view=keep(ada))

    def fail(*_arguments: object, **_named: object) -> None:
        raise StorageError("the database does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(Keyed, "get", fail)
        assert first_line(ada) == '<html lang="en">'
        found = paint(ada)["preferences"]
        assert found["version"] is None
        assert found["error"] == "the database does not answer"
        assert found["theme"] == "system"
    monkeypatch.setattr(Named, "get", fail)
    assert paint(ada)["opened"] == {"error": "the database does not answer"}
    assert paint(ada)["view"]["symbol"] == "AAPL"
