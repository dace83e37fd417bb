"""What the verdict answers on attacks nobody trained for: one stacked bar for each attack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.ui.charts.confusion import answer_hue
from pages.ui.look import theme

_LABELS = 138  # pixels of the attacks' names
_GAP = 0.6  # of a bar, between two groups


def answers_figure(attacks: Mapping[str, Any], answers: Sequence[str]) -> go.Figure:
    """The shares of the answers on each attack, and the share that is read right as a dot.

    attacks: as in the report of `red_core.measure.unknown.measure`, key -> {"title", "group", "n",
    "answers": counts, "signal": {"value", "low", "high"}}. An answer has its attack's hue.
    Raises ValueError.
    """
    places: list[float] = []
    group = ""
    for number, made in enumerate(attacks.values()):
        new = number > 0 and made["group"] != group
        places.append((places[-1] + 1 + (_GAP if new else 0)) if places else 0.0)
        group = made["group"]
    found = list(attacks.values())
    traces = [_bars(answer, found, places) for answer in answers]
    traces.append(_read(found, places))
    entries = [
        ("■", answer_hue(answer), theme.ATTACK_LABELS.get(answer, answer)) for answer in answers
    ]
    entries.append(("◆", theme.LIGHT.signal, "class read right"))
    layout = theme.layout(
        barmode="stack",
        bargap=0.3,
        margin={"l": _LABELS, "r": 20, "t": 30, "b": 28, "pad": 0},
        xaxis=theme.axis(
            range=[0, 1.01],
            tickvals=[0, 0.25, 0.5, 0.75, 1],
            tickformat=".0%",
            fixedrange=True,
        ),
        yaxis=theme.axis(
            range=[(places[-1] if places else 0) + 0.6, -0.6],
            tickmode="array",
            tickvals=places,
            ticktext=[str(made["title"]) for made in found],
            tickfont={"size": 12, "color": theme.LIGHT.text},
            showgrid=False,
            fixedrange=True,
        ),
        annotations=[theme.key(entries, xshift=-_LABELS)],
        hovermode="closest",
    )
    return theme.figure(traces, layout)


def _bars(answer: str, found: Sequence[Mapping[str, Any]], places: list[float]) -> dict[str, Any]:
    counts = [int(made["answers"].get(answer, 0)) for made in found]
    totals = [int(made["n"]) for made in found]
    if any(total < 1 or count < 0 for count, total in zip(counts, totals, strict=True)):
        raise ValueError("an attack was measured on no image")
    label = theme.ATTACK_LABELS.get(answer, answer)
    return {
        "type": "bar",
        "orientation": "h",
        "x": [count / total for count, total in zip(counts, totals, strict=True)],
        "y": places,
        "name": label,
        "marker": {"color": answer_hue(answer), "line": {"width": 0}},
        "hovertext": [
            f"{made['title']}<br>answered {label}: {count:,} of {total:,}"
            for made, count, total in zip(found, counts, totals, strict=True)
        ],
        "hoverinfo": "text",
    }


def _read(found: Sequence[Mapping[str, Any]], places: list[float]) -> dict[str, Any]:
    values = [float(made["signal"]["value"]) for made in found]
    theme.require_finite("shares", np.array(values))
    return {
        "type": "scatter",
        "mode": "markers",
        "x": values,
        "y": places,
        "marker": {
            "symbol": "diamond",
            "size": 11,
            "color": theme.LIGHT.signal,
            "line": {"color": theme.LIGHT.background, "width": 1.5},
        },
        "hovertext": [
            f"{made['title']}<br>class read right: {value:.1%}"
            for made, value in zip(found, values, strict=True)
        ],
        "hoverinfo": "text",
    }
