"""The error bound mu along every path, beside what it can never fall below."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from pages.ui.charts.logs import decades, log_axis
from pages.ui.charts.strands import (
    as_paths,
    axis_end,
    level,
    line,
    median,
    over_steps,
    thin,
)
from pages.ui.look import theme


def bound_figure(
    ks: Sequence[int],
    mu: ArrayLike,
    *,
    mu_row: ArrayLike | None = None,
    floor: tuple[float, str] | None = None,
    paper: float | None = None,
) -> go.Figure:
    """mu of B.1 over the steps k on a log axis: thin lines, their median, and the smallest.

    ks [K]; mu [K, I], NaN where it has no value; mu_row [K, I]: the same with c_a measured in the
    row space of D_a, whose median is then drawn too; floor: what mu cannot fall below, and its
    name; paper: the mean that the paper states. Raises ValueError where lengths differ.
    """
    paths = as_paths("mu", ks, mu)
    colours = theme.LIGHT
    entries = [("—", colours.certificate, "μ: median, each thin")]
    lines = [
        thin(ks, paths, colours.certificate),
        line(ks, median(paths), "median μ", colours.certificate),
    ]
    every = [paths.ravel()]
    if mu_row is not None:
        rows = as_paths("mu in the row space", ks, mu_row)
        lines.append(line(ks, median(rows), "median, row space", colours.certificate, "dash"))
        entries.append(("- -", colours.certificate, "in the row space"))
        every.append(rows.ravel())
    shapes = []
    known = paths[np.isfinite(paths)]
    if known.size:
        shapes.append(level(float(known.min()), colours.certificate, "dot"))
        entries.append(("···", colours.certificate, "the smallest"))
    height, floor_name = (None, "") if floor is None else floor
    for value, name, colour in (
        (height, floor_name, colours.accent),
        (paper, "the paper's mean", colours.residual),
    ):
        if value is not None and math.isfinite(value) and value > 0:
            shapes.append(level(value, colour, "dashdot"))
            entries.append(("-·-", colour, name))
            every.append(np.array([value]))
    low, high = decades(np.concatenate(every), (-1, 1))
    layout = over_steps(
        axis_end(ks[-1] if len(ks) else 0),
        theme.key_in_lines(entries),
        yaxis=log_axis(max(low, -8), high),
        shapes=shapes,
    )
    return theme.figure(lines, layout)
