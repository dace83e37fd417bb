"""The landscape from above: contours, or basins under contour lines, and the marked points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.ui.charts.landscape.relief import (
    KINDS,
    Basin,
    Mark,
    Relief,
    colour_of,
    fate_entries,
    fate_scale,
    key_entries,
)
from pages.ui.look import theme

LEVELS = 14  # contour lines, at most
SURFACE = "loss"  # the trace's name, which a click tells


def above_figure(
    relief: Relief | None,
    marks: Sequence[Mark] = (),
    basin: Basin | None = None,
    names: tuple[str, str] = ("z₁", "z₂"),
    limits: tuple[float, float, float, float] | None = None,
    note: str = "",
    over: Sequence[dict[str, Any]] = (),
) -> go.Figure:
    """The contour chart, with true angles.

    relief: None draws an empty place with axes in `limits` (left, right, low, high); marks: in
    front; basin: colours by where starts end, contours as lines; note: what stands above instead
    of a key; over: more traces in front. Raises ValueError.
    """
    traces: list[dict[str, Any]] = []
    if relief is not None:
        names = relief.names
        limits = (relief.x[0], relief.x[-1], relief.y[0], relief.y[-1])
        traces = [_field(relief)] if basin is None else [_basins(relief, basin), _lines(relief)]
    empty = [] if relief is not None else [_empty()]
    if marks:
        traces += _marks(marks)
    traces += over
    left, right, low, high = (-1.0, 1.0, -1.0, 1.0) if limits is None else limits
    layout = theme.layout(
        margin={"l": 46, "r": 12, "t": 42, "b": 42, "pad": 0},
        xaxis=theme.axis(
            range=[left, right], title=theme.title(names[0]), constrain="domain", fixedrange=True,
            showgrid=False,
        ),
        yaxis=theme.axis(
            range=[low, high], title=theme.title(names[1]), constrain="domain", fixedrange=True,
            scaleanchor="x", showgrid=False,
        ),
        hovermode="closest",
        dragmode=False,
        shapes=empty,
        annotations=[
            theme.note(note)
            if note
            else _key(key_entries(marks), fate_entries(basin) if basin else [])
        ],
    )  # fmt: skip
    return theme.figure(traces, layout)


@dataclass(frozen=True)
class Ring:
    """A disc in the plane; name: what it holds."""

    x: float
    y: float
    radius: float
    name: str


def ring_traces(rings: Sequence[Ring]) -> list[dict[str, Any]]:
    """Discs as shaded outlines in front of a landscape; a large one may cover all of it."""
    turn = np.linspace(0, 2 * np.pi, 121)
    return [
        {
            "type": "scatter",
            "x": (ring.x + ring.radius * np.cos(turn)).astype(np.float32),
            "y": (ring.y + ring.radius * np.sin(turn)).astype(np.float32),
            "mode": "lines", "fill": "toself", "fillcolor": theme.LIGHT.residual,
            "opacity": 0.45, "name": ring.name, "hoverinfo": "skip",
            "line": {"color": theme.LIGHT.text, "width": 2, "dash": "dot"},
        }
        for ring in rings
    ]  # fmt: skip


def _empty() -> dict[str, Any]:
    """The place of a landscape that is not known yet."""
    return {
        "type": "rect", "xref": "x domain", "yref": "y domain", "x0": 0, "x1": 1, "y0": 0, "y1": 1,
        "fillcolor": theme.LIGHT.surface, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _key(marks: list[tuple[str, str, str]], fates: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Signs, and below them the colours of basins: in one line they would not fit a phone."""
    note = theme.key(marks)
    if fates:
        note["text"] = "<br>".join(theme.key(entries)["text"] for entries in (marks, fates))
    return {**note, "align": "left"}


def _grid(relief: Relief) -> dict[str, Any]:
    low, high = relief.span
    return {
        "type": "contour",
        "name": SURFACE,
        "x": relief.x.astype(np.float32),
        "y": relief.y.astype(np.float32),
        "z": relief.heights,
        "zmin": low,
        "zmax": high,
        "colorscale": theme.altitude(),
        "showscale": False,
        "contours": {
            "start": low,
            "end": high,
            "size": (high - low) / LEVELS,
            "coloring": "heatmap",
        },
        "line": {"color": theme.LIGHT.background, "width": 0.7, "smoothing": 0.6},
        "autocontour": False,
    }


def _field(relief: Relief) -> dict[str, Any]:
    """Contours whose colour is the height."""
    hover = f"({relief.names[0]}, {relief.names[1]}) = (%{{x:.2f}}, %{{y:.2f}})"
    return {
        **_grid(relief),
        "hovertemplate": f"{hover}<br>{relief.title} = %{{z:.3g}}<extra></extra>",
    }


def _lines(relief: Relief) -> dict[str, Any]:
    """Contours as lines alone, above basins."""
    drawn = _grid(relief)
    drawn["contours"] = {**drawn["contours"], "coloring": "none"}
    return {**drawn, "hoverinfo": "skip"}


def _basins(relief: Relief, basin: Basin) -> dict[str, Any]:
    scale = fate_scale()
    fates = np.array(basin.names)[basin.at(relief.x, relief.y)]
    return {
        "type": "heatmap",
        "name": SURFACE,
        "x": relief.x.astype(np.float32),
        "y": relief.y.astype(np.float32),
        "z": basin.shades(relief),
        "zmin": scale["low"],
        "zmax": scale["high"],
        "colorscale": scale["colorscale"],
        "showscale": False,
        "hovertext": fates.tolist(),
        "hovertemplate": "a start at (%{x:.2f}, %{y:.2f})<br>%{hovertext}<extra></extra>",
    }


def _marks(marks: Sequence[Mark]) -> list[dict[str, Any]]:
    """One trace of halos and one of signs, so that both read on light and on dark."""
    x, y = [mark.x for mark in marks], [mark.y for mark in marks]
    symbols = [KINDS[mark.kind][0] for mark in marks]
    sizes = np.array([16 if mark.kind == "solution" else 10 for mark in marks])
    colours = [colour_of(mark.kind) for mark in marks]
    signs = {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "markers",
        "name": "stationary points",
        "cliponaxis": False,
        "hovertext": [mark.text for mark in marks],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "symbol": symbols,
            "size": sizes.tolist(),
            "color": colours,
            "line": {
                "color": [
                    colour
                    if KINDS[mark.kind][0].endswith(("thin", "open"))
                    else theme.LIGHT.background
                    for mark, colour in zip(marks, colours, strict=True)
                ],
                "width": [2 if mark.kind in ("saddle", "predicted") else 1 for mark in marks],
            },
        },
    }
    halo = {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "markers",
        "hoverinfo": "skip",
        "cliponaxis": False,
        "marker": {"symbol": "circle", "size": (sizes + 4).tolist(),
                   "color": theme.LIGHT.background, "opacity": 0.55},
    }  # fmt: skip
    return [halo, signs]
