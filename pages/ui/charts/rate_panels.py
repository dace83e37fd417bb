"""How the promised rate depends on mu, rho and epsilon: three panels, each changing one alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.ui.charts.logs import decades, log_axis, positive
from pages.ui.look import theme
from red_core.theory.rate_dependence import RateDependence

_TITLES = ("μ, times", "ρ, times", "ε, share of its limit")
_DOMAINS = ([0, 0.29], [0.355, 0.645], [0.71, 1])
_TICKS = ([0.25, 0.5, 1, 2, 4], ["¼", "½", "1", "2", "4"])


def rate_panels(found: RateDependence | None) -> go.Figure:
    """The progress a step, 1 - factor at the best step size, on a log axis; a dot is where it is.

    None draws the empty axes.
    """
    colours = theme.LIGHT
    traces: list[dict[str, Any]] = []
    ends = (-3, 0)
    if found is not None:
        lines = [
            (found.scales, found.over_mu, 1.0),
            (found.scales, found.over_rho, 1.0),
            (found.shares, found.over_epsilon, found.share),
        ]
        every = []
        for place, (across, factors, here) in enumerate(lines):
            axis = "x" if place == 0 else f"x{place + 1}"
            progress = positive((1 - factors).tolist())
            every.append(progress)
            traces.append(
                {
                    "type": "scatter", "x": across.tolist(), "y": progress, "xaxis": axis,
                    "mode": "lines", "line": {"color": colours.certificate, "width": 2.5},
                    "hovertemplate": "%{x:.2g}: %{y:.3g}<extra></extra>",
                }
            )  # fmt: skip
            traces.append(
                {
                    "type": "scatter", "x": [here], "y": positive([1 - found.here]),
                    "xaxis": axis, "mode": "markers",
                    "marker": {"color": colours.accent, "size": 9}, "hoverinfo": "skip",
                }
            )  # fmt: skip
        known = np.concatenate(every)
        ends = decades(known[np.isfinite(known) & (known > 1e-8)], ends)
    scaled = {
        "type": "log", "range": [-0.65, 0.65], "tickmode": "array", "tickvals": _TICKS[0],
        "ticktext": _TICKS[1],
    }  # fmt: skip
    shares = {"range": [0, 1.2], "tickmode": "array", "tickvals": [0, 0.5, 1],
              "ticktext": ["0", "½", "1"]}  # fmt: skip
    axes = {
        f"xaxis{'' if place == 0 else place + 1}": theme.axis(
            **(shares if place == 2 else scaled),
            domain=domain,
            title=theme.title(title),
            anchor="y",
            fixedrange=True,
        )
        for place, (title, domain) in enumerate(zip(_TITLES, _DOMAINS, strict=True))
    }
    entries = [
        ("—", colours.certificate, "promised progress a step, 1 − factor"),
        ("●", colours.accent, "here"),
    ]
    layout = theme.layout(
        margin={"l": 48, "r": 16, "t": 42, "b": 38, "pad": 0},
        yaxis=log_axis(*ends, fixedrange=True),
        annotations=[theme.key(entries)],
        hovermode="closest",
        **axes,
    )
    return theme.figure(traces, layout)
