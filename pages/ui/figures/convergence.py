"""How far every instance still is: from the optimum, or above the least objective, over k."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from pages.ui import theme
from pages.ui.figures.logs import decades, log_axis, positive
from pages.ui.figures.strands import as_paths, axis_end, level, line, median, over_steps, thin

_KEY_SHIFT = 4


def convergence_figure(
    ks: Sequence[int],
    values: ArrayLike,
    name: str,
    *,
    bound: Sequence[float] | None = None,
    bound_name: str = "the theorem's bound",
    level_at: float | None = None,
    parts: Sequence[tuple[str, ArrayLike]] = (),
    least: tuple[int, int] = (-6, 1),
    deepest: int = -9,
) -> go.Figure:
    """What goes to zero, over the steps k on a log axis: thin lines, their median, the bound.

    ks [K]; values [K, I], not negative (NaN leaves a gap); name: of what they measure; bound [K]:
    what the theorem promises that no line exceeds, None where it promises nothing; level_at: a
    height to mark, such as the tolerance; parts: (name, [K, I]) of which the medians are drawn
    too; least: the decades shown at least; deepest: the lowest decade shown at most. Raises
    ValueError where lengths differ.
    """
    paths = as_paths(name, ks, values)
    entries = [("—", theme.LIGHT.signal, f"{name}: median, and each instance thin")]
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
    promised = np.full(len(ks), math.nan)
    if bound is not None:
        if len(bound) != len(ks):
            raise ValueError(f"{len(bound)} values of the bound for {len(ks)} steps")
        promised = positive(bound)
        entries.append(("—", theme.LIGHT.certificate, bound_name))
    lines.append(line(ks, promised, bound_name, theme.LIGHT.certificate, width=2))
    every = np.concatenate((paths.ravel(), promised))
    low, high = decades(every, least)
    layout = over_steps(
        axis_end(ks[-1] if len(ks) else 0),
        theme.key(entries, yshift=_KEY_SHIFT),
        yaxis=log_axis(max(low, deepest), high),
        shapes=[] if level_at is None else [level(level_at, theme.LIGHT.muted, "dot")],
    )
    return theme.figure(lines, layout)
