"""Octets that are UTF-8 and octets that are not (RFC 3629), after Markus Kuhn's decoder stress test; by number."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

_VALID: dict[str, tuple[str, ...]] = {
    # Samples: ASCII, two, three and four octets, BOM and NUL within.
    "6.5": ("4142", "cebae1bdb9cf83cebcceb5", "f09f9880", "efbbbf41", "004100"),
    # The first and the last code point of each length.
    "6.7": ("00", "c280", "e0a080", "f0908080"),
    "6.9": ("7f", "dfbf", "efbfbf", "f48fbfbf"),
    # Around the surrogates, and the replacement character.
    "6.11": ("ed9fbf", "ee8080", "efbfbd", "f48fbfbf"),
    "6.22": tuple((chr(plane << 16 | low)).encode().hex() for plane in range(17) for low in (0xFFFE, 0xFFFF)),
    "6.23": (*(chr(point).encode().hex() for point in range(0xFFF9, 0xFFFE)), "efb790", "efb7af"),
}
_INVALID: dict[str, tuple[str, ...]] = {
    # Five and six octets, and above U+10FFFF.
    "6.8": ("f888808080", "fc8480808080"),
    "6.10": ("f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf"),
    "6.11i": ("f4908080",),
    # Continuation octets with nothing before them.
    "6.12": ("80", "bf", "80bf", "80bf80", "80bf80bf", "80bf80bf80", "80bf80bf80bf", bytes(range(128, 192)).hex()),
    # First octets with nothing behind them.
    "6.13": tuple(
        b" ".join(bytes([octet]) for octet in range(low, high)).hex()
        for low, high in itertools.pairwise((0xC0, 0xE0, 0xF0, 0xF8, 0xFC, 0xFE))
    ),
    # The last continuation octet is missing.
    "6.14": ("c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf", "fdbfbfbfbf"),
    "6.15": ("c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf",),
    "6.16": ("fe", "ff", "fefeffff"),
    # Overlong: the slash, the highest, NUL.
    "6.17": ("c0af", "e080af", "f08080af", "f8808080af", "fc80808080af"),
    "6.18": ("c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf"),
    "6.19": ("c080", "e08080", "f0808080", "f880808080", "fc8080808080"),
    # Surrogates, single and in pairs.
    "6.20": ("eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf"),
    "6.21": tuple(high + low for high in ("eda080", "edadbf", "edae80", "edafbf") for low in ("edb080", "edbfbf")),
}


def _numbered(groups: dict[str, tuple[str, ...]]) -> tuple[tuple[str, bytes], ...]:
    return tuple(
        (f"{group}.{at}", bytes.fromhex(octets))
        for group, every in groups.items()
        for at, octets in enumerate(every, 1)
    )


VALID = _numbered(_VALID)
INVALID = _numbered(_INVALID)


def boundaries() -> Iterator[tuple[str, bytes, bool]]:
    """Every beginning of a Greek word, and whether it ends where a character does."""
    word = bytes.fromhex("cebae1bdb9cf83cebcceb5")
    ends = {2, 5, 7, 9, 11}
    for size in range(1, len(word) + 1):
        yield f"6.6.{size}", word[:size], size in ends
