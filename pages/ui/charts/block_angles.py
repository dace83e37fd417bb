"""How far apart the spans of D_a's blocks are: a square for every pair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from pages.ui.look import theme
from pages.ui.look.theme import ATTACK_LABELS


def block_angles(
    apart: ArrayLike | None, attacks: Sequence[str], class_names: Sequence[str]
) -> go.Figure:
    """Half the sine of the smallest principal angle of each pair of blocks, attack by attack.

    apart [B, B], B = attacks x classes, in [0, 1/2]; None draws the empty axes. ValueError for
    another shape.
    """
    count, classes = len(attacks) * len(class_names), len(class_names)
    traces, most = [], 0.5
    if apart is not None:
        values = np.asarray(apart, dtype=np.float64)
        if values.shape != (count, count):
            raise ValueError(f"the angles must be of {count} x {count} blocks, not {values.shape}")
        most = max(float(values.max()), 0.01)
        names = [f"{ATTACK_LABELS[attack]}, {name}" for attack in attacks for name in class_names]
        traces = [
            {
                "type": "heatmap", "z": values.astype(np.float32), "zmin": 0, "zmax": most,
                "colorscale": theme.ramp(theme.LIGHT.certificate), "showscale": False,
                "text": [[f"{row}<br>{column}" for column in names] for row in names],
                "hovertemplate": "%{text}<br>half the sine: %{z:.3f}<extra></extra>",
            }
        ]  # fmt: skip
    middles = [classes * (place + 0.5) - 0.5 for place in range(len(attacks))]
    ticks = {
        "tickmode": "array", "tickvals": middles, "fixedrange": True, "showgrid": False,
        "ticktext": [ATTACK_LABELS[attack] for attack in attacks],
    }  # fmt: skip
    edges = [classes * place - 0.5 for place in range(1, len(attacks))]
    line = {"color": theme.LIGHT.background, "width": 2}
    ends = {"type": "line", "line": line}
    layout = theme.layout(
        margin={"l": 46, "r": 12, "t": 30, "b": 34, "pad": 0},
        xaxis=theme.axis(range=[-0.5, count - 0.5], constrain="domain", **ticks),
        yaxis=theme.axis(range=[count - 0.5, -0.5], scaleanchor="x", constrain="domain", **ticks),
        shapes=[
            *({**ends, "x0": at, "x1": at, "y0": -0.5, "y1": count - 0.5} for at in edges),
            *({**ends, "y0": at, "y1": at, "x0": -0.5, "x1": count - 0.5} for at in edges),
        ],
        annotations=[
            theme.key(
                [("■", theme.LIGHT.certificate, f"half the sine of the angle, full at {most:.2f}")]
            )
        ],
        hovermode="closest",
    )
    return theme.figure(traces, layout)
