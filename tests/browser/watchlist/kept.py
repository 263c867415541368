"""Watchlists on the server, as another tab or a script sees them, and the menu of them on the page."""

from __future__ import annotations

from typing import Any

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.browser.watchlist.listed import symbols

PATH = "/api/v1/watchlists"


def every(server: httpx.Client) -> list[dict[str, Any]]:
    """All lists of the user."""
    found: list[dict[str, Any]] = server.get(PATH).json()["data"]
    return found


def make(server: httpx.Client, name: str, *members: str, **more: Any) -> dict[str, Any]:
    """A new list."""
    answer = server.post(PATH, json={"name": name, "symbols": list(members), **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def change(server: httpx.Client, kept: dict[str, Any], **patch: Any) -> None:
    """Change a list as somebody else would."""
    answer = server.put(f"{PATH}/{kept['id']}", json={**kept, **patch}, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text


def held(server: httpx.Client, name: str) -> list[str]:
    """The symbols that the server has of a list."""
    found: list[str] = next(each["symbols"] for each in every(server) if each["name"] == name)
    return found


def menu(page: Page) -> Locator:
    """The menu of lists, opened."""
    opened = page.locator("#list-menu")
    if not opened.is_visible():
        page.click("#list-button")
    expect(opened).to_be_visible()
    return opened


def choose_list(page: Page, name: str) -> None:
    """Show a list, and wait until its name stands over it."""
    menu(page).locator(".lists button", has_text=name).click()
    expect(page.locator("#list-name")).to_have_text(name)


def rows(page: Page) -> list[str]:
    """The instruments listed, without headings."""
    return [name for name in symbols(page) if not name.startswith("group ")]
