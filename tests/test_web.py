"""The whole application in one process, without a server: what is closed, what every answer carries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.config import load_settings
from dashboard.runtime import Runtime
from dashboard.web import create_server

#: What anybody may ask for; every other route has to refuse a stranger.
OPEN = {"/login", "/logout", "/health/live", "/health/ready", "/metrics", "/_favicon.ico"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder: Path = tmp_path_factory.mktemp("web")
    settings = load_settings(
        {"DASHBOARD_DATABASE_URL": f"sqlite:///{folder}/test.db", "DASHBOARD_SEED": "1", "DASHBOARD_STORE_MB": "64"},
        env_file=None,
    )
    runtime = Runtime(settings)
    yield create_server(runtime)
    runtime.stop()


@pytest.fixture
def stranger(server: Flask) -> FlaskClient:
    return server.test_client()


@pytest.fixture
def analyst(server: Flask) -> FlaskClient:
    client = server.test_client()
    answer = client.post("/login", data={"username": "root", "password": "123456"})
    assert answer.status_code == 302
    return client


def filled(rule: str) -> str:
    """A path that a rule matches."""
    return re.sub(r"<[^>]*>", "AAPL", rule)


def test_no_route_but_the_named_ones_answers_a_stranger(server: Flask, stranger: FlaskClient) -> None:
    walked = 0
    for rule in server.url_map.iter_rules():
        path = filled(rule.rule)
        if path in OPEN or rule.websocket:
            continue
        for method in sorted((rule.methods or {"GET"}) - {"HEAD", "OPTIONS"}):
            answer = stranger.open(path, method=method, json={} if method != "GET" else None)
            if path.startswith(("/assets/", "/static/")) and answer.status_code == 200:
                raise AssertionError(f"{path} is open")
            assert answer.status_code in (302, 401, 403), (method, path, answer.status_code)
            if answer.status_code == 302:
                assert answer.headers["Location"].startswith("/login?next="), path
            walked += 1
    assert walked > 10


@pytest.mark.parametrize("path", ["/api/v1/tickers", "/api/v1/nothing", "/api/v1/export/AAPL.csv"])
def test_the_api_refuses_a_stranger_with_a_problem(stranger: FlaskClient, path: str) -> None:
    answer = stranger.get(path)
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None and answer.json["status"] == 401


@pytest.mark.parametrize(
    "path",
    ["/api/docs", "/api/v1/openapi.json", "/graphql", "/api/v1/alerts", "/api/v1/watchlists/1", "/nothing", "/a/b"],
)
def test_what_is_not_there_is_a_404_after_login(analyst: FlaskClient, path: str) -> None:
    assert analyst.get(path).status_code == 404


def test_every_answer_carries_a_request_id_and_the_safety_headers(analyst: FlaskClient) -> None:
    for path in ("/", "/login", "/api/v1/tickers", "/nothing", "/health/live"):
        answer = analyst.get(path, headers={"X-Request-ID": "abc.DEF-1_2"})
        assert answer.headers["X-Request-ID"] == "abc.DEF-1_2", path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("given", ["a b", "x" * 129, "é", "a\tb", ""])
def test_a_request_id_of_other_characters_is_replaced(analyst: FlaskClient, given: str) -> None:
    answer = analyst.get("/api/v1/tickers", headers={"X-Request-ID": given.encode("latin-1").decode("latin-1")})
    assert answer.headers["X-Request-ID"] != given
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", answer.headers["X-Request-ID"])


def test_scripts_run_only_from_here_or_by_hash(analyst: FlaskClient) -> None:
    analyst.get("/")
    policy = analyst.get("/").headers["Content-Security-Policy"]
    scripts = next(part for part in policy.split(";") if part.strip().startswith("script-src"))
    assert "unsafe" not in scripts
    assert "sha256-" in scripts
    assert analyst.get("/").headers["Cache-Control"] == "no-store"


def test_a_server_that_does_not_expose_its_socket_is_said_with_501(analyst: FlaskClient) -> None:
    answer = analyst.get("/ws/market")
    assert answer.status_code == 501
    assert answer.mimetype == "application/problem+json"
    assert "socket" in answer.json["detail"]


def test_a_body_over_the_limit_is_refused(analyst: FlaskClient) -> None:
    assert analyst.post("/_dash-update-component", data=b"x" * 2_000_000).status_code in (413, 415)


def test_a_callback_must_be_posted_as_json(analyst: FlaskClient) -> None:
    answer = analyst.post("/_dash-update-component", data="{}", content_type="text/plain")
    assert answer.status_code == 415
