"""B.8's trade-off over sigma: what is read right, and below it how far D(x') lies from x'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from pages.ui.look import theme
from red_core.attacks.pgd import ATTACKS
from red_core.measure.tradeoff import READERS, Row

DASHES = {"ancestral": "solid", "first guess": "dash", "flow": "dot"}
_SIGNS = {"solid": "——", "dash": "– –", "dot": "····"}
_UPPER, _LOWER = [0.4, 1.0], [0.0, 0.27]


def tradeoff_figure(
    ways: Mapping[str, Sequence[Row]], reader: str, chosen: Row | None
) -> go.Figure:
    """ways: rows by way, by sigma; reader: key of READERS; chosen: the row to mark.

    Without ways the axes are empty. Raises KeyError for a way that has no line style.
    """
    colours = theme.LIGHT
    traces: list[dict[str, Any]] = []
    lines = {
        "clean": ("clean", colours.attack("none"), 1.5),
        **{kind: (theme.ATTACK_LABELS[kind], colours.attack(kind), 1.5) for kind in ATTACKS},
    }
    for way, rows in ways.items():
        sigmas, dash = [row.sigma for row in rows], DASHES[way]
        for name, (label, colour, width) in lines.items():
            shares = [100 * row.shares(reader)[name] for row in rows]
            traces.append(
                _line(sigmas, shares, f"{label}, {way}: %{{y:.1f}}%", colour, dash, width)
            )
        means = [100 * row.mean(reader) for row in rows]
        text = f"mean, {way}: %{{y:.1f}}%"
        traces.append(_line(sigmas, means, text, colours.text, dash, 3))
        moved = [row.moved for row in rows]
        text = f"{way}: %{{y:.2f}}"
        traces.append({**_line(sigmas, moved, text, colours.text, dash, 2), "yaxis": "y2"})
    if chosen is not None:
        for height, axis in ((100 * chosen.mean(reader), "y"), (chosen.moved, "y2")):
            traces.append(_mark(chosen, height, axis))
    entries = [("—", colour, label) for label, colour, _ in lines.values()]
    entries += [("—", colours.text, "mean of the four"), ("◆", colours.accent, "chosen")]
    entries += [(_SIGNS[dash], colours.text, way) for way, dash in DASHES.items() if way in ways]
    shared = {"range": [0, 0.42], "dtick": 0.1, "fixedrange": True}
    moved = [row.moved for rows in ways.values() for row in rows]
    layout = theme.layout(
        margin={"l": 48, "r": 12, "t": 62, "b": 40, "pad": 0},
        xaxis=theme.axis(**shared, anchor="y2", title=theme.title("σ of the noise")),
        yaxis=theme.axis(
            range=[0, 100],
            domain=_UPPER,
            fixedrange=True,
            title=theme.title(f"% read right by {READERS[reader]}"),
        ),
        yaxis2=theme.axis(
            range=[0, 1.1 * max(moved, default=1.0)],
            domain=_LOWER,
            fixedrange=True,
            title=theme.title("‖D(x') − x'‖"),
        ),
        annotations=[theme.key_in_lines(entries)],
        hovermode="closest",
    )
    return theme.figure(traces, layout)


def _line(
    sigmas: Sequence[float],
    values: Sequence[float],
    text: str,
    colour: str,
    dash: str,
    width: float,
) -> dict[str, Any]:
    return {
        "type": "scatter", "x": list(sigmas), "y": list(values), "mode": "lines",
        "line": {"color": colour, "dash": dash, "width": width},
        "hovertemplate": f"σ %{{x:g}}<br>{text}<extra></extra>",
    }  # fmt: skip


def _mark(chosen: Row, height: float, axis: str) -> dict[str, Any]:
    return {
        "type": "scatter", "x": [chosen.sigma], "y": [height], "yaxis": axis, "mode": "markers",
        "marker": {"symbol": "diamond", "size": 12, "color": theme.LIGHT.accent,
                   "line": {"color": theme.LIGHT.background, "width": 1.5}},
        "hovertemplate": f"chosen: {chosen.way}, {chosen.combination.words}<extra></extra>",
    }  # fmt: skip
