"""Figures 1 and 3: mu against the output dimension m, with the share of runs that arrived."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.ui.charts.cells import Values
from pages.ui.look import theme

_FACTORS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8)


def expansiveness_figure(
    sizes: Sequence[int],
    means: Sequence[float],
    deviations: Sequence[float],
    rates: Sequence[float],
    fitted: Sequence[float] = (),
) -> go.Figure:
    """mu's mean with one standard deviation around it, and the success rate below, over m.

    sizes: all m that will be measured, in ascending order; the others hold a value for the first
    of them, as many as are known; fitted: the power law's value for each m, or none. Raises
    ValueError.
    """
    known = len(means)
    if len(fitted) not in (0, len(sizes)):
        raise ValueError("the fit has a value for each m, or none")
    if not len(deviations) == len(rates) == known <= len(sizes):
        raise ValueError("means, deviations and rates must be equally many, at most one for an m")
    mean, deviation, rate = (
        np.array(part, dtype=np.float64) for part in (means, deviations, rates)
    )
    at = list(range(len(sizes)))
    colours = theme.LIGHT
    spread = mean + np.nan_to_num(deviation)
    top = _nice(np.concatenate((spread, np.array(fitted, dtype=np.float64))))
    entries = [
        ("●", colours.certificate, "mean μ ± one standard deviation"),
        ("■", colours.signal, "arrived"),
    ]
    fit = []
    if len(fitted):
        entries.insert(1, ("- -", colours.accent, "power law"))
        fit = [
            {
                "type": "scatter", "x": at, "y": list(fitted), "mode": "lines",
                "line": {"color": colours.accent, "width": 2, "dash": "dash"}, "hoverinfo": "skip",
            }
        ]  # fmt: skip
    ticks = {"tickmode": "array", "tickvals": at, "ticktext": [str(m) for m in sizes]}
    layout = theme.layout(
        margin={"l": 52, "r": 16, "t": 30, "b": 40, "pad": 0},
        xaxis=theme.axis(
            **ticks, range=[-0.5, len(sizes) - 0.5], title=theme.title("output dimension m"),
            fixedrange=True, showgrid=False, anchor="y2", tickangle=0,
        ),
        yaxis=theme.axis(range=[0, top], domain=[0.27, 1], nticks=5, title=theme.title("μ")),
        yaxis2=theme.axis(
            range=[0, 1.08], domain=[0, 0.17], tickvals=[0, 1], ticktext=["0%", "100%"],
            fixedrange=True,
        ),
        annotations=[theme.key(entries)],
        bargap=0.55,
        hovermode="closest",
    )  # fmt: skip
    return theme.figure([*fit, _curve(sizes, mean, deviation), _rates(sizes, rate)], layout)


def _curve(sizes: Sequence[int], mean: Values, deviation: Values) -> dict[str, Any]:
    colour = theme.LIGHT.certificate
    return {
        "type": "scatter",
        "x": list(range(len(mean))),
        "y": mean,
        "error_y": {"array": deviation, "color": colour, "thickness": 1.5, "width": 5},
        "mode": "lines+markers",
        "line": {"color": colour, "width": 2.5},
        "marker": {"color": colour, "size": 8},
        "hovertext": [
            f"m = {m}: μ = {value:.3g} ± {spread:.2g}"
            for m, value, spread in zip(sizes, mean, deviation, strict=False)
        ],
        "hoverinfo": "text",
        "cliponaxis": False,
    }


def _rates(sizes: Sequence[int], rate: Values) -> dict[str, Any]:
    return {
        "type": "bar",
        "x": list(range(len(rate))),
        "y": rate,
        "yaxis": "y2",
        "marker": {"color": theme.LIGHT.signal, "line": {"width": 0}},
        "hovertext": [
            f"m = {m}: {value:.0%} arrived" for m, value in zip(sizes, rate, strict=False)
        ],
        "hoverinfo": "text",
    }


def _nice(values: Values) -> float:
    """A round number at or a little above all values; 1 where there are none."""
    shown = values[np.isfinite(values)]
    most = float(shown.max()) if shown.size else 0.0
    if most <= 0:
        return 1.0
    base = 10.0 ** math.floor(math.log10(most))
    return next((factor * base for factor in _FACTORS if most <= factor * base), 10 * base)
