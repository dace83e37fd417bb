"""Section 5.1 and Examples 15 to 17: the mu that the paper states beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from pages.ui.charts.logs import decades, log_axis, positive
from pages.ui.look import theme


@dataclass(frozen=True)
class Stated:
    """name: of the example; paper: the mean mu it states; ours, rate: measured, or None yet."""

    name: str
    paper: float
    ours: float | None = None
    rate: float | None = None


def examples_figure(rows: Sequence[Stated]) -> go.Figure:
    """A row for every example over a log axis of mu: a square for the paper's, a dot for ours."""
    colours = theme.LIGHT
    at = list(range(len(rows)))
    paper = positive([row.paper for row in rows])
    ours = positive([row.ours for row in rows])
    low, high = decades(np.concatenate((paper, ours)), (-2, 1))
    between = np.stack((paper, ours, np.full(len(rows), np.nan)), 1).ravel()
    traces = [
        {
            "type": "scatter", "x": between, "y": np.repeat(at, 3), "mode": "lines",
            "line": {"color": colours.grid, "width": 2}, "hoverinfo": "skip",
        },
        {
            "type": "scatter", "x": paper, "y": at, "mode": "markers",
            "marker": {"symbol": "square-open", "size": 11, "color": colours.residual,
                       "line": {"width": 2}},
            "hovertext": [f"{row.name}: the paper states μ = {row.paper:g}" for row in rows],
            "hoverinfo": "text",
        },
        {
            "type": "scatter", "x": ours, "y": at, "mode": "markers",
            "marker": {"symbol": "circle", "size": 11, "color": colours.certificate},
            "hovertext": ["" if row.ours is None else _told(row) for row in rows],
            "hoverinfo": "text",
        },
    ]  # fmt: skip
    entries = [("□", colours.residual, "the paper's"), ("●", colours.certificate, "ours")]
    layout = theme.layout(
        margin={"l": 132, "r": 16, "t": 30, "b": 40, "pad": 0},
        xaxis=log_axis(low, high, title=theme.title("mean μ"), fixedrange=True),
        yaxis=theme.axis(
            range=[len(rows) - 0.4, -0.6],
            tickmode="array",
            tickvals=at,
            ticktext=[row.name for row in rows],
            tickfont={"size": 12, "color": colours.text},
            fixedrange=True,
            showgrid=False,
        ),
        annotations=[theme.key(entries)],
        hovermode="closest",
    )
    return theme.figure(traces, layout)


def _told(row: Stated) -> str:
    rate = "" if row.rate is None else f", {row.rate:.0%} arrived"
    return f"{row.name}: here μ = {row.ours:.3g}{rate}"
