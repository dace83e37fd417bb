"""Where inversions end (5.2.2, B.7), class by class of their start: two 10 x 10 pictures.

Both have one row for each class that an inversion starts from, and one colour scale, from no
inversion to all of them, so that the two can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from pages.ui.charts.cells import Values, outline, writing
from pages.ui.charts.confusion import as_counts, matrix_layout
from pages.ui.look import theme
from red_core.data.datasets import a, short_name

_FROM = "class of the start"
_STAYED, _MOVED = theme.LIGHT.pit, theme.LIGHT.signal  # as where descent is trapped


def right_figure(
    right: ArrayLike | None, begun: ArrayLike | None, class_names: Sequence[str]
) -> go.Figure:
    """The share of the inversions that end right, by (class of the start, class of the image).

    right: counts [classes, classes]; begun: the inversions that there were, [classes, classes]. A
    pair without any has an empty cell. None draws the table empty. Raises ValueError.
    """
    size = len(class_names)
    counts, there = as_counts(right, (size, size)), as_counts(begun, (size, size))
    titles, note = (_FROM, "class of the image"), [("■", _MOVED, "ended right, in %")]
    if counts is None or there is None:
        return theme.figure([], _layout(class_names, titles, note))
    if (counts > there).any():
        raise ValueError("more inversions ended right than there are")

    def hover_text(start: int, true: int) -> str:
        hits, count = int(counts[start, true]), int(there[start, true])
        if not count:
            return f"no image of {a(class_names[true])} was inverted from {a(class_names[start])}"
        return (
            f"the image shows {a(class_names[true])}, started from {a(class_names[start])}<br>"
            f"{hits} of {count} inversions ended right ({hits / count:.1%})"
        )

    layers = [(np.ones((size, size), dtype=bool), _MOVED)]
    traces = _cells(_shares(counts, there), layers, _each(hover_text, size))
    return theme.figure(traces, _layout(class_names, titles, note))


def ended_figure(
    ended: ArrayLike | None, seen: Sequence[int] | None, class_names: Sequence[str]
) -> go.Figure:
    """The share of the inversions that end in each class, by (class of the start, that class).

    ended: counts [classes, classes]; seen: the class that psi reads in each start's own G(w)
    [classes], which is framed. What ends in the start's own class has a colour of its own. None
    draws the table empty. Raises ValueError.
    """
    size = len(class_names)
    counts = as_counts(ended, (size, size))
    titles = (_FROM, "class that ψ reads at the end")
    frame = theme.LIGHT.accent
    note = [("■", _STAYED, "stayed, in %"), ("■", _MOVED, "moved"), ("□", frame, "ψ at the start")]
    if counts is None or seen is None:
        return theme.figure([], _layout(class_names, titles, note))
    if len(seen) != size or not all(one in range(size) for one in seen):
        raise ValueError(f"seen must hold one of {size} classes for each start")
    totals = counts.sum(1, keepdims=True)

    def hover_text(start: int, end: int) -> str:
        hits, count = int(counts[start, end]), int(totals[start, 0])
        share = f" ({hits / count:.1%})" if count else ""
        where = "where they began" if start == end else f"as {a(class_names[end])}"
        return (
            f"started from {a(class_names[start])}: {hits} of {count} ended {where}{share}<br>"
            f"ψ reads the start itself, before any step, as {a(class_names[seen[start]])}"
        )

    own = np.eye(size, dtype=bool)
    traces = _cells(
        _shares(counts, totals), [(own, _STAYED), (~own, _MOVED)], _each(hover_text, size)
    )
    frames = [outline(column, row, frame) for row, column in enumerate(seen)]
    return theme.figure(traces, _layout(class_names, titles, note, frames))


def _shares(counts: Values, totals: Values) -> Values:
    return np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)


def _each(hover_text: Callable[[int, int], str], size: int) -> list[list[str]]:
    return [[hover_text(row, column) for column in range(size)] for row in range(size)]


def _cells(
    shares: Values, layers: Sequence[tuple[NDArray[np.bool_], str]], hover: list[list[str]]
) -> list[dict[str, Any]]:
    """One heat map for each of the `layers` (which cells, their colour), and the per cents."""
    places = list(range(len(shares)))
    maps = [
        {
            "type": "heatmap",
            "x": places,
            "y": places,
            "z": [[shares[i, j] if mask[i, j] else None for j in places] for i in places],
            "zmin": 0.0,
            "zmax": 1.0,
            "colorscale": theme.ramp(colour),
            "showscale": False,
            "xgap": 2,
            "ygap": 2,
            "hovertext": hover,
            "hoverinfo": "text",
            "hoverongaps": False,
        }
        for mask, colour in layers
    ]
    texts = [[f"{100 * share:.0f}" if share else "" for share in line] for line in shares]
    return [*maps, writing(texts, (shares > 0.5).tolist())]


def _layout(
    class_names: Sequence[str],
    titles: tuple[str, str],
    note: list[tuple[str, str, str]],
    shapes: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    names = [short_name(name) for name in class_names]
    return matrix_layout(names, names, titles, theme.key(note), shapes or [])
