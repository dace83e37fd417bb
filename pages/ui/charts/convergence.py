"""How far every instance still is: from the optimum, or above the least objective, over k."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from pages.ui.charts.logs import decades, log_axis, positive
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


def convergence_figure(
    ks: Sequence[int],
    values: ArrayLike,
    name: str,
    *,
    bounds: Sequence[tuple[str, Sequence[float]]] = (),
    level_at: float | None = None,
    parts: Sequence[tuple[str, ArrayLike]] = (),
    least: tuple[int, int] = (-6, 1),
    deepest: int = -9,
) -> go.Figure:
    """What goes to zero, over the steps k on a log axis: thin lines, their median, the bound.

    ks [K]; values [K, I], not negative (NaN leaves a gap); name: of what they measure; bounds:
    (name, [K]), at most two, of what is promised that no line exceeds; level_at: a height to
    mark, such as the tolerance; parts: (name, [K, I]), at most two, of which the medians are
    drawn too; least: the decades shown at least; deepest: the lowest decade shown at most. Raises
    ValueError where lengths differ.
    """
    paths = as_paths(name, ks, values)
    entries = [("—", theme.LIGHT.signal, f"{name}: median, each thin")]
    lines = [
        thin(ks, paths, theme.LIGHT.signal),
        line(ks, median(paths), "median", theme.LIGHT.signal),
    ]
    dashes = ("dot", "dash")
    signs = ("···", "- -")
    for (part, part_values), dash, sign in zip(parts, dashes, signs, strict=False):
        shown = median(as_paths(part, ks, part_values))
        lines.append(line(ks, shown, part, theme.LIGHT.residual, dash, width=1.5))
        entries.append((sign, theme.LIGHT.residual, part))
    every = [paths.ravel()]
    styles = (("solid", "—"), ("dash", "- -"))
    for (bound_name, bound), (dash, sign) in zip(bounds, styles, strict=False):
        if len(bound) != len(ks):
            raise ValueError(f"{len(bound)} values of the bound for {len(ks)} steps")
        promised = positive(bound)
        lines.append(line(ks, promised, bound_name, theme.LIGHT.certificate, dash, width=2))
        entries.append((sign, theme.LIGHT.certificate, bound_name))
        every.append(promised)
    low, high = decades(np.concatenate(every), least)
    layout = over_steps(
        axis_end(ks[-1] if len(ks) else 0),
        theme.key_in_lines(entries),
        yaxis=log_axis(max(low, deepest), high),
        shapes=[] if level_at is None else [level(level_at, theme.LIGHT.muted, "dot")],
    )
    return theme.figure(lines, layout)
