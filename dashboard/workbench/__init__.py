"""What a user keeps: watchlists, named views, drawings, preferences. Nobody sees another's.

`Workbench` is the room's face. A document is checked by the file that is named after its kind, kept by `named` or
`keyed`, and has a version that grows by one with every change: who changes or deletes it says which one it has seen.
"""

from __future__ import annotations

from sqlalchemy import select

from dashboard.clock import Clock
from dashboard.database.engine import Database
from dashboard.workbench import drawings, preferences, views, watchlists
from dashboard.workbench.keyed import Keyed
from dashboard.workbench.models import Preferences, SavedView, SymbolDrawings, Watchlist
from dashboard.workbench.named import Named

__all__ = ["Workbench"]

#: A user may have so many watchlists, views, and instruments with drawings.
WATCHLISTS, VIEWS, DRAWN_SYMBOLS = 50, 200, 1000


class Workbench:
    """What every user keeps, on its shelves. Every method may raise StorageError besides what it says."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.watchlists = Named(database, clock, Watchlist, "watchlist", watchlists.FORMAT, WATCHLISTS)
        self.views = Named(database, clock, SavedView, "view", views.FORMAT, VIEWS)
        self.drawings = Keyed(database, clock, SymbolDrawings, drawings.FORMAT, drawings.NONE, DRAWN_SYMBOLS)
        self.preferences = Keyed(database, clock, Preferences, preferences.FORMAT, preferences.NONE, 1)

    def drawn(self, user_id: int) -> list[tuple[str, int, int]]:
        """(symbol, number of drawings, version) of every instrument that a user has drawn on, by symbol."""
        table = SymbolDrawings
        wanted = select(table.symbol, table.count, table.version)
        with self.database.reading() as session:
            rows = session.execute(wanted.where(table.user_id == user_id, table.count > 0).order_by(table.symbol))
            return [(symbol, count, version) for symbol, count, version in rows]
