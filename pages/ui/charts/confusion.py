"""Confusion matrices: who was taken for what, class by class and attack by attack.

A row is what is true, a column what was said. A cell's colour grows with the square root of its
share of the row, on the same scale in every matrix, so that one image of a hundred is still seen
and two methods can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from pages.ui.charts.cells import Values, as_values, outline, writing
from pages.ui.look import theme

Cell = tuple[int, int]
_LETTER = 6.6  # CSS pixels of a label's letter, about
_NARROW = 300  # CSS pixels of a matrix on a phone


def class_confusion_figure(
    counts: ArrayLike | None, class_names: Sequence[str], attack: str, chosen: Cell | None = None
) -> go.Figure:
    """Counts [classes, classes] of (true class, answer) under one attack.

    What is right has the signal's colour, what is misread the attack's. chosen: the (row, column)
    that is framed. None draws the table empty. Raises ValueError.
    """
    size = len(class_names)
    values = as_counts(counts, (size, size))
    hue = theme.LIGHT.attack(attack)
    right = np.eye(size, dtype=bool)
    under = "without an attack" if attack == "none" else f"under {theme.ATTACK_LABELS[attack]}"
    entries = [("■", theme.LIGHT.signal, "right"), ("■", hue, f"misread {under}")]

    def hover_text(row: int, column: int, count: int, share: str) -> str:
        said = "read right" if row == column else f"read as {class_names[column]}"
        return f"true {class_names[row]}, {said}<br>{share}"

    return _matrix(
        values,
        (list(class_names), list(class_names)),
        ("true class", "class that the method answers"),
        [(right, theme.LIGHT.signal), (~right, hue)],
        hover_text,
        theme.key([*entries, *_right(values, right)]),
        chosen,
    )


def attack_confusion_figure(
    counts: ArrayLike | None,
    attacks: Sequence[str],
    answers: Sequence[str],
    chosen: Cell | None = None,
) -> go.Figure:
    """Counts [attacks, answers] of (attack made, attack named); a column has its answer's hue.

    attacks, answers: names of ATTACK_LABELS, and "unknown" for none of the known. chosen, None
    and errors as in `class_confusion_figure`.
    """
    values = as_counts(counts, (len(attacks), len(answers)))
    rows, columns = theme.labels(attacks), theme.labels(answers)
    right = np.array([[made == said for said in answers] for made in attacks])
    layers = []
    for place, said in enumerate(answers):
        here = np.zeros_like(right)
        here[:, place] = True
        layers.append((here, answer_hue(said)))

    def hover_text(row: int, column: int, count: int, share: str) -> str:
        made = "no attack" if attacks[row] == "none" else rows[row]
        said = "no attack" if answers[column] == "none" else columns[column]
        return f"made: {made}, named: {said}<br>{share}"

    entries = _right(values, right) or [("", theme.LIGHT.text, "colour: the attack that is named")]
    return _matrix(
        values,
        (rows, columns),
        ("attack made", "attack that the method names"),
        layers,
        hover_text,
        theme.key(entries),
        chosen,
    )


def as_counts(counts: ArrayLike | None, shape: tuple[int, ...]) -> Values | None:
    """Counts as float64 of `shape`, none negative; None stays None."""
    values = as_values("counts", counts, shape)
    if values is not None and values.min() < 0:
        raise ValueError("counts must not be negative")
    return values


def answer_hue(attack: str) -> str:
    """The hue of an answer: its attack's, or grey for none of the known ones."""
    known = attack in theme.ATTACK_LABELS and hasattr(theme.LIGHT, attack)
    return str(getattr(theme.LIGHT, attack)) if known else theme.LIGHT.residual


def _right(values: Values | None, right: Any) -> list[tuple[str, str, str]]:
    """The share that is right, as an entry of the key."""
    if values is None or not values.sum():
        return []
    hits, total = int(values[right].sum()), int(values.sum())
    return [("", theme.LIGHT.text, f"{hits:,} of {total:,} right")]


def _matrix(
    values: Values | None,
    names: tuple[list[str], list[str]],
    titles: tuple[str, str],
    layers: list[tuple[Any, str]],
    hover_text: Callable[[int, int, int, str], str],
    note: dict[str, Any],
    chosen: Cell | None,
) -> go.Figure:
    """The cells, one heat map for each of the `layers` (which cells, their colour)."""
    rows, columns = names
    known = values is not None
    counts = np.zeros((len(rows), len(columns))) if values is None else values
    totals = counts.sum(1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    depth = np.sqrt(shares)
    hover = [
        [
            hover_text(i, j, int(counts[i, j]), _share(counts[i, j], totals[i, 0]))
            for j in _all(columns)
        ]
        for i in _all(rows)
    ]
    traces = [
        {
            "type": "heatmap",
            "x": list(_all(columns)),
            "y": list(_all(rows)),
            "z": [[depth[i, j] if mask[i, j] else None for j in _all(columns)] for i in _all(rows)],
            "zmin": 0.0,
            "zmax": 1.0,
            "colorscale": theme.ramp(colour),
            "showscale": False,
            "xgap": 2,
            "ygap": 2,
            "hovertext": hover,
            "hoverinfo": "text" if known else "skip",
            "hoverongaps": False,
        }
        for mask, colour in layers
    ]
    texts = [[f"{int(count)}" if count else "" for count in line] for line in counts]
    traces.append(writing(texts, (depth > 0.6).tolist()))
    shapes = [outline(chosen[1], chosen[0], theme.LIGHT.accent, 3)] if chosen else []
    return theme.figure(traces, matrix_layout(rows, columns, titles, note, shapes))


def _all(names: list[str]) -> range:
    return range(len(names))


def _share(count: float, total: float) -> str:
    return f"{int(count)} of {int(total)} ({count / total:.1%})" if total else "not measured"


def matrix_layout(
    rows: list[str],
    columns: list[str],
    titles: tuple[str, str],
    note: dict[str, Any],
    shapes: list[dict[str, Any]],
) -> dict[str, Any]:
    """Fixed axes: what is true from top to bottom, what is said from left to right."""
    longest = max(map(len, columns))
    upright = _LETTER * longest * len(columns) < _NARROW
    below = 40 if upright else 34 + _LETTER * longest
    names = {"tickmode": "array", "showgrid": False, "fixedrange": True}
    text_font = {"size": 12, "color": theme.LIGHT.text}
    return theme.layout(
        margin={"l": 30 + _LETTER * max(map(len, rows)), "r": 4, "t": 26, "b": below, "pad": 0},
        xaxis=theme.axis(
            range=[-0.5, len(columns) - 0.5],
            tickvals=list(_all(columns)),
            ticktext=columns,
            tickangle=0 if upright else -90,
            title=theme.title(titles[1]),
            tickfont=text_font,
            **names,
        ),
        yaxis=theme.axis(
            range=[len(rows) - 0.5, -0.5],
            tickvals=list(_all(rows)),
            ticktext=rows,
            title=theme.title(titles[0]),
            tickfont=text_font,
            **names,
        ),
        annotations=[note],
        shapes=shapes,
    )
