"""The Market page's treemap and colours by themselves, in a browser without a server."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.test_modules import blank

__all__ = ["blank"]


def run(page: Page, code: str) -> Any:
    return page.evaluate(
        f"""async () => {{
          const {{ squarify }} = await import("/market/squarify.mjs");
          const {{ shade, moved }} = await import("/market/shade.mjs");
          {code}
        }}"""
    )


def test_the_papers_example_is_laid_out_as_in_the_paper(blank: Page) -> None:
    """Figure 4 of Bruls, Huizing and van Wijk: 6, 6, 4, 3, 2, 2, 1 in a box of 6 by 4."""
    boxes = run(blank, "return squarify([6, 6, 4, 3, 2, 2, 1], { x: 0, y: 0, w: 6, h: 4 });")
    rounded = [[round(box[side], 2) for side in "xywh"] for box in boxes]
    assert rounded == [
        [0, 0, 3, 2],
        [0, 2, 3, 2],
        [3, 0, 1.71, 2.33],
        [4.71, 0, 1.29, 2.33],
        [3, 2.33, 1.2, 1.67],
        [4.2, 2.33, 1.2, 1.67],
        [5.4, 2.33, 0.6, 1.67],
    ]


@pytest.mark.parametrize("count", [1, 2, 15, 300])
@pytest.mark.parametrize("shape", ["w: 900, h: 300", "w: 120, h: 700", "w: 1, h: 1"])
def test_boxes_fill_the_whole_and_have_the_areas_of_their_weights(blank: Page, count: int, shape: str) -> None:
    weights, boxes = run(
        blank,
        f"""
        const weights = Array.from({{ length: {count} }}, (_, at) => 1 + ((at * 7919) % 1000) ** 2 / 50);
        weights.sort((a, b) => b - a);
        return [weights, squarify(weights, {{ x: 10, y: 20, {shape} }})];
        """,
    )
    width, height = (float(part.split(":")[1]) for part in shape.split(","))
    scale = width * height / sum(weights)
    for weight, box in zip(weights, boxes, strict=True):
        assert box["w"] * box["h"] == pytest.approx(weight * scale, rel=1e-6)
        assert box["x"] >= 10 - 1e-6 and box["x"] + box["w"] <= 10 + width + 1e-6
        assert box["y"] >= 20 - 1e-6 and box["y"] + box["h"] <= 20 + height + 1e-6
    for at, one in enumerate(boxes):
        for other in boxes[at + 1 :]:
            across = min(one["x"] + one["w"], other["x"] + other["w"]) - max(one["x"], other["x"])
            down = min(one["y"] + one["h"], other["y"] + other["h"]) - max(one["y"], other["y"])
            assert across < 1e-6 or down < 1e-6


def test_without_weights_or_room_there_are_empty_boxes(blank: Page) -> None:
    boxes = run(
        blank,
        """
        const box = { x: 0, y: 0, w: 5, h: 5 };
        return [...squarify([], box), ...squarify([1], { ...box, w: 0 }), ...squarify([0, 0], box)];
        """,
    )
    assert [(box["w"], box["h"]) for box in boxes] == [(0, 0)] * 3


def test_a_colour_is_the_nearest_of_seven_and_never_without_its_sign(blank: Page) -> None:
    values = [-9, -3, -2.4, -0.6, -0.4, 0, 0.4, 0.6, 2.4, 3, 9]
    found = run(
        blank,
        f"return [...{values}.map((value) => shade(value, 3)), shade(null, 3), ...[null, -0.5, 1, 0].map(moved)];",
    )
    assert found == [
        "shade-down-3", "shade-down-3", "shade-down-2", "shade-down-1", "shade-0", "shade-0", "shade-0",
        "shade-up-1", "shade-up-2", "shade-up-3", "shade-up-3", "shade-none", "–", "▼ −0.50%", "▲ +1.00%", "0.00%",
    ]  # fmt: skip
