"""A bare Dash page to measure against: the same bars in a `dcc.Graph`, six texts and an AG Grid, all in the layout.

Or, with a number of graphs and of their bars behind the port, so many graphs alone.
"""

from __future__ import annotations

import sys
from typing import Any

from dash import Dash, dcc, html
from dash_ag_grid import AgGrid
from flask import Flask

BARS, ROWS = 1000, 15


def figure(bars: int) -> Any:
    """Candles, volume, and the range of the newest 110 bars."""
    times = [1_795_428_000_000 + 60_000 * number for number in range(bars)]
    opens = [100 + number % 7 for number in range(bars)]
    candles = {"type": "candlestick", "x": times, "open": opens, "close": [price + 1 for price in opens]}
    candles |= {"high": [price + 2 for price in opens], "low": [price - 1 for price in opens]}
    volume = {"type": "bar", "x": times, "y": opens, "yaxis": "y2"}
    axes = {"yaxis": {"domain": [0.2, 1]}, "yaxis2": {"domain": [0, 0.17]}, "xaxis": {"range": times[-110::109]}}
    return {"data": [candles, volume], "layout": axes}


def layout() -> Any:
    """Cards, list and chart as Dash brings them."""
    rows = [{"symbol": f"S{number}", "last": 100 + number, "change": 0.5} for number in range(ROWS)]
    return html.Div(
        [
            html.Div(id="cards", children=[html.Div(f"S{number} 100.00", className="card") for number in range(6)]),
            AgGrid(rowData=rows, columnDefs=[{"field": name} for name in rows[0]]),
            dcc.Graph(figure=figure(BARS)),
        ]
    )


def graphs(count: int, bars: int) -> Any:
    """Graphs in three columns, as high as a third of a window."""
    place = {"display": "grid", "gridTemplateColumns": "1fr 1fr 1fr"}
    return html.Div([dcc.Graph(figure=figure(bars), style={"height": "280px"}) for _ in range(count)], style=place)


if __name__ == "__main__":
    server = Flask(__name__)
    app = Dash(__name__, server=server)
    app.layout = layout if len(sys.argv) < 3 else graphs(int(sys.argv[2]), int(sys.argv[3]))
    server.run(port=int(sys.argv[1]), threaded=True)
