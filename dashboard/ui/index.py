"""The HTML around Dash's tree: head, skeleton, and which of the assets are loaded how."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from dash import Dash
from flask import request

from dashboard.ui.bundle import ENTRY, Bundle
from dashboard.ui.pages import PAGES
from dashboard.ui.static import ASSETS, STYLES, Files

#: Files under `assets/` that Dash must not put on the page by itself: `main.mjs` imports the other modules (a second
#: copy under another address would be a second socket), `early.js` and the styles are in the head already.
IGNORED = r"^(?!main\.mjs$).*\.mjs$|^early\.js$|\.css$|^plotly\.min\.js$"
#: Folders of modules that a page brings when it is first shown.
LATER = frozenset({"linked", "market"})
#: Pages that draw with Plotly at once.
DRAWING = frozenset(PAGES[name][0] for name in ("chart", "compare"))
#: The layout and the callbacks are asked for at once, not when the renderer has started: it takes these answers then.
_INDEX = """<!doctype html>
<html lang="en"{looks}>
<head>
{metas}
<title>{title}</title>
<meta name="description" content="Live prices, charts and alerts.">
<link rel="icon" href="{icon}" type="image/svg+xml">
<script src="{early}"></script>
<link rel="stylesheet" href="{styles}">
<link rel="preload" as="fetch" href="/_dash-layout" crossorigin>
<link rel="preload" as="fetch" href="/_dash-dependencies" crossorigin>
<link id="plotly-source" rel="{plotly_when}" as="script" href="{plotly}">
{modules}
</head>
<body>
<div id="skeleton" aria-hidden="true"><div class="bone-head">Tickboard</div><div class="bone-cards">{cards}</div>
<div class="bone-board"><div></div><div></div><div></div></div></div>
<noscript><p class="noscript">Tickboard draws live prices with JavaScript; please allow it for this site.</p></noscript>
{app_entry}
<footer>
{config}
{scripts}
{renderer}
</footer>
</body>
</html>"""


class Page(Dash):
    """Dash with this page's HTML around it; `looks` gives attributes of <html> for the user who asks."""

    def __init__(self, *positional: Any, files: Files, looks: Callable[[], dict[str, str]], **options: Any) -> None:
        self.files, self.looks, self.bundle = files, looks, Bundle(files)
        super().__init__(*positional, **options)

    def interpolate_index(self, *_positional: Any, **parts: Any) -> str:
        """The index page. The skeleton stands until the tree is there (a style rule, so that nothing flickers)."""
        own = self.files.address
        bundled, scripts = self.bundle.first(), self.files.readdress(parts["scripts"])
        if bundled:
            scripts = scripts.replace(own("assets", "main.mjs"), own("modules", ENTRY))
        named = [own("modules", name) for name in bundled] or [own("assets", path) for path in module_paths()]
        modules = "\n".join(f'<link rel="modulepreload" href="{address}">' for address in named)
        looks = "".join(f' {name}="{escape(value)}"' for name, value in self.looks().items())
        return _INDEX.format(
            looks=looks,
            metas=parts["metas"],
            title=escape(parts["title"]),
            icon=own("assets", "favicon.svg"),
            early=own("assets", "early.js"),
            styles=own("assets", STYLES),
            plotly=self.plotly_address(),
            # On a page without a chart, when there is nothing else to do.
            plotly_when="preload" if request.path in DRAWING else "prefetch",
            modules=modules,
            cards="<div></div>" * 6,
            app_entry=parts["app_entry"],
            config=parts["config"],
            scripts=scripts,
            renderer=parts["renderer"],
        )

    def plotly_address(self) -> str:
        """The bundle that `make setup` builds (a quarter of the size), or the one that Dash brings."""
        own = ("vendor", "plotly.min.js")
        return self.files.address(*(own if self.files.get(*own) else ("plotly", "package_data/plotly.min.js")))


def module_paths() -> list[str]:
    """The modules that the first page takes, asked for at once rather than one after another."""
    found = (path.relative_to(ASSETS) for path in ASSETS.glob("*/*.mjs"))
    return sorted(path.as_posix() for path in found if path.parts[0] not in LATER)
