"""The running product as a client sees it: log in with the form, ask the API, log out."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import re
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

import orjson

from dashboard.config import Settings
from dashboard.errors import DashboardError

#: An answer that takes longer is none, s.
TIMEOUT_S = 30.0
_COOKIE = re.compile(r"[^;\s]+=[^;\s]*")


class Refused(DashboardError):
    """The product answered, but not with what was asked for."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        super().__init__(sentence)


def address(settings: Settings) -> str:
    """Where a product with these settings listens, as a URL for somebody on the same machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    with contextlib.suppress(ValueError):  # a name
        host = f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    return f"http://{host}:{settings.port}"


class Product:
    """A product at `url` (http or https, a host and perhaps a port), logged in for as long as its `with` lasts.

    Raises DashboardError with a sentence wherever it can't be reached, lets nobody in, or answers something else.
    """

    def __init__(self, url: str, name: str, password: str) -> None:
        parts = urlsplit(url)
        try:
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.path in ("", "/")
            self._port = parts.port
        except ValueError:
            good = False
        if not good or parts.query or parts.username is not None:
            raise DashboardError(f"--url must be like http://127.0.0.1:8050, got {url[:100]!r}")
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._secure, self._host = parts.scheme == "https", str(parts.hostname)
        self._name, self._password = name, password
        self._cookie = ""

    def __enter__(self) -> Self:
        status, cookie, _body = self._ask(
            "POST", "/login", urlencode({"username": self._name, "password": self._password}).encode()
        )
        if status != 302 or not cookie:
            said = {401: "these don't go together", 429: "too many failed tries, wait five minutes"}
            raise DashboardError(
                f"{self.url} does not let {self._name[:60]!r} in: {said.get(status, f'status {status}')}; "
                "name a user with --user, its password is asked for or a line on standard input"
            )
        self._cookie = cookie
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(DashboardError):  # the session ends by itself
            self._ask("POST", "/logout", b"")

    def get(self, path: str, query: dict[str, str]) -> Any:
        """The JSON of a 200 answer below `/api/v1`. Raises Refused where another one came."""
        asked = f"/api/v1{quote(path)}?{urlencode(query)}"
        status, _cookie, body = self._ask("GET", asked)
        try:
            answer = orjson.loads(body)
            if status == 200:
                return answer
            detail = str(answer["detail"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            detail = "no JSON"
        raise Refused(status, f"{self.url} answered {status} to {asked[:200]}: {detail[:300]}")

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, str, bytes]:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        line = kind(self._host, self._port, timeout=TIMEOUT_S)
        headers = {"Connection": "close"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if self._cookie:
            headers["Cookie"] = self._cookie
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            cookie = _COOKIE.match(answer.headers.get("Set-Cookie", ""))
            return answer.status, cookie.group() if cookie else "", answer.read()
        except http.client.IncompleteRead:
            raise DashboardError(f"{self.url} broke its answer off; try again") from None
        except TimeoutError:
            raise DashboardError(f"{self.url} did not answer within {TIMEOUT_S:.0f} s") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise DashboardError(f"no product can be reached at {self.url}: {why}") from None
        finally:
            line.close()
