"""The HTML around Dash's tree: head, skeleton, and which of the assets are loaded how."""

from __future__ import annotations

from html import escape
from typing import Any

from dash import Dash

from dashboard.ui.theme import ASSETS

#: Files under `assets/` that Dash must not put on the page by itself: `main.mjs` imports the other modules (a second
#: copy under another address would be a second socket), `early.js` and Plotly are in the head already, `login.css` is
#: not this page's.
IGNORED = r"^(?!main\.mjs$).*\.mjs$|^early\.js$|^login\.css$|^plotly\.min\.js$"
_INDEX = """<!doctype html>
<html lang="en">
<head>
{metas}
<title>{title}</title>
<link rel="icon" href="/assets/favicon.svg" type="image/svg+xml">
<script src="/assets/early.js?m={early}"></script>
{css}
<link id="plotly-source" rel="preload" as="script" href="{plotly}">
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
    """Dash with this page's HTML around it."""

    def interpolate_index(self, *_positional: Any, **parts: Any) -> str:
        """The index page. The skeleton stands until the tree is there (a style rule, so that nothing flickers)."""
        modules = "\n".join(f'<link rel="modulepreload" href="/assets/{path}">' for path in module_paths())
        return _INDEX.format(
            metas=parts["metas"],
            title=escape(parts["title"]),
            early=int((ASSETS / "early.js").stat().st_mtime),
            css=parts["css"],
            plotly=plotly_path(),
            modules=modules,
            cards="<div></div>" * 6,
            app_entry=parts["app_entry"],
            config=parts["config"],
            scripts=parts["scripts"],
            renderer=parts["renderer"],
        )


def module_paths() -> list[str]:
    """The modules that `main.mjs` imports, asked for at once rather than one after another."""
    return sorted(
        path.relative_to(ASSETS).as_posix() for path in ASSETS.glob("*/*.mjs") if path.parent.name != "vendor"
    )


def plotly_path() -> str:
    """The bundle that `make vendor` builds (a third of the size), or the one that Dash brings."""
    bundle = ASSETS / "vendor" / "plotly.min.js"
    if bundle.exists():
        return f"/assets/vendor/plotly.min.js?m={int(bundle.stat().st_mtime)}"
    return "/_dash-component-suites/plotly/package_data/plotly.min.js"
