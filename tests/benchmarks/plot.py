"""A plot as SVG, plain enough to be read beside text in either theme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, LEFT, TOP, BOTTOM, BETWEEN = 400, 220, 40, 46, 44, 24


@dataclass(frozen=True, slots=True)
class Curve:
    """`points` (x, y), x ascending and shown at even steps, since it grows by factors."""

    title: str
    points: Sequence[tuple[float, float]]
    axis: str


def chart(title: str, curves: Sequence[Curve]) -> str:
    """The curves side by side under one scale that begins at zero."""
    most = max(y for curve in curves for _, y in curve.points) * 1.2
    parts = [
        f'<text x="{LEFT}" y="18" font-weight="600">{title}</text>',
        *(_panel(curve, at * (WIDTH + BETWEEN), most) for at, curve in enumerate(curves)),
    ]
    width = len(curves) * (WIDTH + BETWEEN)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT + TOP}" width="{width}" '
        f'height="{HEIGHT + TOP}" font-family="system-ui, sans-serif" font-size="12" fill="#71757e">'
        + "".join(parts)
        + "</svg>\n"
    )


def _panel(curve: Curve, left: float, most: float) -> str:
    inner_width, inner_height = WIDTH - LEFT - 16, HEIGHT - BOTTOM
    step = inner_width / max(1, len(curve.points) - 1)

    def place(at: int, y: float) -> tuple[float, float]:
        return left + LEFT + at * step, TOP + inner_height * (1 - y / most)

    parts = [f'<text x="{left + LEFT}" y="38">{curve.title}</text>']
    unit = 5 if most > 12 else 2
    for value in range(0, int(most) + 1, unit):
        _, y = place(0, value)
        parts.append(
            f'<line x1="{left + LEFT}" x2="{left + WIDTH - 16}" y1="{y:.1f}" y2="{y:.1f}" stroke="#8884" />'
            f'<text x="{left + LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value}</text>'
        )
    spots = [place(at, y) for at, (_, y) in enumerate(curve.points)]
    parts.append(
        f'<polyline fill="none" stroke="#3b6fd4" stroke-width="2" '
        f'points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in spots)}" />'
    )
    for at, ((x, y), (amount, value)) in enumerate(zip(spots, curve.points, strict=True)):
        # The first stands beside the scale's own figures.
        anchor = "middle" if at else "start"
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#3b6fd4" />'
            f'<text x="{x:.1f}" y="{y - 8:.1f}" text-anchor="{anchor}">{value:.1f}</text>'
            f'<text x="{x:.1f}" y="{TOP + inner_height + 18}" text-anchor="middle">{amount:,.0f}</text>'
        )
    parts.append(
        f'<text x="{left + LEFT + inner_width / 2:.0f}" y="{TOP + inner_height + 36}" text-anchor="middle">'
        f"{curve.axis}</text>"
    )
    return "".join(parts)
