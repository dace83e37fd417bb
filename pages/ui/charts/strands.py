"""Many instances over the iterates k in one chart: thin lines, a median, levels, an axis of k."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from pages.ui.charts.cells import Values
from pages.ui.charts.logs import positive
from pages.ui.look import theme

MAX_VERTICES = 6000  # of all thin lines together: more of them slow the browser down
_MARGIN = {"l": 48, "r": 16, "t": 42, "b": 38, "pad": 0}


def as_paths(name: str, ks: Sequence[int], values: ArrayLike) -> Values:
    """`values` as float64 [K, I] with a row for every k; what a log axis cannot show is NaN.

    Raises ValueError.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or len(array) != len(ks):
        raise ValueError(f"{name} must have a row for each of {len(ks)} k, not {array.shape}")
    return positive(array.ravel()).reshape(array.shape)


def thin(ks: Sequence[int], paths: Values, colour: str) -> dict[str, Any]:
    """Every column of paths [K, I] as a thin line: one trace, the lines parted by gaps.

    Of long paths so many points are left out, evenly, that MAX_VERTICES are drawn.
    """
    count, items = paths.shape
    stride = max(1, math.ceil(count * items / MAX_VERTICES))
    kept = np.unique(np.append(np.arange(0, count, stride), max(count - 1, 0)))[:count]
    gap = np.full((1, items), math.nan)
    across = np.append(np.asarray(ks, dtype=np.int32)[kept], 0)
    return {
        "type": "scatter",
        "x": np.tile(across, items),
        "y": np.concatenate((paths[kept], gap)).T.ravel().astype(np.float32),
        "mode": "lines",
        "line": {"color": colour, "width": 1, "simplify": False},
        "opacity": min(0.45, max(0.12, 3 / max(items, 1))),
        "connectgaps": False,
        "hoverinfo": "skip",
    }


def line(
    ks: Sequence[int],
    values: Values,
    name: str,
    colour: str,
    dash: str = "solid",
    width: float = 2.5,
) -> dict[str, Any]:
    """One line over k, its name shown on hover."""
    return {
        "type": "scatter",
        "x": np.asarray(ks, dtype=np.int32),
        "y": values.astype(np.float32),
        "name": name,
        "mode": "lines",
        "line": {"color": colour, "width": width, "dash": dash, "simplify": False},
        "hovertemplate": name + " %{y:.3g}<extra></extra>",
    }


def level(value: float, colour: str, dash: str) -> dict[str, Any]:
    """A line at one height over the whole width, as a Plotly shape on a log axis."""
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": value,
        "y1": value,
        "line": {"color": colour, "width": 1.5, "dash": dash},
        "layer": "below",
    }


def median(paths: Values) -> Values:
    """The median of the columns at every k, of those that have a value there: [K, I] -> [K]."""
    known = np.isfinite(paths)
    result = np.full(len(paths), math.nan)
    some = known.any(axis=1)
    result[some] = np.nanmedian(paths[some], axis=1)
    return result


def axis_end(k: int, least: int = 50) -> int:
    """Where the axis of k ends while step k is the last: 50, 100, 200, 500, ...; moves rarely."""
    end, factors = least, (2, 2, 2.5)
    count = 0
    while end < k:
        end = round(end * factors[count % 3])
        count += 1
    return end


def over_steps(end: int, names: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The layout of a chart over k in [0, end]; names: a `theme.key`; values win."""
    if end < 1:
        raise ValueError(f"{end} steps make no axis")
    return theme.layout(
        margin=_MARGIN,
        xaxis=theme.axis(range=[0, end], nticks=6, title=theme.title("step k"), hoverformat="d"),
        annotations=[names],
        hovermode="x unified",
        dragmode="zoom",
        **values,
    )
