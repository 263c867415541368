"""What requests for kept documents have in common: a JSON body, the version that was seen, an answer with its ETag."""

from __future__ import annotations

import re
from typing import Any

import orjson
from flask import Response, request
from flask_login import current_user
from werkzeug.exceptions import BadRequest, PreconditionRequired, RequestEntityTooLarge, UnsupportedMediaType

from dashboard.errors import NotThere, TooLarge
from dashboard.workbench.shelf import Kept, Seen

#: Bytes of a body: a watchlist of 1,000 symbols takes 27 KB.
BYTES = 65_536
#: Bytes of one with drawings: 200 with all that each may hold take 460 KB, most of it 500 characters of 4 bytes each.
DRAWINGS_BYTES = 524_288
#: The version in an ETag. Whoever compresses an answer adds to its tag (Flask-Compress `:br`) or makes it weak (nginx):
#: it is the version that is meant, however its bytes came.
_VERSION = re.compile(r"([0-9]{1,9})(:[a-z]{1,10})?")
_NUMBER = re.compile(r"[1-9][0-9]{0,18}")


def me() -> int:
    """The id of the user who asks."""
    return int(current_user.id)


def numbered(kind: str, text: str) -> int:
    """The number of a document in an address. Raises NotThere where it can be none."""
    if not _NUMBER.fullmatch(text):
        raise NotThere(f"there is no {kind} {text[:20]!r}")
    return int(text)


def body(most: int = BYTES) -> object:
    """The JSON that came, of so many bytes at most. Raises UnsupportedMediaType, TooLarge, BadRequest."""
    if request.mimetype != "application/json":
        came = request.mimetype[:60] or "nothing"
        raise UnsupportedMediaType(f"the body must be sent as application/json, got {came!r}")
    # One more: of a body without a length no more is read, and what was read says whether it went on.
    request.max_content_length = most + 1
    try:
        raw = request.get_data()
    except RequestEntityTooLarge:
        raw = None
    if raw is None or len(raw) > most:
        raise TooLarge(f"the body takes more than {most} bytes, the most that is accepted here")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is no JSON: {error}") from None


def seen() -> Seen:
    """The versions that the sender has seen, by `If-Match`; None for `*`. Raises PreconditionRequired without."""
    if not request.headers.get("If-Match", "").strip():
        raise PreconditionRequired(
            "say by If-Match which version this is about: the ETag of the answer that you have read, or * for any"
        )
    tags = request.if_match
    if tags.star_tag:
        return None
    found = (_VERSION.fullmatch(tag) for tag in tags.as_set(include_weak=True))
    return frozenset(int(each[1]) for each in found if each is not None)


def answer(shown: dict[str, Any], kept: Kept, location: str | None = None) -> Response:
    """A document with its version as ETag; with `location` one that is new there (201)."""
    made = Response(orjson.dumps(shown), 201 if location else 200, mimetype="application/json")
    made.set_etag(str(kept.version))
    if location:
        made.headers["Location"] = location
    return made


def listing(rows: list[dict[str, Any]]) -> Response:
    """Documents in a list."""
    return Response(orjson.dumps({"data": rows}), mimetype="application/json")


def gone() -> Response:
    """The answer to a deletion."""
    return Response(status=204)
