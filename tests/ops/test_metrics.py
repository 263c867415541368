"""Metrics: the names of the contract with what they count, and who may read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from tests.house import PASSWORD, House, open_house

TOKEN = "a-token-of-many-signs"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A product with an administrator and a token, so that nothing but the token opens."""
    folder: Path = tmp_path_factory.mktemp("metrics")
    with open_house(folder, {"ada": "administrator"}, METRICS_TOKEN=TOKEN) as opened:
        yield opened


def samples(client: FlaskClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample of `/metrics` by name and labels."""
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/plain"
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


COUNTED = [
    ("dashboard_ticks_total", {"feed"}),
    ("dashboard_ticks_quarantined_total", {"reason"}),
    ("dashboard_stream_connections", set()),
    ("dashboard_stream_messages_total", {"channel"}),
    ("dashboard_stream_bytes_total", set()),
    ("dashboard_stream_conflated_total", set()),
    ("dashboard_stream_resumes_total", {"outcome"}),
    ("dashboard_batch_seconds_bucket", {"le"}),
    ("dashboard_batch_seconds_count", set()),
    ("dashboard_stream_delay_seconds_bucket", {"le"}),
    ("process_resident_memory_bytes", set()),
    ("dashboard_writer_queue", set()),
    ("dashboard_alerts_fired_total", set()),
]


@pytest.mark.parametrize(("name", "labels"), COUNTED)
def test_the_names_and_labels_of_the_contract_are_there(house: House, name: str, labels: set[str]) -> None:
    house.tick(("AAPL", 200.0))
    found = [set(dict(with_labels)) for known, with_labels in samples(house.stranger()) if known == name]
    assert found
    assert all(each == labels for each in found)


def test_callbacks_have_a_histogram(house: House) -> None:
    answer = house.stranger().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert "# TYPE dashboard_callback_seconds histogram" in answer.text


def test_accepted_and_quarantined_ticks_are_counted_with_their_reason(house: House) -> None:
    def total(name: str, **labels: str) -> float:
        return samples(house.stranger()).get((name, frozenset(labels.items())), 0.0)

    accepted = total("dashboard_ticks_total", feed="simulator")
    before = {reason: total("dashboard_ticks_quarantined_total", reason=reason) for reason in ("late", "price", "nan")}
    house.tick(("AAPL", 200.0), ("MSFT", 400.0))
    house.tick(("AAPL", -1.0), ("AAPL", float("nan")), ("AAPL", 200.0, 1.0, 3_600_000.0), ("NOPE", 1.0))
    assert total("dashboard_ticks_total", feed="simulator") == accepted + 2
    for reason, was in before.items():
        assert total("dashboard_ticks_quarantined_total", reason=reason) == was + 1, reason
    assert total("dashboard_ticks_quarantined_total", reason="unknown") >= 1


def test_logins_are_counted_by_their_outcome(house: House) -> None:
    def total(outcome: str) -> float:
        return samples(house.stranger()).get(("dashboard_logins_total", frozenset({("outcome", outcome)})), 0.0)

    accepted, refused = total("accepted"), total("refused")
    house.enter("ada")
    house.stranger().post("/login", data={"username": "ada", "password": "wrong"})
    assert (total("accepted"), total("refused")) == (accepted + 1, refused + 1)


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER  {TOKEN} "])
def test_the_token_opens(house: House, header: str) -> None:
    assert house.stranger().get("/metrics", headers={"Authorization": header}).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer é",
        f"Bearer {TOKEN} {TOKEN}",
        "Bearer None",
        "Bearer " + "x" * 5_000,
    ],
)
def test_anything_else_is_a_401_that_names_the_setting(house: House, header: str) -> None:
    answer = house.stranger().get("/metrics", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "DASHBOARD_METRICS_TOKEN" in answer.text
    assert TOKEN not in answer.text


def test_a_login_is_no_token(house: House) -> None:
    assert house.enter("ada", PASSWORD).get("/metrics").status_code == 401
    assert house.stranger().get(f"/metrics?token={TOKEN}").status_code == 401


def test_without_a_token_nothing_opens_but_the_demonstrations_conditions(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        assert house.stranger().get("/metrics").status_code == 200
        assert house.stranger().get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 401
        elsewhere = {"REMOTE_ADDR": "10.0.0.9"}
        assert house.stranger().get("/metrics", environ_overrides=elsewhere).status_code == 401
        house.users().add("ada", PASSWORD, "administrator")
        house.notice()
        for header in ("", "Bearer ", "Bearer None"):
            assert house.stranger().get("/metrics", headers={"Authorization": header}).status_code == 401
