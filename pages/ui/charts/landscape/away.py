"""What a slice does not show: how far a path lies from the plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from pages.ui.charts.strands import line
from pages.ui.look import theme


def away_figure(
    ks: Sequence[int], within: ArrayLike, away: ArrayLike, cursor: int | None = None
) -> go.Figure:
    """Distances over the steps k: within the plane to the last point, and away from the plane.

    ks [K], within [K], away [K]; empty before a slice is cut. cursor: the k looked at.
    """
    inside, outside = (np.asarray(values, dtype=np.float64) for values in (within, away))
    if len(inside) != len(ks) or len(outside) != len(ks):
        raise ValueError(f"{len(inside)} and {len(outside)} distances for {len(ks)} steps")
    high = float(max(inside.max(initial=0), outside.max(initial=0))) or 1.0
    shapes = []
    if cursor is not None:
        accent = {"color": theme.LIGHT.accent, "width": 1.5}
        shapes.append(
            {"type": "line", "x0": cursor, "x1": cursor, "y0": 0, "y1": 1, "yref": "paper",
             "line": accent}
        )  # fmt: skip
    first, last = (ks[0], ks[-1]) if len(ks) > 1 else (0, 1)
    names = [
        ("—", theme.LIGHT.signal, "way still to go, within the plane"),
        ("···", theme.LIGHT.residual, "distance from the plane"),
    ]
    layout = theme.layout(
        margin={"l": 44, "r": 12, "t": 30, "b": 40, "pad": 0},
        xaxis=theme.axis(range=[first, last], nticks=6, title=theme.title("step k"),
                         fixedrange=True, hoverformat="d"),
        yaxis=theme.axis(range=[0, 1.06 * high], nticks=5, fixedrange=True),
        annotations=[theme.key(names)],
        hovermode="x unified",
        dragmode=False,
        shapes=shapes,
    )  # fmt: skip
    traces = [
        line(ks, inside, "within", theme.LIGHT.signal, width=2),
        line(ks, outside, "away", theme.LIGHT.residual, "dot", width=2),
    ]
    return theme.figure(traces, layout)
