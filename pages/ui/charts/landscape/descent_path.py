"""f along each path over its steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.ui.charts.cells import Values
from pages.ui.charts.logs import decades, log_axis, positive
from pages.ui.look import theme

LEAST = 64  # steps that the axis always shows; it doubles, so that it moves rarely
DEEPEST = -16  # decades: what lies below is rounding


def descent_figure(
    losses: Sequence[tuple[NDArray[np.int64], Values]], cursor: int | None = None
) -> go.Figure:
    """One line a path, on a log axis.

    losses: for each path some k and f there; cursor: the k looked at, if one is.
    """
    longest = max((int(ks[-1]) for ks, _ in losses), default=0)
    reach = LEAST
    while reach < longest:
        reach *= 2
    values = [positive(values) for _, values in losses]
    shown = np.concatenate(values) if values else np.zeros(0)
    low, high = decades(shown, (-4, 2))
    shapes = []
    if cursor is not None:
        line = {"color": theme.LIGHT.accent, "width": 1.5}
        shapes.append(
            {"type": "line", "x0": cursor, "x1": cursor, "y0": 0, "y1": 1, "yref": "paper",
             "line": line}
        )  # fmt: skip
    layout = theme.layout(
        margin={"l": 48, "r": 16, "t": 30, "b": 40, "pad": 0},
        xaxis=theme.axis(range=[0, reach], nticks=6, title=theme.title("step k"), fixedrange=True),
        yaxis=log_axis(max(low, DEEPEST), high, fixedrange=True),
        annotations=[theme.key([("—", theme.LIGHT.signal, "f along each path")])],
        hovermode="closest",
        dragmode=False,
        shapes=shapes,
    )
    gap = np.array([np.nan])
    x = [piece for ks, _ in losses for piece in (ks.astype(np.float64), gap)]
    y = [piece for one in values for piece in (one, gap)]
    trace = {
        "type": "scatter",
        "x": (np.concatenate(x) if x else shown).astype(np.float32),
        "y": (np.concatenate(y) if y else shown).astype(np.float32),
        "mode": "lines",
        "name": "f",
        "line": {"color": theme.LIGHT.signal, "width": 1.5, "simplify": False},
        "opacity": 0.75,
        "hovertemplate": "k = %{x}<br>f = %{y:.3g}<extra></extra>",
    }
    return theme.figure([trace], layout)
