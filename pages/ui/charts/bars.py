"""The classifier's probabilities before and after the attack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from numpy.typing import ArrayLike

from pages.ui.charts.cells import Values, as_values
from pages.ui.charts.classes import class_axis, room
from pages.ui.look import theme


def probability_figure(
    before: ArrayLike | None,
    after: ArrayLike | None,
    class_names: Sequence[str],
    attack: str | None = None,
    before_name: str = "x, the original",
    after_name: str = "x′, attacked",
) -> go.Figure:
    """Probabilities [classes] of psi before and after, side by side for each class.

    before is in the signal's colour, after in the attack's (grey where `attack` is None). None
    leaves the bars out and keeps their place. Raises ValueError.
    """
    shape = (len(class_names),)
    series = (
        (before_name, as_values("probabilities before", before, shape), theme.LIGHT.signal),
        (
            after_name,
            as_values("probabilities after", after, shape),
            theme.LIGHT.residual if attack is None else theme.LIGHT.attack(attack),
        ),
    )
    layout = theme.layout(
        barmode="group",
        bargap=0.28,
        bargroupgap=0.08,
        margin={"l": 44, "r": 8, "t": 30, "b": room(class_names)},
        annotations=[theme.key([("■", colour, name) for name, _, colour in series])],
        xaxis=class_axis(
            class_names,
            range=[-0.6, len(class_names) - 0.4],
            tickfont={"size": 12, "color": theme.LIGHT.text},
        ),
        yaxis=theme.axis(
            range=[0, 1.02],
            tickvals=[0, 0.25, 0.5, 0.75, 1],
            tickformat=".0%",
            fixedrange=True,
        ),
    )
    return theme.figure([_bars(*one, class_names) for one in series], layout)


def _bars(
    name: str, values: Values | None, colour: str, class_names: Sequence[str]
) -> dict[str, Any]:
    shown = [None] * len(class_names) if values is None else values.tolist()
    return {
        "type": "bar",
        "x": list(range(len(class_names))),
        "y": shown,
        "name": name,
        "marker": {"color": colour, "line": {"width": 0}},
        "hovertext": [
            "" if value is None else f"{name}<br>class {label}: {value:.1%}"
            for label, value in zip(class_names, shown, strict=True)
        ],
        "hoverinfo": "text",
    }
