"""Lemma 9 along a path: both sides of inequality (14) over the steps k."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from pages.ui.charts.strands import axis_end, line, median, over_steps, thin
from pages.ui.look import theme


def cocoercivity_figure(ks: Sequence[int], left: ArrayLike, right: ArrayLike) -> go.Figure:
    """Both sides over the squared distance, thin lines and their medians, on one linear axis.

    ks [K]; left, right [K, I], NaN where an instance has arrived. Raises ValueError where lengths
    differ.
    """
    sides = [np.asarray(side, dtype=np.float64) for side in (left, right)]
    if any(side.ndim != 2 or len(side) != len(ks) for side in sides):
        raise ValueError(f"both sides must have a row for each of {len(ks)} k")
    styles = (("left side", theme.LIGHT.signal, "—"), ("Lemma 9's bound", theme.LIGHT.certificate,
              "- -"))  # fmt: skip
    traces, entries = [], []
    for side, (name, colour, sign) in zip(sides, styles, strict=True):
        traces += [thin(ks, side, colour)]
        dash = "solid" if sign == "—" else "dash"
        traces += [line(ks, median(side), name, colour, dash)]
        entries.append((sign, colour, f"{name}: median, each thin"))
    layout = over_steps(
        axis_end(ks[-1] if len(ks) else 0),
        theme.key_in_lines(entries),
        yaxis=theme.axis(range=_reach(np.concatenate([side.ravel() for side in sides])), nticks=5),
    )
    return theme.figure(traces, layout)


def _reach(values: np.ndarray) -> list[float]:
    """Round ends around the values and zero; [0, 1] where there are none."""
    known = values[np.isfinite(values)]
    if not known.size:
        return [0.0, 1.0]
    low, high = min(0.0, float(known.min())), max(0.0, float(known.max()))
    unit = 10.0 ** math.floor(math.log10(max(high, -low, 1e-12)))
    return [math.floor(low / unit) * unit, math.ceil(high / unit) * unit]
