"""How the rows of W lie to each other: random directions, or a few only."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from pages.ui.look import theme

WIDTH = 5  # degrees of a bin
MAX_ROWS = 400  # of a larger W evenly spread ones: 80,000 pairs show the same


def angle_figure(weight: ArrayLike | None) -> go.Figure:
    """Angles between the rows of W [m, d], as shares in bins, beside those of random directions.

    The line is what independent directions, uniform on the sphere, would give: its density at an
    angle t is proportional to sin(t)^(d-2). None draws the empty axes. Raises ValueError.
    """
    edges = np.arange(0, 180 + WIDTH, WIDTH, dtype=np.float64)
    middle = (edges[:-1] + edges[1:]) / 2
    shares = random = np.zeros(len(middle))
    if weight is not None:
        rows = np.asarray(weight, dtype=np.float64)
        if rows.ndim != 2 or len(rows) < 2:
            raise ValueError(f"W must be a matrix with two rows at least, not {rows.shape}")
        shares = _shares(rows, edges)
        random = _random(rows.shape[1], edges)
    top = next((end for end in (0.1, 0.2, 0.5) if max(shares.max(), random.max()) <= end), 1.0)
    colours = theme.LIGHT
    traces: list[dict[str, Any]] = [
        {
            "type": "bar", "x": middle, "y": shares.astype(np.float32), "width": WIDTH * 0.92,
            "marker": {"color": colours.signal, "line": {"width": 0}}, "opacity": 0.8,
            "hovertext": [
                f"{low:.0f}° to {low + WIDTH:.0f}°: {share:.1%} of all pairs"
                for low, share in zip(edges[:-1], shares, strict=True)
            ],
            "hoverinfo": "text",
        },
        {
            "type": "scatter", "x": middle, "y": random.astype(np.float32), "mode": "lines",
            "line": {"color": colours.residual, "width": 2, "dash": "dot", "shape": "spline"},
            "hoverinfo": "skip",
        },
    ]  # fmt: skip
    entries = [
        ("■", colours.signal, "pairs of rows of W"),
        ("···", colours.residual, "random directions"),
    ]
    layout = theme.layout(
        margin={"l": 48, "r": 16, "t": 30, "b": 38, "pad": 0},
        bargap=0,
        xaxis=theme.axis(
            range=[0, 180],
            tickvals=[0, 45, 90, 135, 180],
            ticktext=["0°", "45°", "90°", "135°", "180°"],
            title=theme.title("angle between two rows"),
            fixedrange=True,
            showgrid=False,
        ),
        yaxis=theme.axis(range=[0, top], tickformat=".0%", nticks=4, fixedrange=True),
        annotations=[theme.key(entries)],
        hovermode="closest",
    )
    return theme.figure(traces, layout)


def _shares(rows: np.ndarray, edges: np.ndarray) -> np.ndarray:
    chosen = np.linspace(0, len(rows) - 1, min(len(rows), MAX_ROWS)).round().astype(int)
    lengths = np.linalg.norm(rows[chosen], axis=1)
    unit = rows[chosen][lengths > 0] / lengths[lengths > 0, None]
    cosines = (unit @ unit.T)[np.triu_indices(len(unit), 1)]
    # Rounding puts equal rows a little apart: on whole hundredths they fall into one bin.
    angles = np.degrees(np.arccos(cosines.clip(-1, 1))).round(2).clip(0, 179.99)
    counts, _ = np.histogram(angles, edges)
    return counts / max(len(angles), 1)


def _random(d: int, edges: np.ndarray) -> np.ndarray:
    """Shares of a density proportional to sin^(d-2); for d = 1 rows are parallel or opposite."""
    if d == 1:
        shares = np.zeros(len(edges) - 1)
        shares[[0, -1]] = 0.5
        return shares
    fine = np.linspace(0.25, 179.75, 360)
    density = np.sin(np.radians(fine)) ** (d - 2)
    counts, _ = np.histogram(fine, edges, weights=density)
    return counts / counts.sum()
