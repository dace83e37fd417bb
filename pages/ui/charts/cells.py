"""The 3 x 10 table of blocks (attack j, class i) that two figures draw in different colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pages.ui.charts.classes import class_axis, room
from pages.ui.look import theme

Values = NDArray[np.float64]


def as_values(name: str, values: ArrayLike | None, shape: tuple[int, ...]) -> Values | None:
    """`values` (array, tensor or list) as finite float64 of `shape`; None stays None."""
    if values is None:
        return None
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {list(shape)}, not {list(array.shape)}")
    theme.require_finite(name, array)
    return array


def row(
    index: int,
    values: Values | None,
    classes: Sequence[str],
    *,
    low: float,
    high: float,
    scale: list[list[float | str]],
    hover: Sequence[str],
) -> dict[str, Any]:
    """Row `index` of cells, one attack's; values None draws it with nothing in it."""
    empty = values is None
    shown = np.zeros(len(classes)) if values is None else values
    return {
        "type": "heatmap",
        "z": [shown.tolist()],
        "x": list(range(len(classes))),
        "y": [index],
        "zmin": 0.0 if empty else low,
        "zmax": 1.0 if empty else high,
        "colorscale": scale,
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hovertext": [list(hover)],
        "hoverinfo": "skip" if empty else "text",
    }


def writing(text: Sequence[Sequence[str]], strong: Sequence[Sequence[bool]]) -> dict[str, Any]:
    """The cells' texts, [rows][columns]; in a strong cell in the colour of the background."""
    cells = [(i, j) for j, line in enumerate(text) for i, word in enumerate(line) if word]
    background, plain = theme.LIGHT.background, theme.LIGHT.text
    return {
        "type": "scatter",
        "x": [i for i, _ in cells],
        "y": [j for _, j in cells],
        "mode": "text",
        "text": [text[j][i] for i, j in cells],
        "textfont": {
            "size": 11,
            "color": [background if strong[j][i] else plain for i, j in cells],
        },
        "hoverinfo": "skip",
    }


def outline(column: int, row_index: int, colour: str, width: float = 2) -> dict[str, Any]:
    """A frame around one cell, as a Plotly shape."""
    return {
        "type": "rect",
        "x0": column - 0.47,
        "x1": column + 0.47,
        "y0": row_index - 0.46,
        "y1": row_index + 0.46,
        "line": {"color": colour, "width": width},
        "fillcolor": "rgba(0,0,0,0)",
    }


def grid_layout(classes: Sequence[str], attacks: Sequence[str], **values: Any) -> dict[str, Any]:
    """Fixed axes: classes from left to right, the attacks from top to bottom."""
    return theme.layout(
        margin={"l": 44, "r": 8, "t": 26, "b": room(classes), "pad": 0},
        xaxis=class_axis(classes, range=[-0.5, len(classes) - 0.5]),
        yaxis=theme.axis(
            tickmode="array",
            tickvals=list(range(len(attacks))),
            ticktext=theme.labels(attacks),
            range=[len(attacks) - 0.5, -0.5],
            showgrid=False,
            fixedrange=True,
            tickfont={"size": 14, "color": theme.LIGHT.text},
        ),
        **values,
    )
