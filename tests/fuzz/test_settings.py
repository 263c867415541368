"""Random and mutated settings: each bad value is one message of a few lines for a person, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard import accounts
from dashboard import config as under_test
from dashboard.clock import SystemClock
from dashboard.config import PREFIX, Settings, load_settings
from dashboard.database.engine import Database
from dashboard.errors import ConfigurationError, DashboardError
from dashboard.feeds.registry import make_feed
from tests.conftest import Scale
from tests.fuzz import measure
from tests.fuzz.mutation import Mutator

#: A good value of each setting, to begin with.
GOOD: dict[str, str] = {
    "HOST": "127.0.0.1",
    "PORT": "8050",
    "FEED": "replay:trades.csv",
    "SYMBOLS": "AAPL,BTC-USD",
    "TICK_MS": "1000",
    "SEED": "7",
    "REPLAY_SYMBOL": "BTC-USD",
    "REPLAY_SPEED": "2.5",
    "REPLAY_LOOP": "true",
    "REPLAY_TIMES": "original",
    "REPLAY_COLUMNS": "price=last,size=qty",
    "OPENING_HOURS": "false",
    "STALE_AFTER_S": "10",
    "BAR_GRACE_MS": "500",
    "LATE_MS": "60000",
    "AHEAD_MS": "5000",
    "STORE_MB": "16",
    "STREAM_FRAME_MS": "20",
    "STREAM_CONNECTIONS": "5000",
    "STREAM_CONNECTIONS_PER_USER": "20",
    "STREAM_SYMBOLS": "1000",
    "STREAM_MESSAGES_PER_S": "20",
    "STREAM_BUFFER_KB": "256",
    "BUS": "memory",
    "DATABASE_URL": "sqlite:///some.db",
    "SECRET_KEY": "0123456789abcdef",
    "ADMIN_PASSWORD_FILE": "password.txt",
    "TRUSTED_PROXIES": "0",
    "ALLOWED_HOSTS": "localhost,[::1]:8050",
    "METRICS_TOKEN": "0123456789abcdef",
    "ROLES": "feed,web,alerts,recorder",
    "LOG_FORMAT": "json",
}
#: Values of which each reader has a rule of its own.
TELLING: dict[str, tuple[str, ...]] = {
    "HOST": ("0.0.0.0", "::1", "[::1]", "[fe80::1%eth0]", "localhost.", "example.org"),
    "FEED": ("replay:", "replay:nothing.csv", "replay:.", "replay:a\0b", "coinbase", "bus", "simulator"),
    "SYMBOLS": (
        "catalogue:7",
        "catalogue:²",
        "catalogue:9999999",
        "symbols.csv",
        "bad.csv",
        "a\0/b",
        "a/b",
        "AAPL,AAPL",
    ),
    "REPLAY_SPEED": ("max", "0", "1e7", "nan"),
    "REPLAY_COLUMNS": ("price=²", "price=2,time=1", "price=2,time=²", "price", "=", "time=time,price=last"),
    "BUS": ("redis://u:p@h/0", "nats://", "kafka://h", "amqp://h"),
    "ROLES": ("web,alerts", "web,web", "web"),
    "ADMIN_PASSWORD_FILE": ("trades.csv", "latin.txt", "empty.txt", "nothing.txt", ".", "a\0b"),
    "DATABASE_URL": (
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///some.db?plugin=x",
        "sqlite:///some.db?timeout=x",
        "sqlite:///some.db?mode=ro&uri=true",
        "sqlite:///some.db?x=1",
        "sqlite:///some.db?isolation_level=x",
        "sqlite:///some.db?cached_statements=x",
        "sqlite:///a\0b",
        "sqlite+x:///some.db",
        "sqlite+pysqlcipher:///some.db",
        "sqlite+aiosqlite:///some.db",
        "postgresql://h:x/n",
        "postgresql://[/n",
        "mysql://u@h/n",
        "sqlite:///trades.csv",
        "sqlite:///.",
        "sqlite:///trades.csv/some.db",
    ),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to be in, with the files that good values name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "password.txt").write_text("a password that is long\n", "utf-8")
    (tmp_path / "trades.csv").write_text("time,last,qty\n2026-01-05T00:00:00Z,10.5,1\n", "utf-8")
    (tmp_path / "latin.txt").write_bytes(b"\xff" * 20)
    (tmp_path / "empty.txt").touch()
    (tmp_path / "bad.csv").write_text('symbol,class\n"AAPL' + "x" * 200_000, "utf-8")
    (tmp_path / "symbols.csv").write_text("symbol,class\nAAPL,stock\n", "utf-8")
    return tmp_path


def environment(mutator: Mutator) -> dict[str, str]:
    """Some settings, of which one to three are changed or of a name that is none."""
    chance = mutator.random
    given = {name: value for name, value in GOOD.items() if chance.random() < 0.2}
    for name in chance.sample(list(GOOD), chance.randint(1, 3)):
        telling = chance.random() < 0.5 and name in TELLING
        given[name] = chance.choice(TELLING[name]) if telling else mutator.text(GOOD[name])
    if chance.random() < 0.1:
        given[mutator.text(chance.choice(list(GOOD)))] = "1"
    return {PREFIX + name: value for name, value in given.items()}


def for_a_person(error: DashboardError, begins: str = "") -> None:
    """Fails unless the message is short, plain, and says something."""
    lines = str(error).splitlines()
    assert 1 <= len(lines) <= 5, lines
    assert lines[0].startswith(begins), lines
    assert all(line.strip() and len(line) <= 600 for line in lines), lines
    assert "Traceback" not in str(error)


@pytest.mark.fuzz
def test_a_bad_setting_is_one_message_of_at_most_five_lines(scale: Scale) -> None:
    def attempt(mutator: Mutator, _number: int) -> None:
        given = environment(mutator)
        try:
            assert isinstance(load_settings(given, env_file=None), Settings)
        except ConfigurationError as error:
            for_a_person(error, begins=PREFIX)

    measure.attack(scale, 1_500, 200_000, attempt)


@pytest.mark.fuzz
def test_a_settings_file_of_any_bytes_is_read_or_refused(scale: Scale, folder: Path) -> None:
    lines = b"\n".join(f"{PREFIX}{name}={value!r}".encode() for name, value in GOOD.items() if name != "BUS")
    file = folder / ".env"

    def attempt(mutator: Mutator, _number: int) -> None:
        file.write_bytes(mutator.bytes(lines, [b'export DASHBOARD_PORT="1\n', b"A=${A}${DASHBOARD_PORT}\n"]))
        try:
            load_settings({}, env_file=file)
        except ConfigurationError as error:
            for_a_person(error)

    measure.attack(scale, 150, 20_000, attempt)


@pytest.mark.fuzz
def test_what_a_start_makes_of_the_settings_is_made_or_refused(scale: Scale, folder: Path) -> None:
    """Database, accounts and feed, which look at the values more closely."""

    def attempt(mutator: Mutator, _number: int) -> None:
        given = environment(mutator)
        url = given.get("DASHBOARD_DATABASE_URL", "")
        if ".." in url or url.count("/") > 3:  # not in other folders of this machine
            del given["DASHBOARD_DATABASE_URL"]
        try:
            start(load_settings(given, env_file=None))
        except DashboardError as error:
            for_a_person(error)
        for made in folder.glob("some*"):
            made.unlink()

    measure.attack(scale, 30, 3_000, attempt, judged=False)


def start(settings: Settings) -> None:
    """What `python -m dashboard check` does."""
    database = Database(settings.database_url)
    try:
        database.migrate_if_embedded()
        database.check()
        accounts.prepare(settings, database, SystemClock())
    finally:
        database.close()
    make_feed(settings, SystemClock())


@pytest.mark.fuzz
def test_the_inputs_take_every_branch_of_the_reading_of_settings(scale: Scale, folder: Path) -> None:
    def attempt(mutator: Mutator, number: int) -> None:
        try:
            settings = load_settings(environment(mutator), env_file=None)
            assert settings.on_loopback in (True, False)
            assert settings.silence_fails_after_s > 0
        except ConfigurationError as error:
            for_a_person(error)

    with measure.branches({under_test: ("-_meant",)}):
        measure.attack(scale, 1_000, 20_000, attempt, judged=False)
        (folder / ".env").write_bytes(b"DASHBOARD_PORT=\xff")
        with pytest.raises(ConfigurationError):
            load_settings({})
        (folder / ".env").write_bytes(b"DASHBOARD_PORT=8051\nOTHER=1")
        assert load_settings({"DASHBOARD_SERVICE_HOST": "x", "DASHBOARD_LATE_MS": "0"}).port == 8051
