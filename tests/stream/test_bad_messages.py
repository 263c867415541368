"""Messages that are wrong, too large, too many, and clients that say nothing or never read (promises 3, 8, 9, 10)."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.stream.connection import CLOSE_S
from tests.stream.virtual import VirtualClient, World


@pytest.fixture
def world() -> World:
    return World()


def error(client: VirtualClient, message: Any, **more: Any) -> dict[str, Any]:
    client.new()
    client.send(message, **more)
    (answer,) = client.new()
    assert answer["type"] == "error", answer
    return answer


@pytest.mark.parametrize(
    "message",
    [
        "",
        "x",
        "null",
        "[]",
        "1",
        '"subscribe"',
        "{",
        '{"op":"subscribe"',
        "{}",
        '{"op":null}',
        '{"op":["ping"]}',
        '{"op":"destroy"}',
        '{"op":"subscribe"}',
        '{"op":"subscribe","channel":"orders","symbols":["AAPL"]}',
        '{"op":"subscribe","channel":"ticker"}',
        '{"op":"subscribe","channel":"ticker","symbols":[]}',
        '{"op":"subscribe","channel":"ticker","symbols":"AAPL"}',
        '{"op":"subscribe","channel":"ticker","symbols":{"AAPL":1}}',
        '{"op":"subscribe","channel":"ticker","symbols":[1]}',
        '{"op":"subscribe","channel":"bars","symbols":["AAPL"]}',
        '{"op":"subscribe","channel":"bars","symbols":["AAPL"],"timeframe":"2m"}',
        '{"op":"subscribe","channel":"bars","symbols":["AAPL"],"timeframe":["1m"]}',
        '{"op":"subscribe","channel":"ticks","symbols":["AAPL"],"after_seq":1}',
        "[" * 5_000,
        '{"a":' * 2_500 + "1" + "}" * 2_500,
        '{"op":"ping","id":NaN}',
    ],
    ids=lambda message: message[:40],
)
def test_a_malformed_message_gets_an_error_and_changes_nothing(world: World, message: str) -> None:
    client = world.client()
    client.subscribe("ticker", ["MSFT"])
    answer = error(client, message)
    assert answer["code"]
    assert answer["message"]
    assert len(answer["message"]) < 400
    world.tick("AAPL", "MSFT")
    world.run()
    assert [list(row["data"]) for row in client.new("ticker")] == [["MSFT"]]
    assert not client.gone


def test_a_binary_message_gets_an_error_and_the_connection_stays(world: World) -> None:
    client = world.client()
    assert error(client, b'{"op":"ping"}', binary=True)["code"] == "binary"
    client.send({"op": "ping", "id": 1})
    assert client.new("pong")[0]["id"] == 1


def test_an_error_names_what_is_accepted(world: World) -> None:
    wrong = {"op": "subscribe", "id": 2, "channel": "bars", "symbols": ["AAPL"], "timeframe": "2m"}
    answer = error(world.client(), wrong)
    assert (answer["id"], answer["code"]) == (2, "unknown_timeframe")
    assert answer["accepted"] == ["1s", "5s", "15s", "1m", "5m", "15m", "1h", "1d"]


def test_a_hostile_symbol_is_unknown_and_comes_back_as_it_was(world: World) -> None:
    client = world.client()
    names = ["'; DROP TABLE users --", "<script>alert(1)</script>", "../../etc/passwd", "A" * 10_000, "\u202e\x00"]
    client.subscribe("ticker", names)
    answer = client.new("subscribed")[0]
    assert answer["symbols"] == []
    assert answer["unknown"] == names


def test_a_message_over_16_kib_ends_the_connection_with_1009_and_no_other(world: World) -> None:
    client, other = world.client(), world.client()
    other.subscribe("ticker", ["AAPL"])
    client.send("x" * 16_385)
    world.run()
    assert client.close_code == 1009
    world.tick("AAPL")
    world.run()
    assert other.new("ticker")


def test_more_than_twenty_malformed_messages_in_a_minute_end_it_with_4429(world: World) -> None:
    client = world.client()
    for _ in range(20):
        client.send("x")
        world.run(1)
    assert client.close_code is None
    client.send("x")
    world.run(0)
    assert client.close_code == 4429


def test_a_flood_ends_it_with_4429_and_a_burst_does_not(world: World) -> None:
    client = world.client()
    for _ in range(100):
        client.send({"op": "ping"})
    assert client.close_code is None
    for _ in range(10):
        if client.close_code is None:
            client.send({"op": "ping"})
    assert client.close_code == 4429


def test_a_flood_of_pings_ends_it_at_once_and_is_neither_parsed_nor_answered_further(world: World) -> None:
    client, other = world.client(), world.client()
    other.subscribe("ticker", ["AAPL"])
    client.pongs = False
    flood = b"\x89\x80\0\0\0\0" * 43_690
    for _ in range(20):
        client.connection.data_received(flood)
    world.run(0)
    assert client.close_code == 4429
    assert not client.line.reading
    assert len(client.line.waiting) < 10_000
    world.tick("AAPL")
    world.run()
    assert other.new("ticker")


@pytest.mark.parametrize("id_", [[1], {"a": 1}, [[[]]]])
def test_an_id_is_a_plain_value(world: World, id_: object) -> None:
    assert error(world.client(), {"op": "ping", "id": id_})["code"] == "bad_id"


def test_text_that_is_not_utf_8_ends_it_with_1007(world: World) -> None:
    client = world.client()
    client.ws.send_text(b"\xff\xfe")
    for piece in client.ws.data_to_send():
        client.connection.data_received(piece)
    world.run(0)
    assert client.close_code == 1007


def test_more_symbols_than_the_limit_are_refused_and_subscribe_nothing(world: World) -> None:
    client = world.client()
    client.subscribe("ticker", [f"S{number}" for number in range(1001)])
    assert client.new("error")[0]["type"] == "error"
    world.tick()
    world.run()
    assert client.new("ticker") == []


def test_whoever_answers_no_ping_is_given_up_after_8_seconds(world: World) -> None:
    client = world.client()
    client.pongs = False
    world.run(5.5)
    assert client.pings >= 1
    world.run(9)
    assert client.close_code == 4408 or client.gone


def test_whoever_says_nothing_but_pongs_may_stay(world: World) -> None:
    client = world.client()
    world.run(120)
    assert not client.gone
    assert client.pings >= 20


def test_a_reader_that_stops_holds_nobody_up_and_gets_the_newest_when_it_reads_again(world: World) -> None:
    slow, quick = world.client(), world.client()
    for client in (slow, quick):
        client.subscribe("ticker", "*")
        client.subscribe("bars", "*", timeframe="1s")
    slow.line.read(0)
    for _ in range(3_000):
        world.tick()
        world.run(0.02)
    assert len(slow.line.waiting) < 2 * 256 * 1024
    assert len(quick.new("ticker")) > 2_000
    slow.line.read(float("inf"))
    world.run(0.5)
    last = world.store.last()
    newest: dict[str, list[float]] = {}
    bars: dict[str, dict[int, list[float]]] = {}
    for message in slow.messages:
        if message["type"] == "ticker":
            newest |= message["data"]
        if message["type"] == "bars" or (message["type"] == "snapshot" and message["channel"] == "bars"):
            for symbol, rows in message["data"].items():
                bars.setdefault(symbol, {}).update({row[0]: row for row in rows})
    assert [newest[symbol][0] for symbol in world.store.catalogue.symbols] == last.price.tolist()
    for at, symbol in enumerate(world.store.catalogue.symbols):
        kept = world.store.bars(at, 0, limit=50_000).rows.tolist()
        assert [bars[symbol][int(row[0])][1:5] for row in kept] == [row[1:5] for row in kept]


def test_a_slow_reader_that_asks_again_and_again_misses_no_bar(world: World) -> None:
    client = world.client()
    client.subscribe("bars", ["AAPL"], timeframe="1s")
    client.subscribe("ticks", "*")
    client.line.read(0)
    for step in range(60):
        world.tick(count=100)
        world.run(0.5)
        if step in (40, 50):
            assert client.connection.slow
            client.subscribe("bars", ["AAPL"], timeframe="1s")
    client.line.read(float("inf"))
    world.run(1)
    got = {row[0] for m in client.messages if m.get("timeframe") and "data" in m for row in m["data"].get("AAPL", [])}
    assert got == {int(row[0]) for row in world.store.bars(0, 0).rows}


def test_whoever_never_reads_is_given_up_after_75_seconds_with_bounded_memory(world: World) -> None:
    client = world.client()
    client.subscribe("ticks", "*")
    client.line.read(0)
    most = 0
    for _ in range(900):
        world.tick(count=20)
        world.run(0.1)
        most = max(most, len(client.line.waiting))
        if client.gone:
            break
    assert client.gone
    assert most < 2 * 256 * 1024 + 128 * 1024


def test_pings_that_go_on_while_nobody_reads_their_pongs_are_not_heard_beyond_the_buffer() -> None:
    world = World(buffer_kb=16)
    client = world.client()
    client.line.read(0)
    client.pongs = False
    most = 0
    for _ in range(20):
        for _ in range(190):
            if client.line.reading:
                client.ws.send_ping(b"x" * 125)
                for piece in client.ws.data_to_send():
                    client.connection.data_received(piece)
        world.run(1.0)
        most = max(most, len(client.line.waiting))
    assert client.close_code is None
    assert not client.line.reading
    assert most < 2 * 16 * 1024 + 1024
    client.line.read(float("inf"))
    world.run(0)
    assert client.line.reading


def test_whoever_hangs_up_half_and_reads_nothing_is_cut_and_not_kept_until_its_login_ends(world: World) -> None:
    client = world.client()
    client.subscribe("ticks", "*")
    client.line.read(0)
    world.tick(count=20)
    world.run()
    assert client.line.waiting
    # False: the transport ends once what waits has been written.
    assert client.connection.eof_received() is False
    world.run(CLOSE_S - 0.1)
    assert not client.gone
    world.run(0.2)
    assert client.gone
    assert not world.hub.clients
