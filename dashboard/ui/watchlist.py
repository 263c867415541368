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
                    html.H2("Watchlist"),
                    html.Span(str(len(paint["tickers"])), id="watchlist-count", className="faint"),
                    html.Div(id="watchlist-filter", className="filter-box"),
                    html.Div(
                        className="menu-anchor",
                        children=[
                            html.Button(
                                "Columns",
                                id="columns-button",
                                className="button",
                                type="button",
                                **hyphened(aria_haspopup="true", aria_expanded="false"),
                            ),
                            html.Div(id="columns-menu", className="menu", hidden=True),
                        ],
                    ),
                ],
            ),
            html.Div(id="watchlist", className="grid-box", children=grid(rows)),
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
            "resizable": False,
            "suppressHeaderMenuButton": True,
            "suppressMovable": True,
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
            "suppressColumnVirtualisation": True,
            "suppressScrollOnNewData": True,
            "suppressDragLeaveHidesColumns": True,
            "localeText": {"noRowsToShow": NO_ROWS, "noMatchingRows": NO_ROWS},
        },
    )


def columns() -> list[dict[str, Any]]:
    """The columns; the first four are shown until the user chooses others."""
    figure = {"type": "rightAligned", "cellClass": "num"}
    return [
        {
            "colId": "symbol",
            "field": "symbol",
            "headerName": "Symbol",
            "flex": 3,
            "minWidth": 78,
            "cellClass": "symbol-cell",
            "tooltipField": "name",
            "getQuickFilterText": {"function": "searchText(params)"},
            "sortingOrder": ["asc", "desc", None],
        },
        price_column("last", "Last", "price") | {"minWidth": 82, "flex": 3},
        figure
        | {
            "colId": "change_percent",
            "field": "change_percent",
            "headerName": "Chg %",
            "flex": 2,
            "minWidth": 56,
            "valueFormatter": {"function": "percent(params)"},
            "cellClassRules": {"up": "params.data.change > 0", "down": "params.data.change < 0"},
        },
        {
            "colId": "trend",
            "field": "trend",
            "headerName": "Trend",
            "cellDataType": False,
            "cellRenderer": "Trend",
            "sortable": False,
            "width": 68,
            "minWidth": 68,
            "maxWidth": 68,
            "headerClass": "ag-right-aligned-header",
            "cellClass": "trend-cell",
        },
        figure
        | {
            "colId": "change",
            "field": "change",
            "headerName": "Change",
            "hide": True,
            "flex": 2,
            "minWidth": 72,
            "valueFormatter": {"function": "difference(params)"},
            "cellClassRules": {"up": "params.data.change > 0", "down": "params.data.change < 0"},
        },
        price_column("bid", "Bid", "bid") | {"hide": True},
        price_column("ask", "Ask", "ask") | {"hide": True},
        price_column("high", "High", "high") | {"hide": True},
        price_column("low", "Low", "low") | {"hide": True},
        figure
        | {
            "colId": "volume",
            "field": "volume",
            "headerName": "Volume",
            "hide": True,
            "flex": 2,
            "minWidth": 72,
            "valueFormatter": {"function": "short(params)"},
        },
    ]


def price_column(column: str, title: str, field: str) -> dict[str, Any]:
    """A column of prices, each with its instrument's decimals."""
    return {
        "colId": column,
        "field": field,
        "headerName": title,
        "type": "rightAligned",
        "cellClass": "num",
        "flex": 2,
        "minWidth": 76,
        "valueFormatter": {"function": "price(params)"},
        "cellClassRules": {
            "stale": "params.data.stale",
            "flash-up": "params.data.flash > 0",
            "flash-down": "params.data.flash < 0",
        }
        if column == "last"
        else {"stale": "params.data.stale"},
    }


def grid_rows(paint: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows for the grid: each class's header row (`group` set), then its instruments in the order of `SYMBOLS`."""
    by_class: dict[str, list[dict[str, Any]]] = {}
    for quote in paint["tickers"]:
        row = quote | {"id": quote["symbol"], "trend": paint["sparks"].get(quote["symbol"], []), "flash": 0}
        by_class.setdefault(quote["class"], []).append(row)
    rows: list[dict[str, Any]] = []
    for name, members in by_class.items():
        if len(by_class) > 1:
            # A space can't be in a symbol, so a header's id never meets an instrument's.
            rows.append({"id": f"group {name}", "group": GROUPS.get(name, name)})
        rows.extend(members)
    return rows
