"""One echo server under gunicorn for every test of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.running import EchoServer, echoing


@pytest.fixture(scope="session")
def gthread() -> Iterator[EchoServer]:
    """The echo server as an operator would start it."""
    with echoing("gthread") as server:
        yield server
