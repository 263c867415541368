"""Every line breaks at once: all clients come back with the page's own jitter, again and again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Scale
from tests.soak.product import loaded

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


def test_all_are_live_again_after_every_line_broke(product: Any, scale: Scale) -> None:
    running = product(server="gunicorn", TICK_MS="100", STREAM_CONNECTIONS_PER_USER="5000")
    size, worst = scale.of(60, 500), []
    with loaded(running) as clients:
        clients.open("good", size)
        for _ in range(scale.of(2, 20)):
            seen = clients.do("cut", seconds=60)
            assert len(seen["back"]) == size
            assert seen["refused"] == {}
            worst.append(seen["back"][int(size * 0.99)])
        state = clients.do("state")
    assert state["live"] == {"good": size}
    said = f"{size} clients, {len(worst)} storms: p99 live again after {max(worst):.2f} s"
    print(said)
    if scale.full:
        assert max(worst) < 10.0, said
