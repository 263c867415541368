"""Random and mutated messages through the whole hub: each gets the answer that the contract names, and no other.

A model keeps what has been accepted; what comes of ticks afterwards is exactly that.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from dashboard.stream import client as client_module
from dashboard.stream import protocol as under_test
from dashboard.stream.client import Limits
from tests.conftest import Scale
from tests.fuzz import frames, measure, protocol
from tests.fuzz.mutation import Mutator
from tests.stream.virtual import SYMBOLS, VirtualClient, World

LIMIT = 6
WORDS: tuple[Any, ...] = (*protocol.OPERATIONS, *protocol.CHANNELS, *protocol.TIMEFRAMES, *SYMBOLS, "*", [*SYMBOLS])
GOOD: tuple[dict[str, Any], ...] = (
    {"op": "ping"},
    {"op": "ping", "id": 7},
    {"op": "subscribe", "id": 1, "channel": "ticker", "symbols": ["AAPL", "BTC-USD"]},
    {"op": "subscribe", "id": "b", "channel": "bars", "symbols": ["AAPL"], "timeframe": "1m"},
    {"op": "subscribe", "channel": "ticks", "symbols": ["AAPL", "NONE"]},
    {"op": "subscribe", "channel": "ticks", "symbols": "*"},
    {"op": "subscribe", "channel": "alerts", "after_id": 3},
    {"op": "subscribe", "id": 6, "channel": "ticks", "symbols": ["MSFT"], "epoch": "EPOCH", "after_seq": 5},
    {
        "op": "subscribe",
        "id": 6,
        "channel": "bars",
        "symbols": "*",
        "timeframe": "5s",
        "epoch": "EPOCH",
        "after_seq": 1,
    },
    {"op": "unsubscribe", "id": 5, "channel": "ticker", "symbols": ["AAPL"]},
    {"op": "unsubscribe", "channel": "ticks", "symbols": "*"},
    {"op": "unsubscribe", "channel": "bars", "symbols": ["AAPL", "OIL"], "timeframe": "1m"},
)


class Model:
    """What a connection is subscribed to, by its accepted messages alone: symbols by (channel, timeframe)."""

    def __init__(self, known: set[str]) -> None:
        self.known = known
        self.topics: dict[tuple[str, str], set[str]] = {}
        self.named: dict[tuple[str, str], set[str]] = {}

    def too_many(self, message: dict[str, Any]) -> bool:
        """Whether an acceptable subscribe names more than one may in all."""
        if message["op"] != "subscribe" or message["channel"] == "alerts" or message["symbols"] == "*":
            return False
        topic = self._topic(message)
        if "*" in self.named.get(topic, set()):
            return False
        return len(self.named.get(topic, set()) | (set(message["symbols"]) & self.known)) > LIMIT

    def take(self, message: dict[str, Any]) -> None:
        """An accepted message."""
        if message["op"] == "ping" or message["channel"] == "alerts":
            return
        topic, symbols = self._topic(message), message["symbols"]
        meant = self.known if symbols == "*" else self.known & set(symbols)
        named = self.named.setdefault(topic, set())
        if message["op"] == "subscribe":
            self.topics.setdefault(topic, set()).update(meant)
            named.update({"*"} if symbols == "*" else meant)
        else:
            self.topics.setdefault(topic, set()).difference_update(meant)
            named.difference_update({*self.known, "*"} if symbols == "*" else meant)

    def _topic(self, message: dict[str, Any]) -> tuple[str, str]:
        return message["channel"], message.get("timeframe") if message["channel"] == "bars" else ""


class Room:
    """A world that outlives its clients, and one client beside the others that has to notice nothing of them."""

    def __init__(self) -> None:
        # Rings that are full after some hundred inputs: what grows later is a leak; a resume of everything is short.
        self.world = World(messages_per_s=1e9, budget_mb=1)
        self.world.hub.limits = Limits(LIMIT, 1e9)
        self.beside = self.world.client()
        self.beside.subscribe("ticks", "*")
        self.model = Model(set(SYMBOLS))

    def attempt(self, mutator: Mutator, number: int) -> None:
        """Some messages from a new client, then a tick of everything."""
        client, model = self.world.client(bits=mutator.random.choice((0, 12))), Model(set(SYMBOLS))
        sent: list[tuple[bool, Any]] = []
        refused = 0
        for _ in range(mutator.random.randint(1, 20)):
            text, binary = self._message(mutator), mutator.random.random() < 0.02
            message = None if binary else protocol.acceptable(text, LIMIT)
            fits = message is not None and not model.too_many(message)
            client.send(text, binary=binary)
            sent.append((fits, None if message is None else message.get("id")))
            if fits and message is not None:
                model.take(message)
            refused += not fits
            if mutator.random.random() < 0.1:
                self._tick(client, model, settled=False)
        # A resume from a number still to come waits a second.
        self.world.run(1.1)
        self._answers(client, sent)
        assert client.close_code is None, "at most twenty malformed messages: it stays"
        self._tick(client, model, settled=True)
        client.drop()
        self._beside(number)

    def _message(self, mutator: Mutator) -> bytes:
        good = mutator.random.choice(GOOD)
        if good.get("epoch"):
            good = good | {"epoch": self.world.store.epoch}
            if mutator.random.random() < 0.5:
                good["after_seq"] = max(0, self.world.store.seq + mutator.random.randint(-20, 3))
        way = mutator.random.random()
        if way < 0.3:
            return orjson.dumps(good)
        if way < 0.97:
            # Text of another kind is no message at all: `test_frames` has it.
            return (
                mutator.json_text(good, WORDS)
                .decode("utf-8", "replace")
                .encode()[:16_384]
                .decode("utf-8", "ignore")
                .encode()
            )
        return orjson.dumps(mutator.value(4))

    def _answers(self, client: VirtualClient, sent: list[tuple[bool, Any]]) -> None:
        """One answer to each message: an error to what is refused, with its `id` where it can be read."""
        for message in client.messages:
            protocol.well_formed(message)
        answers = [message for message in client.messages if message["type"] in protocol.ANSWERS]
        assert len(answers) == len(sent)
        assert sum(answer["type"] == "error" for answer in answers) == sum(not fits for fits, _ in sent)
        got = sorted(repr(answer.get("id")) for answer in answers if answer["type"] != "error")
        assert got == sorted(repr(id_) for fits, id_ in sent if fits)

    def _tick(self, client: VirtualClient, model: Model, *, settled: bool) -> None:
        """A tick of every instrument: it comes of what was accepted, and (once resumes are answered) of all that."""
        from_here = len(client.messages)
        change = self.world.tick()
        self.world.run(0.05)
        seen: dict[tuple[str, str], set[str]] = {}
        for message in client.messages[from_here:]:
            if message["type"] in ("ticker", "bars", "ticks") and message["seq"] >= change.seq:
                seen.setdefault((message["type"], message.get("timeframe", "")), set()).update(message["data"])
        for topic, symbols in seen.items():
            assert symbols <= model.topics.get(topic, set()), topic
        if settled:
            wanted = {topic: symbols for topic, symbols in model.topics.items() if symbols}
            assert seen == wanted

    def _beside(self, number: int) -> None:
        got = [row[0] for message in self.beside.new("ticks") for rows in message["data"].values() for row in rows]
        self.seen = getattr(self, "seen", 0) + len(got)
        assert self.seen == self.world.store.seq, "the client beside has missed something"
        assert not self.beside.gone
        self.beside.messages.clear()
        self.beside.texts.clear()
        self.beside.taken = 0
        assert len(self.world.hub.clients) == 1, "a client that has gone is still kept"


@pytest.mark.fuzz
def test_every_message_gets_the_answer_of_the_contract_and_a_refused_one_changes_nothing(scale: Scale) -> None:
    measure.attack(scale, 250, 100_000, Room().attempt)


@pytest.mark.fuzz
def test_the_parser_refuses_what_the_contract_refuses_and_nothing_else(scale: Scale) -> None:
    def attempt(mutator: Mutator, _number: int) -> None:
        way = mutator.random.random()
        good = mutator.random.choice(GOOD)
        text = mutator.noise(100) if way < 0.1 else mutator.json_text(good, WORDS)
        try:
            request = under_test.parse(text, LIMIT)
        except under_test.Refused as refused:
            protocol.well_formed(orjson.loads(under_test.error(refused)))
            assert protocol.acceptable(text, LIMIT) is None
        else:
            message = protocol.acceptable(text, LIMIT)
            assert message is not None
            assert (request.op, request.id) == (message["op"], message.get("id"))

    measure.attack(scale, 20_000, 1_000_000, attempt)


@pytest.mark.fuzz
def test_the_inputs_take_every_branch_of_the_reading_of_messages(scale: Scale) -> None:
    parts = {under_test: ("parse", "_symbols", "_whole"), client_module: ("text", "_answer", "_refuse")}
    with measure.branches(parts):
        measure.attack(scale, 250, 2_000, Room().attempt, judged=False)
        flooding(scale)


def flooding(scale: Scale) -> None:
    """Messages without end, and bad ones without end."""
    for text, rate in ((b'{"op":"ping"}', 20), (b"x", 1e9)):
        world = World(messages_per_s=rate)
        client = world.client()
        for _ in range(200):
            if not client.gone and client.close_code is None:
                client.send(text)
        assert client.close_code == 4429


@pytest.mark.fuzz
def test_frames_of_every_kind_at_the_hub_leave_the_others_whole(scale: Scale) -> None:
    world = World(messages_per_s=50, budget_mb=1)
    beside = world.client(user_id=2)
    beside.subscribe("ticks", "*")
    seen = [0]

    def attempt(mutator: Mutator, _number: int) -> None:
        client = world.client(bits=mutator.random.choice((0, 12)))
        client.pongs = mutator.random.random() < 0.5
        made = frames.session(mutator, lambda chance: chance.json_text(chance.random.choice(GOOD), WORDS), deflate=True)
        for piece in mutator.pieces(b"".join(made)):
            if piece and not client.gone:
                client.connection.data_received(piece)
        change = world.tick()
        world.run(0.05)
        for message in client.messages:
            protocol.well_formed(message)
        # 1011 is the echo of a goodbye that was mutated to it, or a fault: those are counted, below.
        assert client.close_code is None or client.close_code not in (1006, 1015)
        if not client.gone and client.close_code is None:
            client.drop()
        world.run(2.5)
        assert client.gone
        assert list(world.hub.clients) == [beside.connection]
        seen[0] += sum(len(rows) for message in beside.new("ticks") for rows in message["data"].values())
        assert seen[0] == change.seq
        beside.messages.clear()
        beside.texts.clear()
        beside.taken = 0
        assert world.metric("faults_total", thread="hub") == 0

    measure.attack(scale, 500, 200_000, attempt)
