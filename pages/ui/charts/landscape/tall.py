"""The landscape in relief: a surface that a reader can turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.ui.charts.landscape.above import LEVELS, SURFACE
from pages.ui.charts.landscape.relief import (
    KINDS,
    Basin,
    Mark,
    Relief,
    colour_of,
    fate_scale,
)
from pages.ui.look import theme

# Without a point in it there would be no scene.
_NOTHING = {
    "type": "scatter3d",
    "mode": "markers",
    "x": [0.0],
    "y": [0.0],
    "z": [0.0],
    "hoverinfo": "skip",
    "marker": {"opacity": 0},
}
CAMERA = {
    "eye": {"x": 1.15, "y": -1.36, "z": 0.97},
    "center": {"x": 0, "y": 0, "z": -0.12},
    "up": {"x": 0, "y": 0, "z": 1},
}


def tall_figure(
    relief: Relief | None,
    marks: Sequence[Mark] = (),
    basin: Basin | None = None,
    names: tuple[str, str] = ("z₁", "z₂"),
    limits: tuple[float, float, float, float] | None = None,
) -> go.Figure:
    """The surface in 3-D; the arguments are `above_figure`'s."""
    traces: list[dict[str, Any]] = [_NOTHING]
    low, high, height = 0.0, 1.0, "f"
    if relief is not None:
        names = relief.names
        limits = (relief.x[0], relief.x[-1], relief.y[0], relief.y[-1])
        (low, high), height = relief.span, relief.title
        traces = [_surface(relief, basin)]
        if marks:
            traces.append(_marks(relief, marks))
    left, right, front, back = (-1.0, 1.0, -1.0, 1.0) if limits is None else limits
    room = 0.04 * (high - low)
    layout = theme.layout(
        margin={"l": 0, "r": 0, "t": 0, "b": 0, "pad": 0},
        scene={
            "xaxis": _axis(names[0], left, right),
            "yaxis": _axis(names[1], front, back),
            "zaxis": _axis(height, low - room, high + room),
            "aspectmode": "manual",
            "aspectratio": {"x": 1, "y": 1, "z": 0.72},
            "camera": CAMERA,
            "dragmode": "turntable",
            "hovermode": "closest",
        },
    )
    return theme.figure(traces, layout)


def _axis(name: str, low: float, high: float) -> dict[str, Any]:
    return {
        "range": [low, high],
        "title": {"text": name, "font": {"size": 12, "color": theme.LIGHT.muted}},
        "tickfont": {"size": 10, "color": theme.LIGHT.muted},
        "gridcolor": theme.LIGHT.grid,
        "zeroline": False,
        "showbackground": False,
        "showspikes": False,
        "nticks": 5,
    }


def _surface(relief: Relief, basin: Basin | None) -> dict[str, Any]:
    low, high = relief.span
    colour: dict[str, Any] = {"colorscale": theme.altitude(), "cmin": low, "cmax": high}
    if basin is not None:
        scale = fate_scale()
        colour = {
            "surfacecolor": basin.shades(relief),
            "colorscale": scale["colorscale"],
            "cmin": scale["low"],
            "cmax": scale["high"],
        }
    hover = f"({relief.names[0]}, {relief.names[1]}) = (%{{x:.2f}}, %{{y:.2f}})"
    return {
        "type": "surface",
        "name": SURFACE,
        "x": relief.x.astype(np.float32),
        "y": relief.y.astype(np.float32),
        "z": relief.heights,
        "showscale": False,
        "hovertemplate": f"{hover}<br>{relief.title} = %{{z:.3g}}<extra></extra>",
        # Paint, not metal: a glare would look like a height.
        "lighting": {"ambient": 0.82, "diffuse": 0.35, "specular": 0.02, "roughness": 1},
        "contours": {
            "z": {
                "show": True,
                "start": low,
                "end": high,
                "size": (high - low) / LEVELS,
                "color": theme.LIGHT.muted,
                "width": 1,
            },
            "x": {"highlight": False},
            "y": {"highlight": False},
        },
        **colour,
    }


def _marks(relief: Relief, marks: Sequence[Mark]) -> dict[str, Any]:
    low, high = relief.span
    return {
        "type": "scatter3d",
        "name": "stationary points",
        "x": [mark.x for mark in marks],
        "y": [mark.y for mark in marks],
        # A little above the surface, or half of every sign would be buried.
        "z": (relief.lift([mark.value for mark in marks]) + 0.02 * (high - low)).tolist(),
        "mode": "markers",
        "hovertext": [mark.text for mark in marks],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "symbol": [KINDS[mark.kind][1] for mark in marks],
            "size": [7 if mark.kind == "solution" else 4 for mark in marks],
            "color": [colour_of(mark.kind) for mark in marks],
            "line": {"color": theme.LIGHT.background, "width": 1},
        },
    }
