"""The data that the page opens with: quotes, sparklines, alerts and the view, so that no panel is ever empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_login import current_user

from dashboard.errors import StorageError
from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.store.freshness import stale_after_ms
from dashboard.store.memory import MemoryStore
from dashboard.store.quotes import quotes
from dashboard.ui import comparing, remembered
from dashboard.ui.figures import BARS, TYPES, figure
from dashboard.ui.services import Services
from dashboard.ui.studies import figure_with, lenient, registry
from dashboard.workbench.views import SCALES

#: Cards at the top: the first of `SYMBOLS`.
CARDS = 6
#: A sparkline shows the closes of so many minutes; beyond this many instruments it begins with the live prices.
SPARK_BARS, SPARKED = 40, 300
DEFAULT_TIMEFRAME, DEFAULT_TYPE, DEFAULT_SCALE = "1m", "candles", "linear"


def first_paint(services: Services, query: Mapping[str, str]) -> dict[str, Any]:
    """Everything the page's modules start from; `query` is the URL's, from which the view is taken."""
    store = services.store
    with store.lock:
        last = store.last()
        lines = sparks(store)
    kept = remembered.preferences(services)
    opened = None if query else remembered.opened(services, kept)
    shown = view(services, opened["view"] if opened and "view" in opened else query)
    return {
        "epoch": last.epoch,
        "seq": last.seq,
        "now": services.clock.now_ms(),
        "instruments": [
            {
                "symbol": instrument.symbol,
                "name": instrument.name,
                "class": instrument.asset_class,
                "sector": instrument.sector,
                "decimals": instrument.decimals,
            }
            for instrument in store.catalogue
        ],
        "tickers": quotes(store.catalogue, last, services.freshness),
        "sparks": lines,
        "feed": feed(services),
        "user": {"name": getattr(current_user, "name", ""), "role": getattr(current_user, "role", "")},
        "view": shown,
        "opened": opened,
        "preferences": kept,
        "indicators": registry(),
        "comparison": comparing.registry(),
        "figure": figure_of(services, shown, (opened or {}).get("view", query).get("compare")),
        "alerts": alerts(services),
    }


def sparks(store: MemoryStore) -> dict[str, list[float]]:
    """The closes of the last minutes by symbol, newest last, to eight digits."""
    return {
        symbol: [float(f"{close:.8g}") for close in store.sparkline(at, TIMEFRAME_INDEX["1m"], SPARK_BARS).tolist()]
        for at, symbol in enumerate(store.catalogue.symbols[:SPARKED])
    }


def feed(services: Services) -> dict[str, Any]:
    """What feeds the page, when its silence is stale, where its clock stands, how fast that runs, and how it does."""
    healthy, health = services.feed_health()
    return {
        "kind": services.feed.kind,
        "stale_after_ms": stale_after_ms(services.feed.interval_ms),
        "silence_is_stale": services.feed.silence_is_stale,
        "market_now": services.feed.market_now_ms(),
        "pace": services.feed.pace,
        "healthy": healthy,
        "health": health,
    }


def figure_of(services: Services, shown: dict[str, str], compared: object) -> dict[str, Any] | None:
    """The chart of the view, with what it is `compared` with; None where there is no instrument at all."""
    instrument = services.store.catalogue.index(shown["symbol"])
    if instrument is None:
        return None
    timeframe = TIMEFRAME_INDEX[shown["timeframe"]]
    others = comparing.lenient(compared, services.store.catalogue, instrument)
    return figure_with(
        services,
        lenient(shown["indicators"]),
        lambda chosen: figure(services.store, instrument, timeframe, shown["type"], BARS, chosen, others),
    )


def view(services: Services, query: Mapping[str, Any]) -> dict[str, str]:
    """Symbol, timeframe, chart type, price scale and indicators from the URL's query or a kept view; what is unknown
    there becomes the default, or is left out."""
    symbols = services.store.catalogue.symbols
    symbol, timeframe, kind, scale = (query.get(name, "") for name in ("symbol", "timeframe", "type", "scale"))
    # A kept view has a list of them.
    studies = query.get("indicators", "")
    chosen = lenient(",".join(studies) if isinstance(studies, list) else studies)
    return {
        "symbol": symbol if symbol in symbols else (symbols[0] if symbols else ""),
        "timeframe": timeframe if timeframe in TIMEFRAME_INDEX else DEFAULT_TIMEFRAME,
        "type": kind if kind in TYPES else DEFAULT_TYPE,
        "scale": scale if scale in SCALES else DEFAULT_SCALE,
        "indicators": ",".join(each.text for each in chosen),
    }


def alerts(services: Services) -> dict[str, Any]:
    """The user's rules and newest events, or why they can't be shown: an unreadable book is never no alerts."""
    user = getattr(current_user, "id", None)
    if user is None:
        return {"rules": [], "events": []}
    try:
        return {"rules": services.alert_book.list_for(user), "events": services.alert_book.history(user, 20)}
    except StorageError as error:
        return {"rules": [], "events": [], "error": str(error)}
