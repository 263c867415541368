"""A view as one short text that fits into an address, a chat or a bug report, and brings the view back anywhere.

`1.` and base64url without padding (RFC 4648 section 5) of a CRC-32 of what follows, most significant byte first, and
the view's JSON, compact and deflated (zlib, RFC 1950). The digit is the version of this way of writing; the view says
its own format inside. Pure functions: what a view may hold is `views.read`'s to say.
"""

from __future__ import annotations

import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

import orjson

from dashboard.errors import BadParameter, Conflict, TooLarge

VERSION: Final = 1
#: Characters of a token: with its route it fits into a request line of 4,094 bytes, gunicorn's limit.
LONGEST: Final = 3_500
#: Bytes of JSON that a token may hold; a bomb of a few bytes would be gigabytes.
INFLATED: Final = 32_768
RULE: Final = f"a token of a view as this program makes them, {LONGEST} characters at most"
_TOKEN = re.compile(r"([1-9][0-9]{0,3})\.([A-Za-z0-9_-]+)")


def encode(view: dict[str, Any]) -> str:
    """The token of a view; the same view has the same one. Raises TooLarge where it would be longer than LONGEST, or
    hold more than INFLATED."""
    kept = {name: value for name, value in view.items() if value not in (None, [], {})}
    plain = orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)
    if len(plain) > INFLATED:
        raise _too_large(f"its JSON takes {len(plain)} bytes, {INFLATED} are the most")
    deflated = zlib.compress(plain, 9)
    token = f"{VERSION}.{_text(zlib.crc32(deflated).to_bytes(4) + deflated)}"
    if len(token) > LONGEST:
        raise _too_large(f"its token would take {len(token)} characters, {LONGEST} are the most")
    return token


def decode(name: str, token: str) -> dict[str, Any]:
    """The view that a token holds, unchecked. Raises BadParameter (of `name`) for what is damaged, too long or none,
    Conflict for one that a newer version of the program has made."""
    if len(token) > LONGEST:
        raise BadParameter(name, f"{len(token)} characters", RULE)
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise BadParameter(name, token, RULE)
    if int(found[1]) > VERSION:
        raise Conflict(
            f"this token is of version {found[1]}, which a newer version of this program has made; this one reads "
            f"version {VERSION} at most"
        )
    view = _inside(found[2])
    if view is None:
        raise BadParameter(name, token, f"{RULE}, whole and unchanged")
    return view


def _inside(text: str) -> dict[str, Any] | None:
    """The JSON object in the text, None where it is damaged."""
    try:
        whole = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        # The last character has bits that say nothing: written otherwise it would pass unnoticed.
        if _text(whole) != text or zlib.crc32(whole[4:]).to_bytes(4) != whole[:4]:
            return None
        inflating = zlib.decompressobj()
        plain = inflating.decompress(whole[4:], INFLATED + 1)
        if len(plain) > INFLATED or not inflating.eof or inflating.unused_data:
            return None
        view = orjson.loads(plain)
    except (ValueError, zlib.error):
        return None
    return view if isinstance(view, dict) else None


def _too_large(reason: str) -> TooLarge:
    return TooLarge(f"this view is too large: {reason}; leave out indicators or settings")


def _text(whole: bytes) -> str:
    return urlsafe_b64encode(whole).decode().rstrip("=")
