"""The stream's messages: the only place that shapes them, out and in. Pure; knows neither sockets nor threads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from dashboard.market.bars import TIMEFRAME_INDEX, TIMEFRAMES
from dashboard.market.ticks import Floats
from dashboard.store.change import BAR_COLUMNS, LAST_COLUMNS
from dashboard.store.memory import TICK_COLUMNS

VERSION = 1
HEARTBEAT_MS = 5000
CHANNELS = ("ticker", "bars", "ticks", "alerts")
OPERATIONS = ("subscribe", "unsubscribe", "ping")
#: The largest message of a snapshot or a resume.
LARGEST_BYTES = 131_072

#: Why a connection ends. The page comes back by itself: soon after 1001, 1011 and 4408, in a minute after 4429; after
#: 4401 it asks for a login.
GOING_AWAY, FAULT, LOGIN_ENDED, NO_PONG, FLOODED = 1001, 1011, 4401, 4408, 4429
#: Codes that connections are counted by: RFC 6455 section 7.4.1 and the contract's. A client may close with any.
COUNTED = frozenset({*range(1000, 1004), *range(1005, 1012), 1013, 4401, 4403, 4408, 4429})


class Refused(Exception):
    """A client's message that gets an `error` in answer: its code, a sentence, what would be accepted."""

    def __init__(self, code: str, message: str, accepted: Sequence[str] | None = None, id_: Any = None) -> None:
        super().__init__(message)
        self.code, self.message, self.accepted, self.id = code, message, accepted, id_

    @classmethod
    def too_many(cls, limit: int, named: int, id_: Any) -> Refused:
        """More symbols than a subscription may name."""
        return cls("too_many_symbols", f"a subscription names at most {limit} symbols, got {named}", None, id_)


@dataclass(frozen=True, slots=True)
class Request:
    """A client's message, checked for form. `symbols` None is all; `timeframe` is an index, 0 but for bars."""

    op: Literal["subscribe", "unsubscribe", "ping"]
    id: Any
    channel: str = ""
    symbols: tuple[str, ...] | None = ()
    timeframe: int = 0
    epoch: str | None = None
    after_seq: int | None = None
    after_id: int | None = None


def parse(text: bytes, symbols_limit: int) -> Request:
    """Read a client's message. Raises Refused, which leaves the connection as it was."""
    try:
        message = orjson.loads(text)
    except (orjson.JSONDecodeError, RecursionError):
        raise Refused("malformed", "a message must be one JSON object") from None
    if not isinstance(message, dict):
        raise Refused("malformed", "a message must be one JSON object")
    id_ = message.get("id")
    if isinstance(id_, (list, dict)):
        raise Refused("bad_id", "id must be a text, a number, true, false or null")
    op = message.get("op")
    if op not in OPERATIONS:
        raise Refused("unknown_operation", f"op must be one of {', '.join(OPERATIONS)}", OPERATIONS, id_)
    if op == "ping":
        return Request("ping", id_)
    channel = message.get("channel")
    if channel not in CHANNELS:
        raise Refused("unknown_channel", f"channel must be one of {', '.join(CHANNELS)}", CHANNELS, id_)
    if channel == "alerts":
        return Request(op, id_, channel, after_id=_whole(message, "after_id", id_))
    timeframe = 0
    if channel == "bars":
        name = message.get("timeframe")
        if not isinstance(name, str) or name not in TIMEFRAME_INDEX:
            names = [frame.name for frame in TIMEFRAMES]
            raise Refused("unknown_timeframe", f"timeframe must be one of {', '.join(names)}", names, id_)
        timeframe = TIMEFRAME_INDEX[name]
    symbols = _symbols(message.get("symbols"), symbols_limit, id_)
    if op == "unsubscribe":
        return Request(op, id_, channel, symbols, timeframe)
    after_seq, epoch = _whole(message, "after_seq", id_), message.get("epoch")
    if epoch is not None and not isinstance(epoch, str):
        raise Refused("bad_epoch", "epoch must be a text", None, id_)
    if after_seq is not None and epoch is None:
        raise Refused("bad_after_seq", "after_seq needs the epoch that it belongs to", None, id_)
    return Request(op, id_, channel, symbols, timeframe, epoch, after_seq)


def _symbols(given: Any, limit: int, id_: Any) -> tuple[str, ...] | None:
    if given == "*":
        return None
    if not isinstance(given, list) or not given or not all(isinstance(symbol, str) for symbol in given):
        raise Refused("bad_symbols", 'symbols must be "*" or a list of at least one symbol', None, id_)
    names = tuple(dict.fromkeys(given))
    if len(given) > limit:
        raise Refused.too_many(limit, len(given), id_)
    return names


def _whole(message: dict[str, Any], name: str, id_: Any) -> int | None:
    if name not in message:
        return None
    value = message[name]
    # JSON knows one kind of number: 5.0 is whole, and orjson reads what passes 64 bits as a float.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Refused(f"bad_{name}", f"{name} must be a whole number from 0 on", None, id_)
    return value


def text(message: dict[str, Any]) -> bytes:
    """A message as JSON; NaN becomes null."""
    return orjson.dumps(message)


def welcome(epoch: str, seq: int, oldest_seq: int) -> bytes:
    return text(
        {
            "type": "welcome",
            "version": VERSION,
            "epoch": epoch,
            "seq": seq,
            "oldest_seq": oldest_seq,
            "heartbeat_ms": HEARTBEAT_MS,
            "columns": {"ticker": LAST_COLUMNS, "ticks": TICK_COLUMNS, "bars": BAR_COLUMNS},
        }
    )


def answered(request: Request, symbols: list[str] | str, unknown: list[str] | None, resumed: bool | None) -> bytes:
    """`subscribed` or `unsubscribed`."""
    message: dict[str, Any] = {"type": f"{request.op}d"}
    if request.id is not None:
        message["id"] = request.id
    message["channel"] = request.channel
    if request.channel == "bars":
        message["timeframe"] = TIMEFRAMES[request.timeframe].name
    if request.channel != "alerts":
        message["symbols"] = symbols
        if unknown is not None:
            message["unknown"] = unknown
    if resumed is not None:
        message["resumed"] = resumed
    return text(message)


def error(refused: Refused) -> bytes:
    message: dict[str, Any] = {"type": "error"}
    if refused.id is not None:
        message["id"] = refused.id
    message |= {"code": refused.code, "message": refused.message}
    if refused.accepted is not None:
        message["accepted"] = list(refused.accepted)
    return text(message)


def pong(id_: Any, sent: float) -> bytes:
    return text({"type": "pong"} | ({} if id_ is None else {"id": id_}) | {"sent": sent})


def heartbeat(seq: int, sent: float) -> bytes:
    return b'{"type":"heartbeat","seq":%d,"sent":%s}' % (seq, orjson.dumps(sent))


def gap(symbol: str, from_seq: int, to_seq: int) -> bytes:
    return text({"type": "gap", "channel": "ticks", "symbol": symbol, "from_seq": from_seq, "to_seq": to_seq})


def alert(event: dict[str, Any]) -> bytes:
    return text({"type": "alert", "event": event})


# Fragments: `"AAPL":[…]`, encoded once for a flush and joined into the frames of every subscription that has them.


def ticker_fragments(names: Sequence[bytes], rows: Floats) -> list[bytes]:
    """`rows` float64[n, 8] as in `Change.last`: price bid ask size volume high low ts; encoded in one go."""
    if not len(rows):
        return []
    stamps = rows[:, 7].tolist()
    whole = [[*row, _integer(stamp)] for row, stamp in zip(rows[:, :7].tolist(), stamps, strict=True)]
    # Rows hold numbers only, so what lies between two of them is between two rows.
    texts = orjson.dumps(whole)[2:-2].split(b"],[")
    return [b"%b:[%b]" % (name, text) for name, text in zip(names, texts, strict=True)]


def rows_fragment(name: bytes, rows: Sequence[Sequence[Any]]) -> bytes:
    """A symbol and its rows."""
    return name + b":" + orjson.dumps(rows)


def snapshot_fragment(name: bytes, row: Sequence[float], open_: float, previous_close: float) -> bytes:
    """A ticker's row as an object, with the day's open and the previous close."""
    values: dict[str, Any] = dict(zip(LAST_COLUMNS, row, strict=True))
    values["ts"] = _integer(row[7])
    values["open"], values["previous_close"] = open_, previous_close
    return name + b":" + orjson.dumps(values)


def ticker_frame(fragments: Iterable[bytes], seq: int, sent: float, received: float) -> bytes:
    """A `ticker` message; `received` NaN is left out."""
    known = b"" if math.isnan(received) else b',"received":%r' % received
    return b'{"type":"ticker","seq":%d,"sent":%r%b,"data":{%b}}' % (seq, sent, known, b",".join(fragments))


def frame(
    type_: str,
    fragments: Iterable[bytes],
    seq: int,
    sent: float,
    *,
    channel: str | None = None,
    timeframe: int | None = None,
    more: bool = False,
) -> bytes:
    """A message with `data`, from fragments."""
    head = b'{"type":"%b"' % type_.encode()
    if channel is not None:
        head += b',"channel":"%s"' % channel.encode()
    if timeframe is not None:
        head += b',"timeframe":"%s"' % TIMEFRAMES[timeframe].name.encode()
    head += b',"seq":%d,"sent":%s' % (seq, orjson.dumps(sent))
    if more:
        head += b',"more":true'
    return head + b',"data":{' + b",".join(fragments) + b"}}"


def chunked(type_: str, fragments: Sequence[bytes], seq: int, sent: float, *, channel: str) -> list[bytes]:
    """Messages of at most `LARGEST_BYTES` with all `fragments`, all but the last with `more`; none for none."""
    pieces: list[list[bytes]] = []
    size = LARGEST_BYTES
    for fragment in fragments:
        if size + len(fragment) + 1 > LARGEST_BYTES - 200:
            pieces.append([])
            size = 0
        pieces[-1].append(fragment)
        size += len(fragment) + 1
    last = len(pieces) - 1
    return [frame(type_, piece, seq, sent, channel=channel, more=at < last) for at, piece in enumerate(pieces)]


def _integer(value: float) -> int | None:
    return int(value) if math.isfinite(value) else None
