"""What fails, or is too much, costs those concerned their connection at most, and nobody else a change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from dashboard.stream import handshake
from dashboard.stream.handshake import Identity, blueprint
from dashboard.stream.hub import SESSIONS_LATE_S
from dashboard.stream.news import News
from tests.stream.test_resuming import answered, every_seq
from tests.stream.virtual import START_MS, VirtualClient, World
from tests.stream.wire import KEY


@pytest.fixture
def world() -> World:
    return World()


def watching(world: World) -> VirtualClient:
    """A client that is live on every channel of AAPL, a tick of which it has had."""
    client = world.client()
    client.subscribe("ticks", ["AAPL"])
    client.subscribe("ticker", ["AAPL"])
    client.subscribe("bars", ["AAPL"], timeframe="1s")
    world.tick()
    world.run()
    return client


def newest(client: VirtualClient) -> tuple[float, dict[int, list[float]]]:
    """(the last price of AAPL, its bars) as the client has been told."""
    price, bars = float("nan"), {}
    for message in client.messages:
        if message["type"] == "ticker":
            price = message["data"]["AAPL"][0]
        if message.get("timeframe") and "data" in message:
            bars |= {row[0]: row for row in message["data"].get("AAPL", [])}
    return price, bars


def has_everything(client: VirtualClient, world: World) -> bool:
    """Whether it has been told every tick, the last price and every bar in its newest state."""
    rows = [[*map(float, row)] for row in world.store.bars(0, 0).rows.tolist()]
    kept = float(world.store.last().price[0]), {int(row[0]): row for row in rows}
    return client.ticks("AAPL") == every_seq(world, "AAPL") and newest(client) == kept


def test_a_queue_that_is_dropped_is_made_up_for_from_the_store(world: World) -> None:
    client = watching(world)
    world.hub.fanout.most_queued = 100
    for _ in range(5):
        world.clock.advance(300)
        world.tick(count=30)
    world.run()
    assert has_everything(client, world)
    world.tick()
    world.run()
    assert has_everything(client, world)


def test_a_new_epoch_is_told_although_the_queue_is_dropped_behind_it(world: World) -> None:
    client = watching(world)
    for _ in range(40):
        world.tick()
    world.run()
    world.hub.fanout.most_queued = 100
    world.store.reset()
    for _ in range(3):
        world.tick(count=30)
    world.run()
    assert client.close_code == 1001
    assert client.messages[-1]["seq"] == 205, "a row of the new epoch in the old one"
    back = world.client()
    assert back.messages[0]["epoch"] == world.store.epoch
    back.subscribe("ticks", ["AAPL"], epoch=world.store.epoch, after_seq=0)
    world.tick()
    world.run()
    assert answered(back)["resumed"] is True
    assert back.ticks("AAPL") == every_seq(world, "AAPL")


def once(attribute: Callable[..., Any], where: Any, name: str, patch: pytest.MonkeyPatch) -> None:
    """Have the method `name` fail the next time, and work from then on."""

    def fail(*_arguments: Any) -> None:
        patch.setattr(where, name, attribute)
        raise MemoryError("once")

    patch.setattr(where, name, fail)


def test_a_snapshot_that_fails_costs_nobody_else_the_changes_that_waited(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, other = watching(world), world.client()
    world.tick()
    once(world.store.last, world.store, "last", monkeypatch)
    other.subscribe("ticker", ["MSFT"])
    assert other.close_code == 1011
    world.run()
    assert has_everything(client, world)


@pytest.mark.parametrize("later", [False, True])
def test_a_flush_that_fails_is_made_up_for_with_or_without_a_later_tick(
    world: World, monkeypatch: pytest.MonkeyPatch, later: bool
) -> None:
    client = watching(world)
    once(News.absorb, News, "absorb", monkeypatch)
    world.tick()
    world.tick()
    world.run(0.02)
    if later:
        world.tick()
    world.run(1)
    assert has_everything(client, world)
    assert client.close_code is None


def test_a_new_epoch_that_fails_to_begin_begins_with_the_next_flush(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = watching(world)
    once(world.hub.fanout.on_epoch, world.hub.fanout, "on_epoch", monkeypatch)
    world.store.reset()
    world.tick()
    world.run(1)
    assert client.close_code == 1001
    assert world.hub.fanout.epoch == world.store.epoch
    assert world.hub.fanout.mark.seq == world.store.seq


@pytest.mark.parametrize("end", ["epoch", "user", "session", "alert"])
def test_one_connection_that_fails_keeps_no_other_from_hearing(world: World, end: str) -> None:
    clients = [watching(world) for _ in range(3)]
    for client in clients:
        client.send({"op": "subscribe", "channel": "alerts"})

    def fail(_data: bytes) -> None:
        raise RuntimeError("the line is broken")

    broken = clients[1]
    broken.line.write = fail  # type: ignore[method-assign]  # one connection's line fails
    broken.connection.write = fail
    match end:
        case "epoch":
            world.store.reset()
        case "user":
            world.hub.end_user(1)
        case "session":
            world.hub.end_session("s")
        case _:
            world.hub.publish_alert(1, {"id": 1})
    world.run()
    for client in (clients[0], clients[2]):
        if end == "alert":
            assert client.new("alert")
        else:
            assert client.close_code == (1001 if end == "epoch" else 4401)
    assert not broken.connection.open
    world.run(3)
    assert broken.gone


def behind(instruments: int) -> tuple[World, VirtualClient]:
    """A market of so many, and a client of all their tickers that has stopped reading and has more than its buffer."""
    world = World(",".join(f"S{number}" for number in range(instruments)), buffer_kb=16)
    client = world.client()
    client.subscribe("ticker", "*")
    world.tick()
    world.run()
    client.line.read(0)
    for _ in range(2):
        world.tick()
        world.run()
    return world, client


def test_going_live_flushes_nothing_from_inside_a_flush() -> None:
    world, client = behind(600)
    assert client.connection.slow
    # A new day: a snapshot and a row of each at once, more than there is room for.
    world.tick(ts=START_MS + 86_400_000)
    world.run()
    client.line.read(len(client.line.waiting) + 1_000)
    world.run(1)
    client.line.read(float("inf"))
    world.run(1)
    assert client.close_code is None
    prices = {symbol: row[0] for m in client.messages if m["type"] == "ticker" for symbol, row in m["data"].items()}
    assert list(prices.values()) == world.store.last().price.tolist()


def test_resumes_that_waited_are_answered_however_long_a_flush_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    world, client = behind(400)
    for symbol in ("S1", "S2"):
        client.subscribe("ticks", [symbol], epoch=world.store.epoch, after_seq=world.store.seq + 1)
    client.line.read(float("inf"))
    tell = world.hub.fanout._tell_everybody

    def slowly() -> None:
        tell()
        world.clock.advance(25)

    monkeypatch.setattr(world.hub.fanout, "_tell_everybody", slowly)
    world.tick()
    world.hub.fanout.flush()
    world.run(1)
    assert client.close_code is None
    assert [m["resumed"] for m in client.messages if m["type"] == "subscribed" and "resumed" in m] == [True, True]


def test_a_database_that_hangs_is_told_once_and_the_sessions_are_checked_when_it_is_back(world: World) -> None:
    asked: list[tuple[Callable[[], Any], Callable[[Any, Exception | None], None]]] = []

    class Hanging:
        def call(self, work: Callable[[], Any], then: Callable[[Any, Exception | None], None]) -> None:
            asked.append((work, then))

    client = world.client()
    world.hub._sessions = Hanging()  # type: ignore[assignment]  # stands in for a database that hangs
    world.hub._ask_sessions()
    world.run(SESSIONS_LATE_S - 0.1)
    assert world.metric("faults_total", thread="hub") == 0
    world.run(10)
    assert world.metric("faults_total", thread="hub") == 1
    assert len(asked) == 1
    world.sessions.clear()
    work, then = asked.pop()
    then(work(), None)
    assert client.close_code == 4401
    assert world.hub._sessions_unknown is False


@pytest.mark.parametrize("error", [OSError("gone"), ValueError("a body that is none"), SystemExit(1)])
def test_a_connection_that_cannot_be_taken_over_gives_its_place_back(
    world: World, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(_environ: dict[str, Any]) -> None:
        raise error

    monkeypatch.setattr(handshake, "take", fail)
    world.hub.places.of_user = 1
    app = Flask(__name__)
    app.testing = True
    app.register_blueprint(blueprint(world.hub, identify=lambda: Identity(1, "s", "ann"), same_site=lambda: True))
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Origin": "http://localhost",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
    }
    line = {"werkzeug.socket": object(), "SERVER_PROTOCOL": "HTTP/1.1"}
    if isinstance(error, OSError):
        answer = app.test_client().get(handshake.PATH, headers=headers, environ_base=line)
        assert answer.status_code == 503
    else:
        with pytest.raises(type(error)):
            app.test_client().get(handshake.PATH, headers=headers, environ_base=line)
    assert world.client().messages[0]["type"] == "welcome"


def test_close_codes_that_nobody_knows_are_counted_as_others(world: World) -> None:
    for code in (1000, 4408, *range(3000, 3020), 4999):
        client = world.client()
        client.ws.send_close(code, "x")
        for piece in client.ws.data_to_send():
            client.connection.data_received(piece)
        client.drop()
    assert {code: world.metric("stream_closed_total", code=code) for code in ("1000", "4408", "other", "3000")} == {
        "1000": 1,
        "4408": 1,
        "other": 21,
        "3000": 0,
    }


@pytest.mark.parametrize("channel", ["ticker", "ticks", "bars"])
def test_the_delay_is_that_of_the_tick_that_waited_longest(world: World, channel: str) -> None:
    client = world.client()
    client.subscribe(channel, ["AAPL"], **({"timeframe": "1s"} if channel == "bars" else {}))
    world.run(1)
    world.tick()
    world.run(0)
    before = world.metric("stream_delay_seconds_sum")
    world.run(0.001)
    world.tick()
    world.run(0.016)
    world.tick()
    world.run()
    assert world.metric("stream_delay_seconds_sum") - before == pytest.approx(0.019)
    assert world.metric("stream_delay_seconds_count") == 2
