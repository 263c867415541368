"""Dash callbacks: what a person asks for (another symbol, timeframe or type, alerts), and the interval fall-back.

They never carry ticks but in the fall-back. Each is an open HTTP endpoint: inputs are checked like any stranger's.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update
from flask_login import current_user

from dashboard.errors import DashboardError
from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.market.indicators import Chosen, parse
from dashboard.store.quotes import quotes
from dashboard.store.rows import bar_rows
from dashboard.ui.comparing import lenient
from dashboard.ui.figures import BARS, MOST_BARS, TYPES, figure
from dashboard.ui.first_paint import feed, sparks
from dashboard.ui.services import Services
from dashboard.ui.studies import figure_with

#: Bars that a poll brings of the symbol on the chart: enough for what closed since the last one.
POLLED_BARS = 30
#: What an alert command may be.
OPS = ("list", "create", "enable", "disable", "delete")


def register(app: Dash, services: Services) -> None:
    """Put every callback on `app`."""
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("tickboard", "start"), Output("started", "data"), Input("first-paint", "data")
    )
    for store in ("figure", "alerts", "polled"):
        app.clientside_callback(  # type: ignore[no-untyped-call]
            ClientsideFunction("tickboard", store),
            Output(store, "modified_timestamp"),
            Input(store, "data"),
            prevent_initial_call=True,
        )

    def timed(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(function)
            def run(*arguments: Any) -> Any:
                began = time.perf_counter()
                try:
                    return function(*arguments)
                except DashboardError as error:
                    return {"error": str(error)}
                finally:
                    services.telemetry.callback_seconds.labels(name).observe(time.perf_counter() - began)

            return run

        return wrap

    @app.callback(Output("figure", "data"), Input("figure-request", "data"), prevent_initial_call=True)
    @timed("figure")
    def show(request: Any) -> Any:
        """The figure for {symbol, timeframe, type}, `indicators`, what it is to `compare` with and, if not the page's
        usual number, how many `bars`.

        With the request's `number`, so that the newest wins.
        With the sparklines too where `epoch` is another one than the data's: those of the page are void then.
        """
        if not isinstance(request, dict):
            return no_update
        answer: dict[str, Any] = {"number": _number(request)}
        if request.get("epoch") != services.store.epoch:
            # Perhaps another feed altogether: the page begins anew then.
            answer["market"] = {"kind": services.feed.kind, "symbols": list(services.store.catalogue.symbols)}
        try:
            shown, count = _view(services, request), _count(request)
            compared = lenient(request.get("compare"), services.store.catalogue, shown[0])
            answer |= figure_with(
                services, _indicators(request), lambda chosen: figure(services.store, *shown, count, chosen, compared)
            )
        except DashboardError as error:
            return answer | {"error": str(error)}
        if request.get("epoch") != answer["epoch"]:
            answer["sparks"] = sparks(services.store)
        return answer

    @app.callback(
        Output("polled", "data"),
        Input("poll-interval", "n_intervals"),
        State("view", "data"),
        prevent_initial_call=True,
    )
    @timed("poll")
    def poll(_count: Any, view: Any) -> Any:
        """What the stream would have told: every quote, and the newest bars of the chart's series."""
        store = services.store
        last = store.last()
        answer: dict[str, Any] = {
            "epoch": last.epoch,
            "seq": last.seq,
            "sent": services.clock.now_ms(),
            "tickers": quotes(store.catalogue, last, services.freshness),
            "feed": feed(services),
        }
        if isinstance(view, dict):
            # A view of what there is not (another market since) costs the bars, never the quotes.
            with contextlib.suppress(DashboardError):
                instrument, timeframe, _type = _view(services, view)
                rows = bar_rows(store.bars(instrument, timeframe, limit=POLLED_BARS).rows)
                answer["bars"] = {"symbol": view["symbol"], "timeframe": view["timeframe"], "rows": rows}
        return answer

    @app.callback(Output("alerts", "data"), Input("alert-command", "data"), prevent_initial_call=True)
    @timed("alerts")
    def alerts(command: Any) -> Any:
        """Do {op: list | create | enable | disable | delete, …} and give the user's rules and newest events."""
        if not isinstance(command, dict):
            return no_update
        book, user = services.alert_book, int(current_user.id)
        answer: dict[str, Any] = {"number": _number(command), "op": _op(command)}
        try:
            _do(book, user, command)
        except DashboardError as error:
            answer["error"] = str(error)
        answer["rules"] = book.list_for(user)
        answer["events"] = book.history(user, 20)
        return answer


def _op(command: dict[str, Any]) -> str | None:
    """The command's operation, if it is one: a string of any kind could not be sent back, half a character for one."""
    op = command.get("op")
    return op if op in OPS else None


def _number(given: dict[str, Any]) -> int | None:
    """The page's own number of its question, if it is one."""
    number = given.get("number")
    return number if isinstance(number, int) and abs(number) < 2**53 else None


def _count(given: dict[str, Any]) -> int:
    """How many bars are asked for. Raises DashboardError where that is no number or too many."""
    count = given.get("bars", BARS)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_BARS:
        raise DashboardError(f"bars must be between 1 and {MOST_BARS}, got {str(count)[:30]!r}")
    return count


def _indicators(given: dict[str, Any]) -> tuple[Chosen, ...]:
    """The indicators that are asked for. Raises DashboardError for what there is not."""
    text = given.get("indicators") or ""
    return parse(str(text)) if text else ()


def _view(services: Services, given: dict[str, Any]) -> tuple[int, int, str]:
    """(instrument, timeframe, type) of a view. Raises DashboardError for what there is not."""
    symbol, timeframe, type_ = (str(given.get(name, "")) for name in ("symbol", "timeframe", "type"))
    instrument = services.store.catalogue.require(symbol)
    if timeframe not in TIMEFRAME_INDEX:
        raise DashboardError(f"timeframe must be one of {', '.join(TIMEFRAME_INDEX)}, got {timeframe[:30]!r}")
    if type_ not in TYPES:
        raise DashboardError(f"type must be one of {', '.join(TYPES)}, got {type_[:30]!r}")
    return instrument, TIMEFRAME_INDEX[timeframe], type_


def _do(book: Any, user: int, command: dict[str, Any]) -> None:
    op = command.get("op")
    if op == "create":
        book.create(user, str(command.get("symbol", "")), str(command.get("direction", "")), command.get("level"))
    elif op in ("enable", "disable", "delete"):
        number = command.get("id")
        if isinstance(number, bool) or not isinstance(number, int):
            raise DashboardError("id must be a whole number")
        if op == "delete":
            book.delete(user, number)
        else:
            book.set_enabled(user, number, op == "enable")
    elif op != "list":
        raise DashboardError(f"op must be one of {', '.join(OPS)}")
