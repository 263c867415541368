"""A small seeded engine that makes bad input out of good: bytes, texts and JSON; the same seed, the same inputs."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

#: Bytes at which parsers stumble: ends of ranges, lengths, quotes, halves of characters, magic numbers.
MAGIC_BYTES = (
    b"",
    b"\x00",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\xf4\x90\x80\x80",
    b"\xc0\xaf",
    b"\xe2\x82",
    b"\r\n",
    b"\r",
    b'"',
    b"'",
    b",",
    b";",
    b"\\",
    b"%",
    b"\x1f\x8b\x08",
    b"PAR1",
    b"NaN",
    b"-0",
    b"1e999",
    b"9" * 25,
    b"0x10",
    b"null",
)
MAGIC_TEXTS = (
    "",
    " ",
    "\0",
    "\n",
    "\r\n",
    "\t",
    '"',
    "'",
    "\\",
    "/",
    "//",
    "/\\",
    "..",
    "../../etc/passwd",
    "%",
    "%00",
    "%2f%2f",
    "%zz",
    "*",
    "?",
    "&",
    "=",
    "#",
    ",",
    ";",
    ":",
    "@",
    "<script>",
    "{{7*7}}",
    "${x}",
    "'; DROP TABLE users --",
    "0",
    "-1",
    "-0",
    "+1",
    "01",
    "1.5",
    "1_000",
    "1e3",
    "1e999",
    "nan",
    "NaN",
    "inf",
    "-Infinity",
    "0x10",
    "²",
    "١٢",
    "9" * 19,
    "9" * 25,
    "9" * 400,
    str(2**31),
    str(2**53 + 1),
    str(2**63),
    str(2**64),
    "true",
    "null",
    "None",
    "\u2028",
    "\x85",
    "\u202e",
    "\ufeff",
    "\ufffd",
    "é",
    "İ",
    "ß",
    "𝟙",
    "A" * 300,
    "1970-01-01",
    "9999-12-31T23:59:59.999Z",
    "0000-00-00",
    "2026-02-30T25:61:61+99:99",
    "AAPL",
    "BTC-USD",
    "^GSPC",
)
MAGIC_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    -0.0,
    0.5,
    5.0,
    1e308,
    -1e308,
    1e-320,
    2**31,
    2**53,
    2**53 + 1,
    2**63 - 1,
    2**64 - 1,
    -(2**63),
    1.8446744073709552e19,
    [],
    {},
    [[]],
    [None],
    {"": None},
    "*",
    ["*"],
    "__proto__",
)


class Mutator:
    """Everything random of a test: `random` is seeded, so that a seed and a number say which input it was."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    # -- bytes ---------------------------------------------------------------------------------------------------

    def noise(self, most: int) -> bytes:
        """Up to `most` random bytes, short ones more often."""
        return self.random.randbytes(int(most * self.random.random() ** 3))

    def bytes(self, whole: bytes, others: Sequence[bytes] = (), most: int = 4) -> bytes:
        """`whole` after one to `most` changes: flips, cuts, copies, splices with one of `others`, magic values."""
        changed = bytearray(whole)
        for _ in range(self.random.randint(1, most)):
            self.random.choice(_BYTE_CHANGES)(self, changed, others)
        return bytes(changed)

    def span(self, length: int, most: int = 64) -> slice:
        """A random piece of something that long, mostly a short one."""
        start = self.random.randint(0, length)
        return slice(start, min(length, start + self.random.randint(0, self.random.choice((1, 4, most, length)))))

    def pieces(self, whole: bytes) -> list[bytes]:
        """`whole` cut at random places: byte by byte, in a few pieces, or not at all."""
        way = self.random.random()
        if way < 0.2:
            return [whole]
        if way < 0.3 and len(whole) < 200:
            return [whole[at : at + 1] for at in range(len(whole))]
        cuts = sorted(self.random.randint(0, len(whole)) for _ in range(self.random.randint(1, 5)))
        return [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]

    # -- texts ---------------------------------------------------------------------------------------------------

    def text(self, whole: str = "") -> str:
        """`whole` changed, or a text that nobody expects."""
        way = self.random.random()
        if way < 0.35 or not whole:
            return self.random.choice(MAGIC_TEXTS)
        where = self.span(len(whole), 8)
        if way < 0.65:
            return whole[: where.start] + self.random.choice(MAGIC_TEXTS) + whole[where.stop :]
        if way < 0.75:
            return whole[: where.start] + whole[where.stop :]
        if way < 0.85:
            return whole + whole[where]
        if way < 0.95:
            return self.bytes(whole.encode(), most=2).decode("utf-8", "replace")
        return whole.swapcase() if way < 0.98 else whole * self.random.randint(2, 50)

    # -- JSON ----------------------------------------------------------------------------------------------------

    def value(self, depth: int = 2) -> Any:
        """A random JSON value, at most `depth` deep."""
        way = self.random.random()
        if depth and way < 0.15:
            return [self.value(depth - 1) for _ in range(self.random.randint(0, 4))]
        if depth and way < 0.3:
            return {self.text("symbols"): self.value(depth - 1) for _ in range(self.random.randint(0, 4))}
        if way < 0.6:
            return copy.copy(self.random.choice(MAGIC_VALUES))
        return self.text("AAPL") if way < 0.85 else self.random.randint(-(10**6), 10**6)

    def json(self, whole: Any, words: Sequence[Any] = ()) -> Any:
        """A copy of `whole` with one to three of its places changed; `words` are values that mean something there."""
        changed = copy.deepcopy(whole)
        for _ in range(self.random.randint(1, 3)):
            places = list(_places(changed))
            if not places:
                return self.value()
            holder, key = self.random.choice(places)
            way = self.random.random()
            if way < 0.35 and words:
                holder[key] = copy.deepcopy(self.random.choice(words))
            elif way < 0.6:
                holder[key] = self.value()
            elif way < 0.7 and isinstance(holder[key], str):
                holder[key] = self.text(holder[key])
            elif way < 0.8:
                del holder[key]
            elif way < 0.9:
                holder[key] = self.random.choice(([holder[key]], {"a": holder[key]}, [holder[key]] * 3))
            elif isinstance(holder, dict):
                holder[self.text(str(key))] = holder.pop(key)
            else:
                holder.append(self.value())
        return changed

    def json_text(self, whole: Any, words: Sequence[Any] = ()) -> bytes:
        """`whole` changed as a value, as text, or as both; mostly still JSON."""
        way = self.random.random()
        text = json.dumps(self.json(whole, words) if way < 0.8 else whole).encode()
        if way < 0.65:
            return text
        if way < 0.68:
            return self.nested(self.random.choice((10, 200, 1_100, 5_000)))
        return self.bytes(text, most=3)

    def nested(self, depth: int) -> bytes:
        """JSON that is very deep, closed or not."""
        opening, closing = self.random.choice(((b"[", b"]"), (b'{"a":', b"}")))
        return opening * depth + b"1" + closing * self.random.choice((0, depth))


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        keys: Any = holder if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], (dict, list)):
                waiting.append(holder[key])
    return found


def _flip(mutator: Mutator, changed: bytearray, _others: Sequence[bytes]) -> None:
    if changed:
        changed[mutator.random.randrange(len(changed))] ^= 1 << mutator.random.randrange(8)


def _replace(mutator: Mutator, changed: bytearray, _others: Sequence[bytes]) -> None:
    if changed:
        changed[mutator.random.randrange(len(changed))] = mutator.random.randrange(256)


def _insert(mutator: Mutator, changed: bytearray, _others: Sequence[bytes]) -> None:
    at = mutator.random.randint(0, len(changed))
    changed[at:at] = mutator.noise(20)


def _magic(mutator: Mutator, changed: bytearray, _others: Sequence[bytes]) -> None:
    changed[mutator.span(len(changed), 4)] = mutator.random.choice(MAGIC_BYTES)


def _cut(mutator: Mutator, changed: bytearray, _others: Sequence[bytes]) -> None:
    del changed[mutator.span(len(changed))]


def _truncate(mutator: Mutator, changed: bytearray, _others: Sequence[bytes]) -> None:
    del changed[mutator.random.randint(0, len(changed)) :]


def _double(mutator: Mutator, changed: bytearray, _others: Sequence[bytes]) -> None:
    piece = bytes(changed[mutator.span(len(changed))])
    at = mutator.random.randint(0, len(changed))
    changed[at:at] = piece * mutator.random.randint(1, 3)


def _splice(mutator: Mutator, changed: bytearray, others: Sequence[bytes]) -> None:
    if others:
        other = mutator.random.choice(others)
        changed[mutator.random.randint(0, len(changed)) :] = other[mutator.random.randint(0, len(other)) :]


_BYTE_CHANGES: tuple[Callable[[Mutator, bytearray, Sequence[bytes]], None], ...] = (
    _flip,
    _flip,
    _replace,
    _insert,
    _magic,
    _magic,
    _cut,
    _truncate,
    _double,
    _splice,
)
