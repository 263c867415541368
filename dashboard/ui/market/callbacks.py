"""The callbacks of the Market page: each panel asks for itself, at its own pace, and fails by itself.

A panel is asked by its interval, which runs only while the page is looked at, and whenever its question changes. Each
is an open HTTP endpoint: what it is asked for is checked like any stranger's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, no_update

from dashboard.errors import DashboardError
from dashboard.telemetry import get_logger
from dashboard.ui.market.answers import PANELS
from dashboard.ui.market.overview import Overview
from dashboard.ui.services import Services

#: How often each panel asks anew, ms: slower than ticks, and the slower the less a tick changes it.
PACES_MS = {"heat": 5_000, "movers": 5_000, "breadth": 10_000, "correlation": 30_000}
assert PACES_MS.keys() == PANELS.keys()
FAILED = "The server could not compute this; its log has the reason."


def register(app: Dash, services: Services) -> None:
    """Put the page's callbacks on `app`."""
    overview = Overview(services.store, services.freshness, services.clock)
    for name, answer in PANELS.items():
        app.clientside_callback(  # type: ignore[no-untyped-call]
            ClientsideFunction("tickboard", name),
            Output(f"market-{name}", "modified_timestamp"),
            Input(f"market-{name}", "data"),
            prevent_initial_call=True,
        )
        app.callback(
            Output(f"market-{name}", "data"),
            Input(f"market-{name}-interval", "n_intervals"),
            Input(f"market-{name}-ask", "data"),
            prevent_initial_call=True,
        )(answering(name, answer, overview, services))


def answering(
    name: str, answer: Callable[[Overview, dict[str, Any]], dict[str, Any]], overview: Overview, services: Services
) -> Callable[[Any, Any], Any]:
    """The callback of one panel: its answer to the question {number, …}, or one sentence under `error`."""
    log = get_logger("market page")

    def run(_count: Any, request: Any) -> Any:
        if not isinstance(request, dict):
            return no_update
        number = request.get("number")
        told: dict[str, Any] = {"number": number if isinstance(number, int) and abs(number) < 2**53 else None}
        began = time.perf_counter()
        try:
            return told | answer(overview, request) | {"sent": services.clock.now_ms()}
        except DashboardError as error:
            return told | {"error": str(error)}
        except Exception:
            # A panel that can't be made must neither take the others with it nor leave its own empty without a word.
            log.exception("a panel failed", panel=name)
            return told | {"error": FAILED}
        finally:
            services.telemetry.callback_seconds.labels(name).observe(time.perf_counter() - began)

    return run
