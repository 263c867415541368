"""How scripts and styles reach the browser: compressed once and kept, cached by the browser under their fingerprint.

Dynamic answers (layout, callbacks, JSON) are compressed as they come by flask-compress; exports stream as they are.
"""

from __future__ import annotations

import gzip
import threading

import brotli
from flask import Flask, Response, request
from flask_compress import Compress

#: Brotli's quality where a file is compressed at its first request: plotly.js takes 0.1 s at 5, 8.7 s at 11.
QUALITY = 5
#: A page has about fifty files.
KEPT_FILES = 200
_KEPT = ("text/javascript", "application/javascript", "text/css", "image/svg+xml")
_DYNAMIC = ["text/html", "application/json", "application/problem+json", "text/plain"]
_YEAR = "private, max-age=31536000, immutable"


class Compressed:
    """Compressed bodies of files, by path, entity tag and encoding; made at the first request for each."""

    def __init__(self) -> None:
        self._bodies: dict[tuple[str, str, str], bytes] = {}
        self._lock = threading.Lock()

    def body(self, path: str, tag: str, encoding: str, response: Response) -> bytes:
        """The response's body in `encoding` (`br` or `gzip`)."""
        key = path, tag, encoding
        found = self._bodies.get(key)
        if found is not None:
            return found
        with self._lock:
            if key not in self._bodies:
                response.direct_passthrough = False
                plain = response.get_data()
                made = brotli.compress(plain, quality=QUALITY) if encoding == "br" else gzip.compress(plain, 6)
                # Dash serves a file under any fingerprint, so the paths are without end: keep the newest.
                while len(self._bodies) >= KEPT_FILES:
                    del self._bodies[next(iter(self._bodies))]
                self._bodies[key] = made
            return self._bodies[key]


def install(server: Flask) -> None:
    """Compress and cache what `server` answers."""
    server.config |= {
        "COMPRESS_MIMETYPES": _DYNAMIC,
        "COMPRESS_STREAMS": False,
        "COMPRESS_MIN_SIZE": 1000,
        "COMPRESS_BR_LEVEL": 4,
    }
    Compress(server)
    kept = Compressed()

    @server.after_request
    def compress_files(response: Response) -> Response:
        if not request.path.startswith(("/assets/", "/_dash-component-suites/")) or response.status_code != 200:
            return response
        if "m" in request.args:
            response.headers["Cache-Control"] = _YEAR
        if response.mimetype not in _KEPT or request.method != "GET" or "Content-Encoding" in response.headers:
            return response
        encoding = request.accept_encodings.best_match(("br", "gzip"))
        if encoding is None:
            return response
        tag, _weak = response.get_etag()
        version = tag or response.headers.get("Content-Length", "")
        body = kept.body(request.path, version, encoding, response)
        response.direct_passthrough = False
        response.set_data(body)
        response.headers["Content-Encoding"] = encoding
        response.vary.add("Accept-Encoding")
        if tag:
            response.set_etag(tag, weak=True)
        return response
