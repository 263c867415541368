"""How long a test of the browser waits for what it expects."""

from __future__ import annotations

from playwright.sync_api import expect

#: Ms; a machine with much else to do needs more than the five seconds that are usual.
expect.set_options(timeout=15_000)
