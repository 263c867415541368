"""What a user keeps, through HTTP: versions as ETags, every refusal as a problem, and nobody reaches another's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from dashboard.api import documents
from dashboard.workbench import drawings
from tests.house import House, open_house

LIST: dict[str, Any] = {"name": "Tech", "symbols": ["MSFT", "GONE", "AAPL"], "pinned": ["AAPL"]}
VIEW: dict[str, Any] = {"symbol": "AAPL", "timeframe": "5m", "compare": ["GONE"], "indicators": ["sma:20"]}
DRAWING: dict[str, Any] = {"id": "a", "kind": "horizontal", "points": [[1_795_428_000_000, 190.5]]}
PEOPLE = {"ada": "administrator", "ben": "viewer"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("kept"), PEOPLE, SYMBOLS="AAPL,MSFT") as opened:
        yield opened


@pytest.fixture(autouse=True)
def nothing_kept(house: House) -> Iterator[None]:
    yield
    with house.runtime.database.session() as session:
        for table in ("watchlists", "views", "drawings", "preferences"):
            session.execute(text(f"DELETE FROM {table}"))


@pytest.fixture(scope="module")
def ada(house: House) -> FlaskClient:
    return house.enter("ada")


@pytest.fixture(scope="module")
def ben(house: House) -> FlaskClient:
    return house.enter("ben")


def of(answer: TestResponse, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == ("application/json" if status < 400 else "application/problem+json")
    body = answer.json
    if status >= 400:
        assert body["status"] == status
        assert body["detail"]
        assert "\n" not in body["detail"]
        assert body["request_id"] == answer.headers["X-Request-ID"]
    return body


def made(client: FlaskClient, path: str, body: object) -> Any:
    return of(client.post(f"/api/v1/{path}", json=body), 201)


def test_a_watchlist_is_made_read_changed_and_deleted(house: House, ada: FlaskClient) -> None:
    answer = ada.post("/api/v1/watchlists", json=LIST)
    body = of(answer, 201)
    now = int(house.clock.now_ms())
    assert body == {
        "id": body["id"],
        "name": "Tech",
        "version": 1,
        "created": now,
        "changed": now,
        "symbols": ["MSFT", "GONE", "AAPL"],
        "pinned": ["AAPL"],
        "columns": ["symbol", "price", "change_percent", "trend"],
        "sort": None,
        "group": "none",
        "unknown": ["GONE"],
    }
    where = f"/api/v1/watchlists/{body['id']}"
    assert answer.headers["Location"] == where
    assert answer.headers["ETag"] == '"1"'
    read = ada.get(where)
    assert of(read) == body
    assert read.headers["ETag"] == '"1"'
    assert of(ada.get("/api/v1/watchlists")) == {"data": [body]}
    changed = ada.put(where, json={**body, "name": "Technology", "group": "sector"}, headers={"If-Match": '"1"'})
    assert of(changed) == {**body, "name": "Technology", "group": "sector", "version": 2}
    assert changed.headers["ETag"] == '"2"'
    gone = ada.delete(where, headers={"If-Match": '"2"'})
    assert (gone.status_code, gone.data) == (204, b"")
    assert "there is no watchlist" in of(ada.get(where), 404)["detail"]
    assert of(ada.get("/api/v1/watchlists")) == {"data": []}


def test_a_view_is_kept_with_the_token_that_brings_it_back(ada: FlaskClient) -> None:
    body = made(ada, "views", {"name": "Morning", "view": VIEW})
    assert body["view"] == {
        "format": 1,
        "symbol": "AAPL",
        "timeframe": "5m",
        "type": "candles",
        "scale": "linear",
        "indicators": ["sma:20"],
        "compare": ["GONE"],
        "start": None,
        "end": None,
        "settings": {},
    }
    assert body["unknown"] == ["GONE"]
    restored = of(ada.get(f"/api/v1/views/token/{body['token']}"))
    assert restored == {"view": body["view"], "token": body["token"], "unknown": ["GONE"]}
    assert of(ada.post("/api/v1/views/token", json=VIEW)) == restored
    again = made(ada, "views", {"name": "Again", "token": body["token"]})
    assert again["view"] == body["view"]
    where = f"/api/v1/views/{body['id']}"
    changed = of(ada.put(where, json={**body, "name": "Evening"}, headers={"If-Match": '"1"'}))
    assert (changed["name"], changed["version"], changed["view"]) == ("Evening", 2, body["view"])


def test_drawings_are_one_document_an_instrument(ada: FlaskClient) -> None:
    where = "/api/v1/drawings/AAPL"
    empty = ada.get(where)
    assert of(empty) == {
        "symbol": "AAPL",
        "version": 0,
        "created": None,
        "changed": None,
        "drawings": [],
        "unknown": False,
    }
    assert empty.headers["ETag"] == '"0"'
    first = ada.put(where, json={"drawings": [DRAWING]}, headers={"If-Match": '"0"'})
    kept = of(first, 201)
    assert first.headers["Location"] == where
    assert kept["drawings"] == [{**DRAWING, "style": {}, "text": ""}]
    assert of(ada.get("/api/v1/drawings"))["data"] == [{"symbol": "AAPL", "version": 1, "count": 1, "unknown": False}]
    second = ada.put(where, json=kept, headers={"If-Match": first.headers["ETag"]})
    assert of(second)["version"] == 2
    assert of(ada.put(where, json=kept, headers={"If-Match": '"1"'}), 412)["version"] == 2
    assert ada.delete(where, headers={"If-Match": '"2"'}).status_code == 204
    assert of(ada.get(where))["version"] == 3
    assert of(ada.get("/api/v1/drawings")) == {"data": []}
    # A tab that still thinks of the first beginning is told.
    assert of(ada.put(where, json=kept, headers={"If-Match": '"0"'}), 412)["version"] == 3


def test_as_many_drawings_as_may_be_with_all_that_each_may_hold_fit_into_one_body(ada: FlaskClient) -> None:
    fullest = [
        {
            "id": f"{at:x<40}",
            "kind": "fibonacci",
            "points": [
                [253_402_300_799_999, -1.2345678901234567e-300],
                [253_402_300_799_999, -1.2345678901234567e-300],
            ],
            "style": {"color": "a" * 30, "width": 8, "dash": "solid"},
            "text": "😀" * drawings.TEXT,
        }
        for at in range(drawings.DRAWINGS)
    ]
    body = orjson.dumps({"drawings": fullest})
    assert documents.BYTES < len(body) <= documents.DRAWINGS_BYTES
    headers = {"If-Match": '"0"', "Content-Type": "application/json"}
    where = "/api/v1/drawings/AAPL"
    assert of(ada.put(where, data=body, headers=headers), 201)["drawings"] == fullest
    assert of(ada.get(where))["drawings"] == fullest
    # To the byte: spaces around the JSON say nothing.
    full = body.ljust(documents.DRAWINGS_BYTES)
    assert of(ada.put(where, data=full, headers={**headers, "If-Match": "*"}))["version"] == 2
    problem = of(ada.put(where, data=full + b" ", headers={**headers, "If-Match": "*"}), 413)
    assert "524288 bytes" in problem["detail"]


def test_drawings_are_on_instruments_of_this_market(ada: FlaskClient) -> None:
    for answer in (
        ada.get("/api/v1/drawings/APPL"),
        ada.put("/api/v1/drawings/APPL", json={"drawings": []}, headers={"If-Match": '"0"'}),
    ):
        assert of(answer, 404)["near"] == ["AAPL"]
    of(ada.get("/api/v1/drawings/<b>"), 404)
    of(ada.delete("/api/v1/drawings/a%00b", headers={"If-Match": "*"}), 404)


def test_preferences_are_as_usual_until_they_are_changed(ada: FlaskClient) -> None:
    where = "/api/v1/preferences"
    usual = of(ada.get(where))
    assert usual == {
        "version": 0,
        "created": None,
        "changed": None,
        "theme": "system",
        "palette": "default",
        "direction": "green-up",
        "time_zone": "local",
        "density": "comfortable",
        "motion": "system",
        "default_view": None,
    }
    wanted = {"theme": "dark", "palette": "colour-blind", "direction": "red-up", "time_zone": "Asia/Tokyo"}
    changed = ada.put(where, json=wanted, headers={"If-Match": '"0"'})
    assert of(changed).items() >= {**wanted, "density": "comfortable", "version": 1}.items()
    assert changed.headers["ETag"] == '"1"'
    problem = of(ada.put(where, json={"time_zone": "Mars/Base"}, headers={"If-Match": '"1"'}), 422)
    assert problem["errors"] == [
        {
            "parameter": "time_zone",
            "received": "Mars/Base",
            "accepted": "local, or a name of the IANA time zone database such as Europe/Berlin",
        }
    ]
    assert ada.delete(where, headers={"If-Match": '"1"'}).status_code == 204
    assert of(ada.get(where)).items() >= {"theme": "system", "version": 2}.items()


def addresses(client: FlaskClient) -> list[tuple[str, object]]:
    """Every document that can be changed, with a body that it takes."""
    listed, viewed = made(client, "watchlists", LIST), made(client, "views", {"name": "x", "view": VIEW})
    of(client.put("/api/v1/drawings/AAPL", json={"drawings": [DRAWING]}, headers={"If-Match": '"0"'}), 201)
    of(client.put("/api/v1/preferences", json={"theme": "dark"}, headers={"If-Match": '"0"'}))
    return [
        (f"/api/v1/watchlists/{listed['id']}", LIST),
        (f"/api/v1/views/{viewed['id']}", {"name": "x", "view": VIEW}),
        ("/api/v1/drawings/AAPL", {"drawings": []}),
        ("/api/v1/preferences", {}),
    ]


def test_a_change_without_if_match_is_a_428_and_with_an_old_one_a_412(ada: FlaskClient) -> None:
    for where, body in addresses(ada):
        before = of(ada.get(where))
        for headers in ({}, {"If-Match": ""}):
            for answer in (ada.put(where, json=body, headers=headers), ada.delete(where, headers=headers)):
                assert "If-Match" in of(answer, 428)["detail"]
        for tag in ('"7"', '"0"', 'W/"7"', '"x"', "x", '"', '"1:BR"', '"' + "9" * 40 + '"'):
            for answer in (
                ada.put(where, json=body, headers={"If-Match": tag}),
                ada.delete(where, headers={"If-Match": tag}),
            ):
                problem = of(answer, 412)
                assert problem["version"] == 1
                assert "version 1" in problem["detail"]
                assert answer.headers["ETag"] == '"1"'
        assert of(ada.get(where)) == before


@pytest.mark.parametrize("tag", ['"1"', "*", '"8", "1"', 'W/"1"', '"1:br"', "1"])
def test_a_tag_is_taken_as_it_came_through_whatever_compresses(ada: FlaskClient, tag: str) -> None:
    for where, body in addresses(ada):
        assert of(ada.put(where, json=body, headers={"If-Match": tag}))["version"] == 2


def test_a_long_document_can_be_changed_by_the_tag_of_its_compressed_answer(ada: FlaskClient) -> None:
    body = made(ada, "watchlists", {"name": "long", "symbols": [f"S{at}" for at in range(900)]})
    where = f"/api/v1/watchlists/{body['id']}"
    answer = ada.get(where, headers={"Accept-Encoding": "br"})
    assert answer.headers["Content-Encoding"] == "br"
    assert answer.headers["ETag"] != '"1"', "what is to be shown is that this is no hindrance"
    of(ada.put(where, json={**LIST, "name": "long"}, headers={"If-Match": answer.headers["ETag"]}))


def test_nobody_reads_changes_deletes_or_exports_anothers(house: House, ada: FlaskClient, ben: FlaskClient) -> None:
    rows = addresses(ada)
    before = [of(ada.get(where)) for where, _body in rows]
    for where, body in rows[:2]:
        for headers in ({"If-Match": '"1"'}, {"If-Match": "*"}):
            of(ben.get(where), 404)
            of(ben.put(where, json=body, headers=headers), 404)
            of(ben.delete(where, headers=headers), 404)
    number = rows[0][0].rsplit("/", 1)[1]
    of(ben.get(f"/api/v1/export/watchlist.csv?list={number}"), 404)
    assert of(ben.get("/api/v1/watchlists")) == of(ben.get("/api/v1/views")) == {"data": []}
    assert of(ben.get("/api/v1/drawings/AAPL"))["version"] == of(ben.get("/api/v1/preferences"))["version"] == 0
    # Ben's own are his: the same addresses, another document.
    for where, body in rows[2:]:
        assert of(ben.put(where, json=body, headers={"If-Match": '"0"'}), 201 if "drawings" in where else 200)
        assert ben.delete(where, headers={"If-Match": "*"}).status_code == 204
    assert [of(ada.get(where)) for where, _body in rows] == before
    stranger = house.stranger()
    for where, body in rows:
        for answer in (stranger.get(where), stranger.put(where, json=body, headers={"If-Match": "*"})):
            of(answer, 401)


def test_a_name_that_is_taken_and_one_too_many_are_409(ada: FlaskClient) -> None:
    made(ada, "watchlists", LIST)
    assert of(ada.post("/api/v1/watchlists", json=LIST), 409)["detail"] == (
        "there is a watchlist 'Tech' already; choose another name"
    )
    other = made(ada, "watchlists", {**LIST, "name": "Other"})
    where = f"/api/v1/watchlists/{other['id']}"
    of(ada.put(where, json=LIST, headers={"If-Match": '"1"'}), 409)
    for number in range(48):
        made(ada, "watchlists", {"name": str(number), "symbols": []})
    assert "50 watchlists already" in of(ada.post("/api/v1/watchlists", json={**LIST, "name": "51"}), 409)["detail"]


@pytest.mark.parametrize("path", ["watchlists", "views", "views/token"])
def test_what_is_no_json_is_told_apart(ada: FlaskClient, path: str) -> None:
    where = f"/api/v1/{path}"
    assert "application/json" in of(ada.post(where, data="x"), 415)["detail"]
    assert "'text/plain'" in of(ada.post(where, data="{}", content_type="text/plain"), 415)["detail"]
    for data in ("", "{", "{'a':1}", '{"a":NaN}', '{"a":"\\ud800"}', b"\xff", "[" * 5000):
        assert "JSON" in of(ada.post(where, data=data, content_type="application/json"), 400)["detail"]
    large = b'{"name":"' + b"x" * 65_536 + b'"}'
    assert "65536 bytes" in of(ada.post(where, data=large, content_type="application/json"), 413)["detail"]
    deep = b'{"name":' + b"[" * 500 + b"]" * 500 + b"}"
    of(ada.post(where, data=deep, content_type="application/json"), 422)
    of(ada.post(where, json=["x"]), 422)


def test_a_body_whose_length_nobody_says_is_limited_too(ada: FlaskClient) -> None:
    import io

    answer = ada.post(
        "/api/v1/watchlists",
        input_stream=io.BytesIO(b'{"name":"' + b"x" * 100_000 + b'"}'),
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
        content_type="application/json",
    )
    of(answer, 413)


def test_each_fault_is_named_with_what_came_and_what_is_accepted(ada: FlaskClient) -> None:
    problem = of(ada.post("/api/v1/watchlists", json={"name": "", "symbols": ["aapl"], "x": 1}), 422)
    assert {error["parameter"]: error["received"] for error in problem["errors"]} == {
        "name": "",
        "symbols[0]": "aapl",
        "x": "1",
    }
    problem = of(ada.post("/api/v1/views", json={"name": "x", "view": {**VIEW, "type": "pie"}}), 422)
    (error,) = problem["errors"]
    assert (error["parameter"], error["received"]) == ("view.type", "pie")
    assert "candles" in error["accepted"]
    assert len(of(ada.post("/api/v1/watchlists", json={"a" * 60_000: "b" * 5_000}), 422)["detail"]) < 1_000


@pytest.mark.parametrize(
    "path",
    ["watchlists/0", "watchlists/x", "watchlists/-1", "views/9999999999999999999999", "views/1.5", "views/%31%00"],
)
def test_a_number_that_can_be_none_is_a_404(ada: FlaskClient, path: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        of(ada.open(f"/api/v1/{path}", method=method, json=LIST, headers={"If-Match": "*"}), 404)
    of(ada.get(f"/api/v1/watchlists/{'9' * 5000}"), 404)
    of(ada.get("/api/v1/watchlists/1/2"), 404)


@pytest.mark.parametrize(
    ("path", "methods"),
    [("watchlists", "PUT"), ("views/1", "PATCH"), ("drawings/AAPL", "POST"), ("preferences", "POST")],
)
def test_another_method_is_a_405(ada: FlaskClient, path: str, methods: str) -> None:
    answer = ada.open(f"/api/v1/{path}", method=methods, json={})
    of(answer, 405)
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["watchlists", "views", "drawings", "drawings/AAPL", "preferences"])
def test_an_unknown_parameter_is_named(ada: FlaskClient, path: str) -> None:
    (error,) = of(ada.get(f"/api/v1/{path}?limit=5"), 422)["errors"]
    assert error["parameter"] == "limit"


def test_a_change_from_another_site_is_refused(ada: FlaskClient) -> None:
    for where, body in addresses(ada):
        headers = {"If-Match": '"1"', "Sec-Fetch-Site": "cross-site"}
        of(ada.put(where, json=body, headers=headers), 403)
        of(ada.delete(where, headers=headers), 403)
    of(ada.post("/api/v1/watchlists", json=LIST, headers={"Origin": "http://evil.example"}), 403)


@pytest.mark.parametrize(
    ("token", "status", "words"),
    [
        ("1.AAAA", 422, "whole and unchanged"),
        ("x", 422, "a token of a view"),
        ("2.AAAA", 409, "newer version"),
        ("1." + "A" * 3_499, 422, "3501 characters"),
    ],
)
def test_a_token_that_is_none_is_one_sentence(ada: FlaskClient, token: str, status: int, words: str) -> None:
    problem = of(ada.get(f"/api/v1/views/token/{token}"), status)
    assert words in problem["detail"]


def test_what_a_newer_version_has_kept_is_listed_refused_and_not_destroyed(house: House, ada: FlaskClient) -> None:
    old, new = made(ada, "views", {"name": "old", "view": VIEW}), made(ada, "views", {"name": "new", "view": VIEW})
    with house.runtime.database.session() as session:
        session.execute(text("UPDATE views SET format = 2, body = '{}' WHERE id = :id"), {"id": new["id"]})
    where = f"/api/v1/views/{new['id']}"
    sentence = of(ada.get(where), 409)["detail"]
    assert "view 'new' is of format 2, which a newer version of this program has made" in sentence
    shown, refused = of(ada.get("/api/v1/views"))["data"]
    assert shown == {name: value for name, value in old.items() if name != "token"}
    assert (refused["id"], refused["name"], refused["refused"]) == (new["id"], "new", sentence)
    assert of(ada.put(where, json=old, headers={"If-Match": "*"}), 409)["detail"] == sentence
    with house.runtime.database.reading() as session:
        assert session.execute(text("SELECT body, version FROM views WHERE name = 'new'")).one() == ("{}", 1)
    newer = {"name": "x", "view": {**VIEW, "format": 2, "panes": []}}
    assert "newer version" in of(ada.post("/api/v1/views", json=newer), 409)["detail"]


def test_of_two_tabs_that_save_at_once_the_second_is_told(house: House) -> None:
    tabs = [house.enter("ada") for _ in range(4)]
    where = f"/api/v1/watchlists/{made(tabs[0], 'watchlists', LIST)['id']}"
    barrier = threading.Barrier(len(tabs))

    def save(number: int, turn: int) -> TestResponse:
        barrier.wait()
        body = {**LIST, "name": f"{turn} by {number}"}
        return tabs[number].put(where, json=body, headers={"If-Match": f'"{turn}"'})

    for turn in range(1, 6):
        with ThreadPoolExecutor(len(tabs)) as pool:
            answers = list(pool.map(save, range(len(tabs)), [turn] * len(tabs)))
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
        for answer in answers:
            assert answer.headers["ETag"] == f'"{turn + 1}"'
        (first,) = [answer.json for answer in answers if answer.status_code == 200]
        assert of(tabs[0].get(where)) == first


def test_what_is_kept_is_there_after_a_restart_in_another_market(tmp_path: Path) -> None:
    with open_house(tmp_path, PEOPLE, SYMBOLS="AAPL,MSFT") as first:
        ada = first.enter("ada")
        listed = made(ada, "watchlists", {"name": "x", "symbols": ["MSFT", "AAPL"]})
        drawn = of(ada.put("/api/v1/drawings/MSFT", json={"drawings": [DRAWING]}, headers={"If-Match": '"0"'}), 201)
    with open_house(tmp_path, PEOPLE, SYMBOLS="AAPL,BTC-USD") as second:
        ada = second.enter("ada")
        where = f"/api/v1/watchlists/{listed['id']}"
        assert of(ada.get(where)) == {**listed, "unknown": ["MSFT"]}
        saved = of(ada.put(where, json={**listed, "name": "y"}, headers={"If-Match": '"1"'}))
        assert (saved["symbols"], saved["unknown"]) == (["MSFT", "AAPL"], ["MSFT"])
        assert of(ada.get("/api/v1/drawings/MSFT")) == {**drawn, "unknown": True}
        assert of(ada.get("/api/v1/drawings"))["data"][0]["unknown"]
        assert ada.delete("/api/v1/drawings/MSFT", headers={"If-Match": '"1"'}).status_code == 204
