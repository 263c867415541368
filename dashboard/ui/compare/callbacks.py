"""The one callback of the Compare page: it brings the bars of every chart that asks. An open HTTP endpoint, as any."""

from __future__ import annotations

import time
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, no_update

from dashboard.errors import DashboardError
from dashboard.telemetry import get_logger
from dashboard.ui.compare.answers import charts
from dashboard.ui.services import Services


def register(app: Dash, services: Services) -> None:
    """Put the page's callback on `app`."""
    log = get_logger("compare page")
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("tickboard", "compare"),
        Output("compare", "modified_timestamp"),
        Input("compare", "data"),
        prevent_initial_call=True,
    )

    @app.callback(Output("compare", "data"), Input("compare-ask", "data"), prevent_initial_call=True)
    def compare(request: Any) -> Any:
        """The answer of `answers.charts` with the question's `number`; one sentence under `error` to what is none."""
        if not isinstance(request, dict):
            return no_update
        number = request.get("number")
        told: dict[str, Any] = {"number": number if isinstance(number, int) and abs(number) < 2**53 else None}
        began = time.perf_counter()
        try:
            return told | charts(services.store, request, lambda: log.exception("a chart's bars could not be read"))
        except DashboardError as error:
            return told | {"error": str(error)}
        finally:
            services.telemetry.callback_seconds.labels("compare").observe(time.perf_counter() - began)
