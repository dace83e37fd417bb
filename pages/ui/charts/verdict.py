"""Figures of the verdict: the residual of every block, and how sure the answers are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from pages.ui.charts.cells import Values, as_values, grid_layout, outline, row, writing
from pages.ui.charts.classes import class_axis, room, said
from pages.ui.look import theme

_FADED = 0.35  # opacity of bars that are not the answer


def residual_figure(
    block_residuals: ArrayLike | None, class_names: Sequence[str], attacks: Sequence[str]
) -> go.Figure:
    """||x' - G(z) - D_a[i][j] c_a[i][j]|| [classes, attacks]: the smallest names the attack.

    This is BSD-GAN-AD's own table (Section 5.2): more grey is more left over, and the smallest
    has a frame in its attack's hue. None draws the table empty. Raises ValueError.
    """
    residuals = as_values("block residuals", block_residuals, (len(class_names), len(attacks)))
    names = theme.labels(attacks)
    traces = []
    low, high, best = 0.0, 1.0, (0, 0)
    if residuals is not None:
        low, high = float(residuals.min()), float(residuals.max())
        high = high if high > low else low + 1.0
        best = divmod(int(residuals.argmin()), len(attacks))
    texts: list[list[str]] = []
    for j in range(len(attacks)):
        values = None if residuals is None else residuals[:, j]
        shown = [0.0] * len(class_names) if values is None else values.tolist()
        hover = [
            f"class {name}, attack {names[j]}<br>left over with this block alone: {value:.3g}<br>"
            + ("the smallest of all" if value == low else f"{value / low - 1:.0%} above the least")
            if low > 0
            else f"class {name}, attack {names[j]}<br>left over: {value:.3g}"
            for name, value in zip(class_names, shown, strict=True)
        ]
        traces.append(
            row(
                j,
                values,
                class_names,
                low=low,
                high=high,
                scale=theme.ramp(theme.LIGHT.residual_fill),
                hover=hover,
            )
        )
        texts.append(["" if values is None else f"{value:.3g}" for value in shown])
    traces.append(writing(texts, [[False] * len(line) for line in texts]))
    told, shapes = "what each block alone leaves over", []
    if residuals is not None:
        i, j = best
        told += f", least {low:.3g} ({said(class_names[i])}, {names[j]})"
        shapes = [outline(i, j, theme.LIGHT.attack(attacks[j]), 3)]
    layout = grid_layout(class_names, attacks, annotations=[theme.note(told)], shapes=shapes)
    return theme.figure(traces, layout)


def _margin(probabilities: Values) -> float:
    first, second = np.sort(probabilities)[::-1][:2]
    return float(first - second)


def margin_figure(
    signal_probabilities: ArrayLike | None,
    attack_probabilities: ArrayLike | None,
    class_names: Sequence[str],
    attack_names: Sequence[str],
    *,
    known: bool = True,
) -> go.Figure:
    """How sure the two answers are: signal [classes] on the left, attack [attacks] on the right.

    attack_names ends with "none". Each half states its margin, best minus second best. None
    draws a half empty. known: False where the answer is none of them; the right half then fades
    and says that it is about the nearest. Raises ValueError.
    """
    signal = as_values("signal probabilities", signal_probabilities, (len(class_names),))
    attack = as_values("attack probabilities", attack_probabilities, (len(attack_names),))
    halves = (
        ("signal", signal, list(class_names), [theme.LIGHT.signal] * len(class_names)),
        (
            "attack",
            attack,
            theme.labels(attack_names),
            [theme.LIGHT.attack(a) for a in attack_names],
        ),
    )
    domains = ((0.0, 0.58), (0.68, 1.0))
    layout = theme.layout(
        margin={"l": 40, "r": 8, "t": 28, "b": room(class_names, 28)}, bargap=0.25
    )
    traces, notes = [], []
    for half, ((name, values, labels, colours), domain) in enumerate(
        zip(halves, domains, strict=True)
    ):
        suffix = "" if half == 0 else "2"
        shown = [None] * len(labels) if values is None else values.tolist()
        traces.append(
            {
                "type": "bar",
                "x": list(range(len(labels))),
                "y": shown,
                "xaxis": f"x{suffix}",
                "yaxis": f"y{suffix}",
                "marker": {
                    "color": colours,
                    "line": {"width": 0},
                    "opacity": 1.0 if known or half == 0 else _FADED,
                },
                "hovertext": [
                    "" if value is None else f"{name} {label}: {value:.1%}"
                    for label, value in zip(labels, shown, strict=True)
                ],
                "hoverinfo": "text",
            }
        )
        place = {
            "domain": list(domain),
            "anchor": f"y{suffix}",
            "range": [-0.6, len(labels) - 0.4],
            "tickfont": {"size": 12 - half, "color": theme.LIGHT.text},
            "title": {},
        }
        upright = {"ticktext": labels, "tickangle": 0} if half else {}
        layout[f"xaxis{suffix}"] = class_axis(labels, **place, **upright)
        layout[f"yaxis{suffix}"] = theme.axis(
            anchor=f"x{suffix}",
            range=[0, 1.02],
            tickvals=[0, 0.5, 1],
            tickformat=".0%",
            showticklabels=half == 0,
            fixedrange=True,
        )
        told = "" if values is None else f", margin {_margin(values):.0%}"
        if half and not known:
            told = ": unknown; the nearest"
        side = "left" if half == 0 else "right"  # flush with the figure: it fits on a phone
        notes.append(theme.note(f"{name}{told}", x=float(half), xanchor=side))
    return theme.figure(traces, {**layout, "annotations": notes})
