"""The heat map of block energies ||c_a[i][j]||: which class and which attack explain x'."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from numpy.typing import ArrayLike

from pages.ui.charts.cells import as_values, grid_layout, outline, row, writing
from pages.ui.look import theme


def energy_figure(
    block_energy: ArrayLike | None,
    class_names: Sequence[str],
    attacks: Sequence[str],
    limit: float,
    truth: tuple[int, int] | None = None,
) -> go.Figure:
    """Block energies [classes, attacks] as a table of attacks (rows) by classes (columns).

    Each row has its attack's hue, from nothing at 0 to full at `limit` (positive, the same for all
    frames of a run, so that colours can be compared). truth: the (class, attack) that is known
    to be in x', marked with a frame. None draws the table empty. Raises ValueError.
    """
    if not limit > 0:
        raise ValueError(f"the limit of the colours must be positive, not {limit}")
    energy = as_values("block energies", block_energy, (len(class_names), len(attacks)))
    total = 0.0 if energy is None else float(energy.sum())
    names = theme.labels(attacks)
    traces = []
    texts: list[list[str]] = []
    strong: list[list[bool]] = []
    for j, attack in enumerate(attacks):
        values = None if energy is None else energy[:, j]
        hover: list[str] = []
        texts.append([])
        strong.append([])
        for i, name in enumerate(class_names):
            value = 0.0 if values is None else float(values[i])
            part = value / total if total else 0.0
            told = f"{part:.0%} of all block energy" if value else "this block is switched off"
            hover.append(f"class {name}, attack {names[j]}<br>energy ‖c_a‖ = {value:.3g}<br>{told}")
            texts[j].append(_short(value) if value >= 0.08 * limit else "")
            strong[j].append(value > 0.6 * limit)
        traces.append(
            row(
                j,
                values,
                class_names,
                low=0.0,
                high=limit,
                scale=theme.ramp(theme.LIGHT.attack(attack)),
                hover=hover,
            )
        )
    traces.append(writing(texts, strong))
    marked = "" if truth is None else ", framed: the truth"
    full = "" if energy is None else f", full colour {limit:.2g}"
    layout = grid_layout(
        class_names,
        attacks,
        annotations=[theme.note(f"energy of each block{full}{marked}")],
        shapes=[] if truth is None else [outline(truth[0], truth[1], theme.LIGHT.text)],
    )
    return theme.figure(traces, layout)


def _short(value: float) -> str:
    """A number of at most four characters: a cell is 28 pixels wide on a phone."""
    if value < 0.0095:
        return f"{value:.0e}".replace("e-0", "e-")
    if value < 0.095:
        return f"{value:.1g}"
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 10 else f"{value:.0f}"
