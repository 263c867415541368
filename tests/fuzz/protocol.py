"""The stream's contract as a judge: which messages a server takes, and which it may send."""

from __future__ import annotations

from typing import Any

import orjson

TIMEFRAMES = ("1s", "5s", "15s", "1m", "5m", "15m", "1h", "1d")
OPERATIONS, CHANNELS = ("subscribe", "unsubscribe", "ping"), ("ticker", "bars", "ticks", "alerts")
#: type: (members that must be there, members that may)
SHAPES: dict[str, tuple[set[str], set[str]]] = {
    "welcome": ({"version", "epoch", "seq", "oldest_seq", "heartbeat_ms", "columns"}, set()),
    "subscribed": ({"channel"}, {"id", "symbols", "unknown", "resumed", "timeframe"}),
    "unsubscribed": ({"channel"}, {"id", "symbols", "timeframe"}),
    "snapshot": ({"channel", "seq", "sent", "data"}, {"timeframe", "more"}),
    "ticker": ({"seq", "sent", "data"}, {"received"}),
    "bars": ({"seq", "sent", "data", "timeframe"}, {"more"}),
    "ticks": ({"seq", "sent", "data"}, {"more", "received"}),
    "gap": ({"channel", "symbol", "from_seq", "to_seq"}, set()),
    "alert": ({"event"}, set()),
    "heartbeat": ({"seq", "sent"}, set()),
    "pong": ({"sent"}, {"id"}),
    "error": ({"code", "message"}, {"id", "accepted"}),
}
#: Each message gets one of these.
ANSWERS = ("subscribed", "unsubscribed", "pong", "error")
_WIDTH = {"ticker": 8, "bars": 8, "ticks": 6}


def well_formed(message: Any) -> None:
    """Fails unless `message` is one that a server may send."""
    assert isinstance(message, dict), message
    shape = SHAPES.get(message.get("type"))
    assert shape is not None, f"no message of the protocol: {str(message)[:200]}"
    must, may = shape
    has = set(message) - {"type"}
    assert must <= has <= must | may, f"members of {message['type']}: {sorted(has)}"
    for name in ("seq", "from_seq", "to_seq", "oldest_seq"):
        if name in message:
            assert type(message[name]) is int and message[name] >= 0, (name, message[name])
    if message["type"] == "error":
        assert message["code"] and isinstance(message["code"], str)
        assert message["message"] and isinstance(message["message"], str) and len(message["message"]) < 400
    if message.get("channel") is not None:
        assert message["channel"] in CHANNELS
        if message["channel"] == "bars":
            assert message["timeframe"] in TIMEFRAMES
    if message["type"] in _WIDTH:
        by_symbol = message["data"].values()
        rows = by_symbol if message["type"] == "ticker" else [row for rows in by_symbol for row in rows]
        assert all(len(row) == _WIDTH[message["type"]] for row in rows), message["type"]
    if message["type"] == "gap":
        assert message["from_seq"] <= message["to_seq"]


def acceptable(text: bytes, limit: int) -> dict[str, Any] | None:
    """A client's message if the contract accepts it (`limit` symbols at most), None where it must be refused."""
    try:
        message = orjson.loads(text)
    except (orjson.JSONDecodeError, RecursionError):
        return None
    if not isinstance(message, dict) or isinstance(message.get("id"), (list, dict)):
        return None
    op, channel = message.get("op"), message.get("channel")
    if op == "ping":
        return message
    if op not in OPERATIONS or channel not in CHANNELS:
        return None
    if channel == "alerts":
        return message if "after_id" not in message or whole(message["after_id"]) else None
    if channel == "bars" and message.get("timeframe") not in TIMEFRAMES:
        return None
    symbols = message.get("symbols")
    if symbols != "*" and not (
        isinstance(symbols, list) and 0 < len(symbols) <= limit and all(isinstance(each, str) for each in symbols)
    ):
        return None
    if op == "subscribe":
        epoch = message.get("epoch")
        if epoch is not None and not isinstance(epoch, str):
            return None
        if "after_seq" in message and (not whole(message["after_seq"]) or epoch is None):
            return None
    return message


def whole(value: Any) -> bool:
    """Whether a JSON value is a whole number from 0 on."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return value >= 0 and value == int(value) if abs(value) != float("inf") else False
