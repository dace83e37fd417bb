"""Section 3's assumption as a picture: how much of a held-out attack the dictionary leaves over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.ui.look import theme

SHORT = {
    "own": "own block",
    "attack_drawn": "its attack, as many",
    "others_drawn": "others, as many",
    "attack": "its attack, all",
    "others": "others, all",
}
_OTHERS = ("others", "others_drawn")
_CUTS = ("5", "25", "50", "75", "95")
_GAP = 1.1  # rows between two attacks


def assumption_figure(attacks: Mapping[str, Any] | None, spans: Sequence[str]) -> go.Figure:
    """The relative residual ||delta - P delta|| / ||delta|| on each span, attack by attack.

    attacks: as in the report of `red_core.measure.assumption.measure`, attack -> {"spans": span ->
    {"quantiles", "random": {"mean"}}}; spans: in the order of the rows. A thin line from the 5%
    to the 95% quantile, a thick one from the 25% to the 75%, a dot at the median; a tick where a
    random subspace of the same dimension stands. None draws the axes empty. Raises ValueError.
    """
    names = ["linf", "l2", "l1"] if attacks is None else list(attacks)
    traces: list[dict[str, Any]] = []
    notes, places, labels = [], [], []
    for group, attack in enumerate(names):
        top = group * (len(spans) + _GAP)
        notes.append(_head(attack, top))
        for row, span in enumerate(spans):
            places.append(top + row)
            labels.append(SHORT.get(span, span))
            if attacks is not None:
                colour = theme.LIGHT.residual if span in _OTHERS else theme.LIGHT.attack(attack)
                traces += _row(attacks[attack]["spans"][span], places[-1], span, colour)
    entries = [
        ("●", theme.LIGHT.text, "median, half, nine tenths"),
        ("|", theme.LIGHT.text, "a random span"),
    ]
    layout = theme.layout(
        margin={"l": 128, "r": 12, "t": 30, "b": 40, "pad": 0},
        xaxis=theme.axis(
            range=[-0.03, 1.02],
            tickvals=[0, 0.25, 0.5, 0.75, 1],
            fixedrange=True,
            title=theme.title("relative residual: the part of δ that is left over"),
        ),
        yaxis=theme.axis(
            range=[places[-1] + 0.6, -1.3],
            tickmode="array",
            tickvals=places,
            ticktext=labels,
            tickfont={"size": 12, "color": theme.LIGHT.text},
            showgrid=False,
            fixedrange=True,
        ),
        annotations=[theme.key(entries), *notes],
        hovermode="closest",
    )
    return theme.figure(traces, layout)


def _head(attack: str, top: float) -> dict[str, Any]:
    """An attack's name above its rows, flush with the labels' right side."""
    return {
        "text": f"<b>{theme.ATTACK_LABELS.get(attack, attack)}</b>",
        "xref": "paper",
        "yref": "y",
        "x": 0,
        "y": top - 0.85,
        "xanchor": "left",
        "yanchor": "middle",
        "showarrow": False,
        "font": {"size": 13, "color": theme.LIGHT.attack(attack)},
    }


def _row(measured: Mapping[str, Any], place: float, span: str, colour: str) -> list[dict[str, Any]]:
    low, quarter, middle, most, high = cuts = [float(measured["quantiles"][cut]) for cut in _CUTS]
    chance = float(measured["random"]["mean"])
    theme.require_finite("residuals", np.array([*cuts, chance]))
    said = (
        f"{SHORT.get(span, span)} ({measured['columns']:,} columns, "
        f"dimension {measured['rank']:g})<br>"
        f"median {middle:.3f}, half of them {quarter:.3f} to {most:.3f}<br>"
        f"a random span of this dimension: {chance:.3f}"
    )
    line = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
    return [
        {**line, "x": [low, high], "y": [place] * 2, "line": {"color": colour, "width": 1.5}},
        {**line, "x": [quarter, most], "y": [place] * 2, "line": {"color": colour, "width": 6}},
        {
            "type": "scatter", "x": [middle], "y": [place], "mode": "markers",
            "marker": {"size": 9, "color": colour,
                       "line": {"color": theme.LIGHT.background, "width": 1.5}},
            "hovertext": [said], "hoverinfo": "text",
        },
        {
            "type": "scatter", "x": [chance], "y": [place], "mode": "markers",
            "marker": {"symbol": "line-ns-open", "size": 13, "color": theme.LIGHT.text,
                       "line": {"width": 2}},
            "hovertext": [said], "hoverinfo": "text",
        },
    ]  # fmt: skip
