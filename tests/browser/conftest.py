"""How long a test of the browser waits for what it expects."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.waits import PATIENCE_MS

expect.set_options(timeout=PATIENCE_MS)
