"""Settings: what is accepted, and the one clear message for what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.config import PREFIX, Settings, load_settings
from dashboard.errors import ConfigurationError

DEFAULTS = {
    "HOST": "127.0.0.1",
    "PORT": 8050,
    "FEED": "simulator",
    "TICK_MS": 1000,
    "REPLAY_SPEED": 1.0,
    "REPLAY_LOOP": False,
    "REPLAY_TIMES": "shifted",
    "OPENING_HOURS": False,
    "BAR_GRACE_MS": 500,
    "LATE_MS": 60_000,
    "AHEAD_MS": 5000,
    "STORE_MB": 512,
    "STREAM_FRAME_MS": 20,
    "STREAM_CONNECTIONS": 5000,
    "STREAM_CONNECTIONS_PER_USER": 20,
    "STREAM_SYMBOLS": 1000,
    "STREAM_MESSAGES_PER_S": 20,
    "STREAM_BUFFER_KB": 256,
    "BUS": "memory",
    "DATABASE_URL": "sqlite:///var/dashboard.db",
    "TRUSTED_PROXIES": 0,
    "ROLES": ("feed", "web", "alerts", "recorder"),
    "LOG_FORMAT": "console",
}


def read(**environment: str) -> Settings:
    return load_settings({PREFIX + name: value for name, value in environment.items()}, env_file=None)


def refused(**environment: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(**environment)
    message = str(caught.value)
    assert len(message.splitlines()) <= 5
    return message


@pytest.mark.parametrize(("name", "value"), DEFAULTS.items())
def test_a_setting_that_is_not_given_has_the_contracts_default(name: str, value: object) -> None:
    assert getattr(read(), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("PORT", "0", "1 to 65535"),
        ("PORT", "eighty", "1 to 65535"),
        ("PORT", "", "1 to 65535"),
        ("TICK_MS", "9", "10 to 60000"),
        ("TICK_MS", "60001", "10 to 60000"),
        ("FEED", "nasdaq", "simulator"),
        ("FEED", "replay:", "replay:FILE"),
        ("SEED", "-1", "whole number"),
        ("SEED", "1.5", "whole number"),
        ("REPLAY_SPEED", "0", "max"),
        ("REPLAY_SPEED", "-2", "max"),
        ("REPLAY_SPEED", "nan", "max"),
        ("REPLAY_SPEED", "inf", "max"),
        ("REPLAY_TIMES", "now", "shifted or original"),
        ("REPLAY_SYMBOL", "btc/usd", "A-Z 0-9"),
        ("STALE_AFTER_S", "nan", "1 to 86400"),
        ("STORE_MB", "1", "16"),
        ("STREAM_MESSAGES_PER_S", "0", "0.1"),
        ("BUS", "amqp://h", "redis://"),
        ("DATABASE_URL", "dashboard.db", "sqlite:///"),
        ("SECRET_KEY", "short", "16 characters"),
        ("SECRET_KEY", " " * 16, "16 characters"),
        ("METRICS_TOKEN", "short" + " " * 16, "16 characters"),
        ("ADMIN_PASSWORD_FILE", "/nowhere/at/all", "readable file"),
        ("TRUSTED_PROXIES", "true", "0 to 16"),
        ("ALLOWED_HOSTS", "http://x", "host names"),
        ("ALLOWED_HOSTS", "", "host names"),
        ("ROLES", "web,kitchen", "feed"),
        ("LOG_FORMAT", "xml", "console or json"),
        ("HOST", "not a host", "host name"),
        ("OPENING_HOURS", "maybe", "true or false"),
    ],
)
def test_a_bad_value_is_refused_with_the_setting_and_what_it_accepts(name: str, value: str, accepted: str) -> None:
    message = refused(**{name: value})
    assert PREFIX + name in message
    assert accepted in message


def test_many_faults_are_told_together_in_at_most_five_lines() -> None:
    message = refused(PORT="x", TICK_MS="x", STORE_MB="x", LATE_MS="x", AHEAD_MS="x", SEED="x")
    assert message.splitlines()[-1] == "and 2 more"


def test_an_unknown_name_is_refused_and_a_near_one_offered() -> None:
    assert "DASHBOARD_TICK_MS" in refused(TICKMS="5")


def test_a_lower_case_name_is_not_taken_silently() -> None:
    with pytest.raises(ConfigurationError, match="DASHBOARD_PORT"):
        load_settings({"DASHBOARD_port": "1"}, env_file=None)


def test_names_that_kubernetes_injects_are_passed_over() -> None:
    settings = read(
        SERVICE_HOST="10.0.0.1",
        SERVICE_PORT="8050",
        SERVICE_PORT_HTTP="8050",
        PORT="tcp://10.0.0.1:8050",
        PORT_8050_TCP="tcp://10.0.0.1:8050",
        PORT_8050_TCP_PROTO="tcp",
    )
    assert settings.port == 8050


def test_secrets_are_never_repeated_in_a_message() -> None:
    assert "hunter2" not in refused(SECRET_KEY="hunter2")
    assert "hunter2" not in refused(DATABASE_URL="nosuch://user:hunter2@host/db")


def test_one_process_without_a_bus_plays_every_role() -> None:
    assert "BUS" in refused(ROLES="web")


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("DASHBOARD_PORT=9001\nDASHBOARD_TICK_MS=250\nOTHER=1\n")
    settings = load_settings({"DASHBOARD_PORT": "9002"}, env_file=file)
    assert (settings.port, settings.tick_ms) == (9002, 250)


def test_a_fault_in_the_file_is_refused_too(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("DASHBOARD_PROT=9001\n")
    with pytest.raises(ConfigurationError, match="DASHBOARD_PORT"):
        load_settings({}, env_file=file)


@pytest.mark.parametrize(
    "text",
    [
        "DASHBOARD_TICK_MS=250\nDASHBOARD_SECRET_KEY hunter2\n",
        "# mine\nDASHBOARD_REPLAY_COLUMNS\n",
        "OTHER=1\nDASHBOARD_SECRET_KEY='hunter2",
    ],
)
def test_a_line_of_the_file_without_a_value_is_refused_by_its_number_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / ".env"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"^line 2 of .*\.env is no NAME=value$"):
        load_settings({}, env_file=file)


def test_a_value_in_the_file_is_taken_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("\ufeff\nexport DASHBOARD_SECRET_KEY='pa$$${HOME}-0123456789'  # mine\n\nUNSET\n", "utf-8")
    assert load_settings({}, env_file=file).secret_key == "pa$$${HOME}-0123456789"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("::", False)],
)
def test_loopback_is_told_from_other_addresses(host: str, loopback: bool) -> None:
    assert read(HOST=host).on_loopback is loopback


@pytest.mark.parametrize(("tick_ms", "seconds"), [("1000", 10.0), ("60000", 180.0)])
def test_readiness_waits_the_larger_of_ten_seconds_and_three_steps(tick_ms: str, seconds: float) -> None:
    assert read(TICK_MS=tick_ms).silence_fails_after_s == seconds
