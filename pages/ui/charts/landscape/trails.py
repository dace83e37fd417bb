"""Paths over a landscape, as plain traces that lie above a chart drawn once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pages.ui.charts.landscape.relief import Relief, Values
from pages.ui.look import theme

MOST = 64  # points that are put between two iterates
_HOVER = "path %{customdata[2]}<br>k = %{customdata[0]}<br>f = %{customdata[1]:.3g}<extra></extra>"


@dataclass(frozen=True)
class Trail:
    """One path: x [K], y [K], f [K] and k [K] of its points. NaN in x and y breaks the line."""

    x: Values
    y: Values
    values: Values
    ks: NDArray[np.int64]


def above_trails(trails: Sequence[Trail], at: Sequence[int] | None = None) -> list[dict[str, Any]]:
    """Traces of the paths on the contour chart: a line with a halo, its start and its head.

    at: for each trail the position of its point looked at; None for the last ones.
    """
    x, y = _joined([trail.x for trail in trails]), _joined([trail.y for trail in trails])
    starts = [(trail.x[0], trail.y[0]) for trail in trails if len(trail.x)]
    heads = _heads(trails, at)
    line = {"type": "scatter", "mode": "lines", "x": x, "y": y}
    halo = {"color": theme.LIGHT.background, "width": 5, "shape": "linear", "simplify": False}
    core = {"color": theme.LIGHT.text, "width": 2, "shape": "linear", "simplify": False}
    return [
        {**line, "line": halo, "opacity": 0.7, "hoverinfo": "skip"},
        {
            **line,
            "line": core,
            "name": "path",
            "customdata": _told(trails),
            "hovertemplate": _HOVER,
        },
        _dots(starts, "start", "circle-open", 9, theme.LIGHT.text),
        _dots([(t.x[i], t.y[i]) for t, i in heads], "now", "circle", 11, theme.LIGHT.accent),
    ]


def tall_trails(
    relief: Relief,
    trails: Sequence[Trail],
    at: Sequence[int] | None = None,
    on_surface: bool = False,
) -> list[dict[str, Any]]:
    """The same on the surface, each path at its own heights.

    Between two iterates the line follows the surface, which a straight one would cut through.
    on_surface: it lies on the surface everywhere; for a slice, which the iterates are off.
    """
    if on_surface:
        trails = [replace(trail, values=relief.at(trail.x, trail.y)) for trail in trails]
    low, high = relief.span
    above = 0.012 * (high - low)  # so that the surface does not swallow half of the line
    draped = [_draped(relief, trail) for trail in trails]
    heads = _heads(trails, at)
    lifted = [float(relief.lift(trail.values[i])) + 2 * above for trail, i in heads]
    return [
        {
            "type": "scatter3d",
            "mode": "lines",
            "name": "path",
            "x": _joined([x for x, _, _ in draped]),
            "y": _joined([y for _, y, _ in draped]),
            "z": _joined([np.minimum(z + above, high + 2 * above) for _, _, z in draped]),
            "line": {"color": theme.LIGHT.text, "width": 5},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter3d",
            "mode": "markers",
            "name": "now",
            "x": [float(trail.x[i]) for trail, i in heads],
            "y": [float(trail.y[i]) for trail, i in heads],
            "z": lifted,
            "hoverinfo": "skip",
            "marker": {
                "size": 6,
                "color": theme.LIGHT.accent,
                "line": {"color": theme.LIGHT.background, "width": 1},
            },
        },
    ]


def _draped(relief: Relief, trail: Trail) -> tuple[Values, Values, Values]:
    """x, y and heights of a path, with points on the surface between iterates that lie apart."""
    if len(trail.x) < 2:
        return trail.x, trail.y, relief.lift(trail.values)
    cell = relief.x[1] - relief.x[0]
    leaps = np.hypot(np.diff(trail.x), np.diff(trail.y)) / cell
    parts = np.clip(np.nan_to_num(np.ceil(leaps)), 1, MOST).astype(int)
    share = np.concatenate([np.arange(count) / count for count in parts] + [np.zeros(1)])
    before = np.append(np.repeat(np.arange(len(parts)), parts), len(trail.x) - 1)
    after = np.minimum(before + 1, len(trail.x) - 1)
    kept = share == 0  # iterates, also those before a gap
    x = np.where(kept, trail.x[before], (1 - share) * trail.x[before] + share * trail.x[after])
    y = np.where(kept, trail.y[before], (1 - share) * trail.y[before] + share * trail.y[after])
    values = np.where(kept, trail.values[before], relief.at(x, y))
    return x, y, relief.lift(values)


def _heads(trails: Sequence[Trail], at: Sequence[int] | None) -> list[tuple[Trail, int]]:
    places = [len(trail.x) - 1 for trail in trails] if at is None else at
    return [(trail, i) for trail, i in zip(trails, places, strict=True) if len(trail.x)]


def _joined(parts: Sequence[Values]) -> NDArray[np.float32]:
    """One array with a gap after every part."""
    gap = np.array([np.nan])
    pieces = [piece for part in parts for piece in (part, gap)]
    return np.concatenate(pieces).astype(np.float32) if pieces else np.zeros(0, np.float32)


def _told(trails: Sequence[Trail]) -> NDArray[np.float32]:
    """What hovering over each point tells: its k, f, and which path it is on."""
    columns = [
        np.column_stack([trail.ks, trail.values, np.full(len(trail.ks), number)])
        for number, trail in enumerate(trails, start=1)
    ]
    gap = np.full((1, 3), np.nan)
    pieces = [piece for part in columns for piece in (part, gap)]
    return np.concatenate(pieces).astype(np.float32) if pieces else np.zeros((0, 3), np.float32)


def _dots(
    places: Sequence[tuple[float, float]], name: str, symbol: str, size: int, colour: str
) -> dict[str, Any]:
    line = colour if symbol.endswith("open") else theme.LIGHT.background
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [float(x) for x, _ in places],
        "y": [float(y) for _, y in places],
        "hoverinfo": "skip",
        "cliponaxis": False,
        "marker": {
            "symbol": symbol,
            "size": size,
            "color": colour,
            "line": {"color": line, "width": 1.5},
        },
    }
