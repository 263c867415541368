"""Numbers read the same, whether the server writes them or the browser: none changes its look when it moves."""

from __future__ import annotations

import random
from pathlib import Path

from playwright.sync_api import Browser

from dashboard.ui import words

PAGE = Path(__file__).parents[2] / "assets/page"
SAY = """async ([values, decimals]) => {
  const words = await import("/words.mjs");
  return values.map((value) => [
    ...decimals.map((count) => words.price(value, count)),
    ...decimals.map((count) => words.difference(value, count)),
    words.percent(value),
    words.direction(value),
    words.arrow(value),
  ]);
}"""
DECIMALS = [0, 1, 2, 3, 5, 8]


def test_both_write_the_same(browser: Browser) -> None:
    chance = random.Random(8)
    halves = [number / 1000 for number in range(-3000, 3000, 5)]
    values: list[float | None] = [
        None,
        0.0,
        0.001,
        -0.001,
        0.125,
        -0.125,
        1.005,
        999.995,
        1e-9,
        123456789.5,
        9.87e25,
        1e302,
        *halves,
    ]
    values += [chance.uniform(-1, 1) * 10 ** chance.randint(-6, 9) for _ in range(3000)]
    page = browser.new_page()
    page.route(
        "**/*",
        lambda route: route.fulfill(
            body=(PAGE / route.request.url.rpartition("/")[2]).read_text("utf-8")
            if route.request.url.endswith(".mjs")
            else "<!doctype html>",
            content_type="text/javascript" if route.request.url.endswith(".mjs") else "text/html",
        ),
    )
    page.goto("http://localhost/")
    written = page.evaluate(SAY, [values, DECIMALS])
    page.close()
    expected = [
        [
            *(words.price(value, count) for count in DECIMALS),
            *(words.difference(value, count) for count in DECIMALS),
            words.percent(value),
            words.direction(value),
            words.arrow(value),
        ]
        for value in values
    ]
    assert {value: both for value, *both in zip(values, written, expected, strict=True) if both[0] != both[1]} == {}
