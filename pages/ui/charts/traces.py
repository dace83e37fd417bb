"""Traces over the iterates k: the loss with its duality gap, and mu or what stands in for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.ui.charts.cells import Values
from pages.ui.charts.logs import decades, log_axis, positive
from pages.ui.look import theme

START_NAME = "Defense-GAN start"
GAP_NAME = "duality gap of c_a"
_KEY_SHIFT = 20  # px: the names of the lines stand above the name of the start


def _steps_layout(
    total_steps: int, start_steps: int, start: str, names: dict[str, Any], **values: Any
) -> dict[str, Any]:
    """A fixed axis of k, the start phase shaded and named; names: a `theme.key` for above it."""
    if total_steps < 1 or not 0 <= start_steps <= total_steps:
        raise ValueError(f"{start_steps} start steps of {total_steps} make no axis")
    shapes, notes = [], [names]
    if start_steps:
        shapes.append(
            {
                "type": "rect",
                "xref": "x",
                "yref": "paper",
                "x0": 0,
                "x1": start_steps,
                "y0": 0,
                "y1": 1,
                "fillcolor": theme.LIGHT.phase,
                "line": {"width": 0},
                "layer": "below",
            }
        )
        notes.append(
            theme.note(
                start,
                xref="x",
                x=0,
                yshift=2,
                font={"size": 11, "color": theme.LIGHT.muted},
            )
        )
    return theme.layout(
        margin={"l": 48, "r": 16, "t": 42, "b": 38, "pad": 0},
        xaxis=theme.axis(
            range=[0, total_steps], nticks=6, title=theme.title("step k"), hoverformat="d"
        ),
        shapes=shapes,
        annotations=notes,
        hovermode="x unified",
        dragmode="zoom",
        **values,
    )


def _line(
    ks: Sequence[int], values: Values, name: str, colour: str, dash: str = "solid"
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": np.array(ks, dtype=np.int16),  # typed arrays travel as their bytes
        "y": values.astype(np.float32),
        "name": name,
        "mode": "lines",
        "line": {"color": colour, "width": 2, "dash": dash, "simplify": False},
        "hovertemplate": name + " %{y:.3g}<extra></extra>",
    }


def _check(ks: Sequence[int], **series: Sequence[float | None]) -> None:
    for name, values in series.items():
        if len(values) != len(ks):
            raise ValueError(f"{len(values)} values of {name} for {len(ks)} steps")


def loss_figure(
    ks: Sequence[int],
    losses: Sequence[float | None],
    gaps: Sequence[float | None],
    total_steps: int,
    start_steps: int = 0,
    start: str = START_NAME,
) -> go.Figure:
    """Objective and duality gap of the c_a problem over the steps k, on a log axis.

    The axis of k is [0, total_steps] from the first frame; [0, start_steps] is shaded and called
    `start`. Values that a log axis cannot show leave a gap in the line. Raises ValueError where
    lengths differ.
    """
    _check(ks, losses=losses, gaps=gaps)
    loss, gap = positive(losses), positive(gaps)
    low, high = decades(np.concatenate((loss, gap)), (-2, 2))
    names = [("—", theme.LIGHT.signal, "loss"), ("···", theme.LIGHT.certificate, GAP_NAME)]
    layout = _steps_layout(
        total_steps,
        start_steps,
        start,
        theme.key(names, yshift=_KEY_SHIFT),
        yaxis=log_axis(low, high),
    )
    lines = [
        _line(ks, loss, "loss", theme.LIGHT.signal),
        _line(ks, gap, GAP_NAME, theme.LIGHT.certificate, "dot"),
    ]
    return theme.figure(lines, layout)


def mu_figure(
    ks: Sequence[int],
    values: Sequence[float | None],
    name: str,
    total_steps: int,
    start_steps: int = 0,
    start: str = START_NAME,
) -> go.Figure:
    """mu along the path (eq. 9), or what stands in for it, over the steps k on a log axis.

    name says which of them it is. Otherwise as `loss_figure`; `values` may be shorter than `ks`.
    """
    if len(values) > len(ks):
        raise ValueError(f"{len(values)} values of {name} for {len(ks)} steps")
    shown = positive(values)
    low, high = decades(shown, (-1, 1))
    layout = _steps_layout(
        total_steps,
        start_steps,
        start,
        theme.key([("—", theme.LIGHT.certificate, name)], yshift=_KEY_SHIFT),
        yaxis=log_axis(low, high),
    )
    return theme.figure([_line(ks[: len(shown)], shown, name, theme.LIGHT.certificate)], layout)
