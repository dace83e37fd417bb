"""The strip of the page "Compare": methods over strengths of the attack, right or wrong."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from pages.ui.look import theme
from pages.ui.look.theme import LIGHT

HEAD, ROW = 64, 66  # pixels: of the pictures' row, and of a method's
TOP, BOTTOM = 64, 8  # margins
_TITLE, _CELL, _DISC = 12, (24, 46), 56  # within a row: middle, from and to, middle
_RIGHT, _WRONG, _UNKNOWN = 1.0, 0.0, 0.5


@dataclass(frozen=True)
class StripCell:
    """One method at one strength.

    text: the class it reads, short ("" where it reads none); right: whether that is right, None
    where nobody knows; attack: linf, l2, l1, none or another name, None where it names none;
    attack_right: likewise; hover: all of it in words.
    """

    text: str
    right: bool | None
    attack: str | None
    attack_right: bool | None
    hover: str


@dataclass(frozen=True)
class StripRow:
    """A method: its title, what became of it in a few words, its cells (none before it answers)."""

    title: str
    summary: str
    cells: Sequence[StripCell]


def strip_height(rows: int) -> int:
    """The figure's height in pixels."""
    return TOP + HEAD + ROW * max(rows, 1) + BOTTOM


def strip_figure(
    factors: Sequence[float],
    eps: float,
    images: Sequence[bytes],
    rows: Sequence[StripRow],
    marked: float | None = None,
) -> go.Figure:
    """Rows of cells, one a strength, under the attacked images themselves.

    factors: ascending and evenly spaced strengths as multiples of the paper's `eps`; images: PNG
    of x' at the first of them; marked: a factor to point at. Raises ValueError for a row whose
    cells are not one a strength, and for more images than strengths.
    """
    count = len(factors)
    if len(images) > count:
        raise ValueError(f"{len(images)} images for {count} strengths")
    for row in rows:
        if row.cells and len(row.cells) != count:
            raise ValueError(f"{row.title} has {len(row.cells)} cells for {count} strengths")
    traces: list[dict[str, Any]] = []
    notes = [theme.note("ε, and how many times the paper's", yshift=40)]
    for place, row in enumerate(rows):
        top = HEAD + ROW * place
        traces += _row(row, top, count)
        notes += [_words(row.title, top, "left"), _words(row.summary, top, "right")]
    layout = theme.layout(
        height=strip_height(len(rows)),
        margin={"l": 6, "r": 6, "t": TOP, "b": BOTTOM, "pad": 0},
        hovermode="closest",
        xaxis=theme.axis(
            range=[-0.5, count - 0.5],
            tickmode="array",
            tickvals=list(range(count)),
            ticktext=[f"{factor * eps:.4g}<br>×{factor:g}" for factor in factors],
            side="top",
            showgrid=False,
            showline=False,
            fixedrange=True,
            tickangle=0,
        ),
        yaxis=theme.axis(
            range=[HEAD + ROW * max(len(rows), 1), 0],
            showticklabels=False,
            showgrid=False,
            showline=False,
            fixedrange=True,
        ),
        annotations=notes,
        images=[_picture(png, place) for place, png in enumerate(images)],
        shapes=[*_places(count, len(images)), *_marked(marked, factors, len(rows))],
    )
    return theme.figure(traces, layout)


def _row(row: StripRow, top: int, count: int) -> list[dict[str, Any]]:
    """The cells, what stands in them, and the discs; as many traces with and without answers."""
    low, high = top + _CELL[0], top + _CELL[1]
    places = list(range(count))
    cells = list(row.cells)
    values = [_value(cell) for cell in cells] or [_WRONG] * count
    return [
        {
            "type": "heatmap",
            "name": row.title,
            "x": places,
            "y": [low, high],
            "z": [values],
            "zmin": _WRONG,
            "zmax": _RIGHT,
            "colorscale": [[0, LIGHT.surface], [0.5, LIGHT.residual_fill], [1, LIGHT.signal]],
            "showscale": False,
            "xgap": 3,
            "hovertext": [[cell.hover for cell in cells] or [""] * count],
            "hoverinfo": "text" if cells else "skip",
        },
        {
            "type": "scatter",
            "x": places[: len(cells)],
            "y": [(low + high) / 2] * len(cells),
            "mode": "text",
            "text": [cell.text for cell in cells],
            "textfont": {
                "size": 12,
                "color": [LIGHT.background if cell.right else LIGHT.text for cell in cells],
            },
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "name": row.title,
            "x": [place for place, cell in enumerate(cells) if cell.attack is not None],
            "y": [top + _DISC for cell in cells if cell.attack is not None],
            "mode": "markers",
            "marker": {
                "size": 9,
                "symbol": [
                    "circle-open" if cell.attack_right is False else "circle"
                    for cell in cells
                    if cell.attack is not None
                ],
                "color": [_hue(cell.attack) for cell in cells if cell.attack is not None],
                "line": {
                    "width": 2,
                    "color": [_hue(cell.attack) for cell in cells if cell.attack is not None],
                },
            },
            "hovertext": [cell.hover for cell in cells if cell.attack is not None],
            "hoverinfo": "text",
        },
    ]


def _value(cell: StripCell) -> float:
    if not cell.text:
        return _WRONG
    return _UNKNOWN if cell.right is None else _RIGHT if cell.right else _WRONG


def _hue(attack: str | None) -> str:
    return LIGHT.attack(attack) if attack in theme.ATTACK_LABELS else LIGHT.muted


def _words(text: str, top: int, side: str) -> dict[str, Any]:
    """The title of a row on its left, what became of it on its right."""
    return {
        "text": f"<b>{text}</b>" if side == "left" and text else text,
        "xref": "paper",
        "x": 0 if side == "left" else 1,
        "y": top + _TITLE,
        "xanchor": side,
        "yanchor": "middle",
        "showarrow": False,
        "font": {"size": 13 if side == "left" else 12,
                 "color": LIGHT.text if side == "left" else LIGHT.muted},
    }  # fmt: skip


def _picture(png: bytes, place: int) -> dict[str, Any]:
    return {
        "source": "data:image/png;base64," + base64.b64encode(png).decode(),
        "xref": "x",
        "yref": "y",
        "x": place,
        "y": HEAD / 2 - 2,
        "sizex": 0.88,
        "sizey": HEAD - 12,
        "sizing": "contain",
        "xanchor": "center",
        "yanchor": "middle",
        "layer": "above",
    }


def _places(count: int, taken: int) -> list[dict[str, Any]]:
    """Empty places for the pictures that are still to come."""
    return [
        {
            "type": "rect",
            "x0": place - 0.3,
            "x1": place + 0.3,
            "y0": 6,
            "y1": HEAD - 10,
            "line": {"width": 0},
            "fillcolor": LIGHT.surface,
            "layer": "below",
        }
        for place in range(taken, count)
    ]


def _marked(factor: float | None, factors: Sequence[float], rows: int) -> list[dict[str, Any]]:
    """A line at a strength, behind the cells."""
    if factor is None or not factors[0] <= factor <= factors[-1]:
        return []
    x = (factor - factors[0]) / (factors[1] - factors[0])
    return [
        {
            "type": "rect",
            "x0": x - 0.49,
            "x1": x + 0.49,
            "y0": 1,
            "y1": HEAD + ROW * max(rows, 1) - 1,
            "line": {"color": LIGHT.accent, "width": 1.5},
            "fillcolor": "rgba(0,0,0,0)",
        }
    ]
