"""The watchlist: an AG Grid whose rows `watchlist.mjs` keeps live, grouped by class while it is unsorted."""

from __future__ import annotations

import json
from typing import Any

from dash import html
from dash_ag_grid import AgGrid

from dashboard.ui.attributes import hyphened

GROUPS = {
    "stock": "Stocks",
    "crypto": "Crypto",
    "currency": "Currencies",
    "commodity": "Commodities",
    "index": "Indices",
}
#: Columns of prices that a user may add.
PRICES = {
    "bid": "Bid",
    "ask": "Ask",
    "spread": "Spread",
    "open": "Open",
    "high": "High",
    "low": "Low",
    "previous_close": "Prev. close",
}
#: How columns that are drawn differ from the others.
TREND = {"sortable": False, "flex": None, "width": 60, "minWidth": 48, "cellClass": "trend-cell"}
RANGE = {
    "minWidth": 84,
    "cellClass": "range-cell",
    "headerTooltip": "From the day's low to its high, and where the last price is in it",
}
YEAR_RANGE = RANGE | {
    "minWidth": 108,
    "headerTooltip": "From the low of 52 weeks to their high, and where the last price is in it",
}
VOLATILITY = {
    "minWidth": 84,
    "headerTooltip": "Standard deviation of the returns of the last minutes, at most 39, in percent a minute",
}
#: What a row holds: what never changes, and what the grid sorts by; `watchlist.mjs` draws the rest.
ROW = ("symbol", "name", "class", "price", "change", "change_percent", "bid", "ask", "high", "low", "volume")
ROW_HEIGHT, GROUP_HEIGHT, HEADER_HEIGHT = 28, 24, 26
NO_ROWS = "No symbol matches the filter"
#: AG Grid's theme, in the page's tokens: a change of theme restyles it at once.
THEME = {
    "accentColor": "var(--accent)",
    "backgroundColor": "var(--surface)",
    "foregroundColor": "var(--text)",
    "borderColor": "var(--line)",
    "browserColorScheme": "inherit",
    "cellHorizontalPadding": 8,
    "cellTextColor": "var(--text)",
    "chromeBackgroundColor": "var(--surface)",
    "columnBorder": False,
    "fontFamily": "inherit",
    "fontSize": 13,
    "headerBackgroundColor": "var(--surface)",
    "headerColumnResizeHandleColor": "transparent",
    "headerFontSize": 11,
    "headerFontWeight": 500,
    "headerHeight": HEADER_HEIGHT,
    "headerTextColor": "var(--faint)",
    "oddRowBackgroundColor": "var(--surface)",
    "pinnedColumnBorder": {"style": "solid", "width": 1, "color": "var(--pinned-line)"},
    "rangeSelectionBorderColor": "var(--accent)",
    "rowBorder": False,
    "rowHeight": ROW_HEIGHT,
    "rowHoverColor": "var(--sunken)",
    "selectedRowBackgroundColor": "var(--accent-soft)",
    "spacing": 4,
    "valueChangeValueHighlightBackgroundColor": "var(--sunken)",
    "wrapperBorder": False,
    "wrapperBorderRadius": 0,
}


def watchlist(paint: dict[str, Any]) -> html.Section:
    """The panel with the list, its rows those of the first paint."""
    rows = grid_rows(paint)
    return html.Section(
        className="panel list-panel",
        **hyphened(aria_label="Watchlist", data_view="list"),
        children=[
            html.Div(
                className="panel-head",
                children=[
                    list_choice(),
                    html.Span(str(len(paint["tickers"])), id="watchlist-count", className="faint"),
                    html.Div(id="watchlist-filter", className="filter-box"),
                    html.Div(
                        className="menu-anchor",
                        children=[
                            html.Button(
                                id="columns-button",
                                className="button",
                                type="button",
                                title="Columns",
                                **hyphened(aria_label="Columns", aria_expanded="false", aria_controls="columns-menu"),
                            ),
                            html.Div(id="columns-menu", className="menu", hidden=True),
                        ],
                    ),
                ],
            ),
            html.Div(id="watchlist", className="grid-box", children=grid(rows)),
        ],
    )


def list_choice() -> html.Div:
    """The heading, which names the list that is shown and opens the menu of all of them (`listmenu.mjs`)."""
    return html.Div(
        className="menu-anchor list-anchor",
        children=[
            html.H2(
                html.Button(
                    id="list-button",
                    className="list-button",
                    type="button",
                    title="Watchlists",
                    **hyphened(aria_expanded="false", aria_controls="list-menu"),
                    children=[
                        html.Span("Watchlist: ", className="read-only-to-readers"),
                        html.Span("All instruments", id="list-name"),
                    ],
                )
            ),
            html.Div(id="list-menu", className="menu", hidden=True),
        ],
    )


def grid(rows: list[dict[str, Any]]) -> AgGrid:
    """The grid itself; every function it names lives in `assets/grid.js`."""
    return AgGrid(
        id="watchlist-grid",
        className="",
        style={"height": "100%", "width": "100%"},
        rowData=rows,
        getRowId="params.data.id",
        columnDefs=columns(),
        defaultColDef={
            "suppressHeaderMenuButton": True,
            # A column that is dragged over the symbols would be pinned beside them.
            "lockPinned": True,
            "sortingOrder": ["desc", "asc", None],
        },
        dashGridOptions={
            "theme": {"function": f"themeQuartz.withParams({json.dumps(THEME)})"},
            "animateRows": False,
            "asyncTransactionWaitMillis": 50,
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": False},
            "isFullWidthRow": {"function": "isGroup(params)"},
            "fullWidthCellRenderer": "GroupRow",
            "getRowHeight": {"function": "heightOf(params)"},
            "isExternalFilterPresent": {"function": "groupsHidden(params)"},
            "doesExternalFilterPass": {"function": "isInstrument(params)"},
            "suppressCellFocus": False,
            # Arrows move between cells; Tab goes on to the next part of the page.
            "tabToNextCell": {"function": "leaveGrid(params)"},
            "context": {"groups": GROUPS},
            # Rows beside the view are drawn with every tick too.
            "rowBuffer": 4,
            "suppressScrollOnNewData": True,
            "suppressDragLeaveHidesColumns": True,
            "localeText": {"noRowsToShow": NO_ROWS, "noMatchingRows": NO_ROWS},
        },
    )


def columns() -> list[dict[str, Any]]:
    """The columns; the first four are shown until the user chooses others, and the symbol stays when others scroll."""
    return [
        {
            "colId": "symbol",
            "field": "symbol",
            "headerName": "Symbol",
            "width": 94,
            "minWidth": 72,
            "pinned": "left",
            "lockPosition": "left",
            "suppressMovable": True,
            "cellClass": "symbol-cell",
            "cellRenderer": "Symbol",
            "tooltipField": "name",
            "getQuickFilterText": {"function": "searchText(params)"},
            "sortingOrder": ["asc", "desc", None],
        },
        live_column("last", "price", "Last") | {"minWidth": 82, "flex": 3},
        live_column("change_percent", "change_percent", "Chg %") | {"minWidth": 56},
        live_column("trend", None, "Trend") | TREND,
        {
            "colId": "name",
            "field": "name",
            "headerName": "Name",
            "flex": 3,
            "minWidth": 120,
            "hide": True,
            "tooltipField": "name",
            "getQuickFilterText": {"function": "nothing(params)"},
            "sortingOrder": ["asc", "desc", None],
        },
        live_column("change", "change", "Change") | {"hide": True},
        *(live_column(name, name, title) | {"hide": True} for name, title in PRICES.items()),
        live_column("volume", "volume", "Volume") | {"hide": True},
        live_column("range", "range", "Day range") | RANGE | {"hide": True},
        live_column("year_range", "year_range", "52-week range") | YEAR_RANGE | {"hide": True},
        live_column("volatility", "volatility", "Volatility") | VOLATILITY | {"hide": True},
    ]


def live_column(column: str, field: str | None, title: str) -> dict[str, Any]:
    """A column whose cells `watchlist.mjs` draws; the grid knows `field` for sorting only."""
    return {
        "colId": column,
        "field": field,
        "headerName": title,
        "type": "rightAligned",
        "cellClass": "num",
        "flex": 2,
        "minWidth": 76,
        "cellRenderer": "Live",
        "cellDataType": False,
        "getQuickFilterText": {"function": "nothing(params)"},
    }


def grid_rows(paint: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows for the grid: each class's header row (`group` set), then its instruments in the order of `SYMBOLS`."""
    by_class: dict[str, list[dict[str, Any]]] = {}
    for quote in paint["tickers"]:
        row = {"id": quote["symbol"], **{name: quote[name] for name in ROW}}
        by_class.setdefault(quote["class"], []).append(row)
    rows: list[dict[str, Any]] = []
    for name, members in by_class.items():
        if len(by_class) > 1:
            # A space can't be in a symbol, so a header's id never meets an instrument's.
            rows.append({"id": f"group {name}", "group": GROUPS.get(name, name)})
        rows.extend(members)
    return rows
