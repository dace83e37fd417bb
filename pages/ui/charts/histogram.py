"""How often mu takes which value over all paths, and where it is at the iterate looked at."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from pages.ui.charts.logs import decades, positive, power
from pages.ui.look import theme

BINS_A_DECADE = 12


def mu_histogram(mu: ArrayLike, now: ArrayLike = (), mean: float | None = None) -> go.Figure:
    """Shares of mu [any shape] in bins of equal width on a log axis; NaN is left out.

    now [I]: the values at the iterate looked at, marked under the bars; mean: marked by a line.
    """
    values = positive(np.asarray(mu, dtype=np.float64).ravel())
    marks = positive(np.asarray(now, dtype=np.float64).ravel())
    low, high = decades(np.concatenate((values, marks)), (-1, 1))
    low = max(low, -8)
    edges = np.linspace(low, high, (high - low) * BINS_A_DECADE + 1)
    known = values[np.isfinite(values)]
    counts, _ = np.histogram(np.log10(known), edges)
    shares = counts / max(known.size, 1)
    top = _top(float(shares.max(initial=0)))
    marks = np.log10(marks[np.isfinite(marks)])
    bars = {
        "type": "bar",
        "x": (edges[:-1] + edges[1:]) / 2,
        "y": shares.astype(np.float32),
        "width": edges[1] - edges[0],
        "marker": {"color": theme.LIGHT.certificate, "line": {"width": 0}},
        "opacity": 0.75,
        "hovertext": [
            f"μ from {10**left:.2g} to {10**right:.2g}: {share:.0%}"
            for left, right, share in zip(edges, edges[1:], shares, strict=False)
        ],
        "hoverinfo": "text",
    }
    rug = {
        "type": "scatter",
        "x": marks.astype(np.float32),
        "y": np.full(len(marks), -0.06 * top, dtype=np.float32),
        "mode": "markers",
        "marker": {"color": theme.LIGHT.accent, "symbol": "line-ns-open", "size": 9},
        "hoverinfo": "skip",
    }
    entries = [("■", theme.LIGHT.certificate, "all μ on all paths")]
    entries.append(("|", theme.LIGHT.accent, "at the step looked at"))
    shapes = []
    if mean is not None and math.isfinite(mean) and mean > 0:
        at = math.log10(mean)
        shapes.append(
            {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": top,
             "line": {"color": theme.LIGHT.text, "width": 1.5, "dash": "dash"}}
        )  # fmt: skip
        entries.append(("¦", theme.LIGHT.text, f"mean {mean:.3g}"))
    step = max(1, math.ceil((high - low) / 6))
    ticks = list(range(low, high + 1, step))
    layout = theme.layout(
        margin={"l": 48, "r": 16, "t": 42, "b": 38, "pad": 0},
        bargap=0,
        xaxis=theme.axis(
            range=[low, high],
            tickmode="array",
            tickvals=ticks,
            ticktext=[power(tick) for tick in ticks],
            title=theme.title("μ"),
            showgrid=False,
        ),
        yaxis=theme.axis(
            range=[-0.12 * top, top],
            tickformat=".0%",
            nticks=4,
            fixedrange=True,
            rangemode="normal",
        ),
        annotations=[theme.key_in_lines(entries)],
        shapes=shapes,
    )
    return theme.figure([bars, rug], layout)


def _top(share: float) -> float:
    """The end of the axis of shares: 10%, 20%, 50% or 100%."""
    return next((end for end in (0.1, 0.2, 0.5) if share <= end), 1.0)
