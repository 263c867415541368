"""Clients are cut off at random moments, closed, reset, stalled, with the server restarted and its worker killed; they
resume as the protocol says, and end with exactly the state and the list of ticks that the store has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
import uvloop

from tests.conftest import Product, Scale
from tests.soak.checker import Swarm
from tests.soak.ledger import MS
from tests.soak.product import kill, reload
from tests.soak.truth import bars_of_ticks

SEED = 20


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_whoever_is_cut_off_ends_with_what_the_store_has(product: Any, scale: Scale) -> None:
    running = product(server="gunicorn", TICK_MS="100", STORE_MB="512", STREAM_CONNECTIONS_PER_USER="5000")
    watch(running)
    with closing(running.client()) as client:
        swarm = Swarm(client, running.port, running.folder / "test.db", scale.of(12, 60), SEED)
        # A killed worker, a reload, and an end with a new start: each begins another market.
        doings = [begin_anew(running, doing) for doing in (kill, reload, Product.restart)]
        rounds, limit_s = scale.of(90, 3_600), float(scale.of(200, 1_800))
        run(swarm.run(rounds, doings * scale.of(1, 4), limit_s=limit_s))
        kept = [truth for truth in swarm.truths.values() if any(truth.ticks.values())]
        compared = sum(made_of_ticks(truth) for truth in kept)
    refused = sum(checker.ledger.refused for checker in swarm.checkers)
    resumed = sum(checker.ledger.resumed for checker in swarm.checkers)
    told = sum(checker.ledger.messages for checker in swarm.checkers)
    alerts = len(swarm.checkers[0].ledger.alert_ids)
    print(f"seed {SEED}: {swarm.rounds} rounds, {told} messages, {swarm.compared} rows equal to the store's,")
    print(
        f"{resumed} resumes, {refused} told false, {alerts} alerts to each, {compared} bars made of ticks; {swarm.ends}"
    )
    assert len(swarm.truths) == len(doings) * scale.of(1, 4) + 1
    assert min(resumed, refused, alerts, compared) > 0
    assert {"closed", "reset", "stalled", "drained"} <= set(swarm.ends)
    assert "Traceback" not in running.log


def made_of_ticks(truth: Any) -> int:
    """The store's bars are those that its own ticks make, wherever both are whole; how many were compared."""
    count = 0
    for (timeframe, symbol), (_, rows) in truth.bars.items():
        if timeframe != "1s":
            continue
        made = bars_of_ticks(truth.ticks[symbol], MS[timeframe])
        for row in rows[:-2]:
            if row[0] in made:
                assert [*row[1:5], row[6]] == made[row[0]], f"{symbol} {row}: its ticks make {made[row[0]]}"
                count += 1
    return count


def watch(running: Product) -> None:
    """Alerts that fire again and again: a level at the price of now, from either side, for some symbols."""
    with closing(running.client()) as client:
        for quote in client.get("/api/v1/tickers").json()["data"][:5]:
            for direction in ("above", "below"):
                value = {"op": "create", "symbol": quote["symbol"], "direction": direction, "level": quote["price"]}
                answer = client.post(
                    "/_dash-update-component",
                    json={
                        "output": "alerts.data",
                        "outputs": {"id": "alerts", "property": "data"},
                        "inputs": [{"id": "alert-command", "property": "data", "value": value}],
                        "changedPropIds": ["alert-command.data"],
                    },
                )
                assert answer.status_code == 200 and "error" not in answer.json()["response"]["alerts"]["data"]


def begin_anew(running: Product, doing: Callable[[Product], None]) -> Callable[[], Awaitable[None]]:
    """An operator's doing, off the loop that the clients live on."""

    async def do() -> None:
        await asyncio.to_thread(doing, running)

    return do


def run(work: Any) -> None:
    """On uvloop, in a thread of its own: where browser tests have run before, this one has a loop already."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(uvloop.run, work).result()
