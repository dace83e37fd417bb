"""One colour per meaning, in a light and a dark variant, and the look that all figures share.

Figures are drawn in LIGHT colours on a transparent background. In a dark page `live_chart`
exchanges each of them for its partner in DARK while drawing, so a figure need not know where it
is shown. The hues of the attacks are Okabe and Ito's, which colour-blind readers tell
apart, and .streamlit/config.toml has the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray


@dataclass(frozen=True)
class Palette:
    """Colours by meaning, each as "#rrggbb".

    linf, l2, l1, none: the attack types; signal: what belongs to G(z); residual: what nothing
    explains; residual_fill: its amount in a cell, light enough to write on; certificate: numbers
    of the theory (duality gap, mu); accent: the chosen one of many; text, muted: writing;
    background: the page; surface: a place with nothing in it; grid: lines; phase: behind
    the Defense-GAN start; valley ... summit: the height of a landscape, its lowest place the most
    striking; pit, trap, brim: the same where descent ends elsewhere than at the solution.
    """

    linf: str
    l2: str
    l1: str
    none: str
    signal: str
    residual: str
    residual_fill: str
    certificate: str
    accent: str
    text: str
    muted: str
    background: str
    surface: str
    grid: str
    phase: str
    valley: str
    foot: str
    slope: str
    shoulder: str
    ridge: str
    summit: str
    pit: str
    trap: str
    brim: str

    def attack(self, name: str) -> str:
        """The hue of linf, l2, l1 or none; ValueError for another name."""
        if name not in ATTACK_LABELS:
            raise ValueError(f"no colour for the attack {name!r}")
        return str(getattr(self, name))


LIGHT = Palette(
    linf="#d55e00",
    l2="#0072b2",
    l1="#009e73",
    none="#7a6a3a",
    signal="#39414b",
    residual="#6b7078",
    residual_fill="#b3b7bc",
    certificate="#a5468a",
    accent="#5b4a9e",
    text="#1f2328",
    muted="#5f666e",
    background="#ffffff",
    surface="#f1f1ee",
    grid="#e2e2de",
    phase="#efeee7",
    valley="#372c66",
    foot="#545394",
    slope="#7f89b4",
    shoulder="#afbcd0",
    ridge="#d8e1e4",
    summit="#f5f5f0",
    pit="#6e5207",
    trap="#d3ab35",
    brim="#f7eecb",
)
DARK = Palette(
    linf="#f0803c",
    l2="#56a8e0",
    l1="#2fbf94",
    none="#e6d28a",
    signal="#d3d7dc",
    residual="#9aa0a8",
    residual_fill="#5a6069",
    certificate="#e08fc8",
    accent="#7d6bcb",
    text="#e8e8e4",
    muted="#a4aab2",
    background="#14161a",
    surface="#23262c",
    grid="#30343b",
    phase="#1c1f24",
    valley="#e4ddff",
    foot="#b6aceb",
    slope="#827ebc",
    shoulder="#565884",
    ridge="#373a55",
    summit="#1f2228",
    pit="#fff1b8",
    trap="#b08d31",
    brim="#2c281b",
)
DARK_OF: dict[str, str] = {light: asdict(DARK)[name] for name, light in asdict(LIGHT).items()}

ATTACK_LABELS = {"linf": "ℓ∞", "l2": "ℓ2", "l1": "ℓ1", "none": "none"}

# Anything signed: orange is below zero, purple above, the background (or nearly) is zero.
_DIVERGING = {
    False: ("#7f3b08", "#b35806", "#e08214", "#fdb863", "#fee0b6", "#f7f7f7",
            "#d8daeb", "#b2abd2", "#8073ac", "#542788", "#2d004b"),
    True: ("#fee0b6", "#fdb863", "#e08214", "#b35806", "#6b3a12", "#1c1e23",
           "#3a2c66", "#5f4aa0", "#8073ac", "#b2abd2", "#e4e1f4"),
}  # fmt: skip

FONT = "Source Sans, Source Sans Pro, sans-serif"
FONT_SIZE = 13


def rgb(colour: str) -> tuple[int, int, int]:
    """(r, g, b) in 0..255 of "#rrggbb"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def palette(dark: bool) -> Palette:
    """DARK or LIGHT."""
    return DARK if dark else LIGHT


def diverging_table(dark: bool = False, steps: int = 255) -> NDArray[np.uint8]:
    """The diverging map as [steps, 3] uint8, from the most negative to the most positive.

    steps is odd, so that the middle entry is exactly zero's neutral colour.
    """
    if steps < 3 or steps % 2 == 0:
        raise ValueError(f"a diverging map needs an odd number of steps, not {steps}")
    anchors = np.array([rgb(colour) for colour in _DIVERGING[dark]], dtype=np.float64)
    at = np.linspace(0, len(anchors) - 1, steps)
    channels = [np.interp(at, np.arange(len(anchors)), anchors[:, c]) for c in range(3)]
    return np.stack(channels, axis=1).round().astype(np.uint8)


def ramp(colour: str) -> list[list[float | str]]:
    """A Plotly colour scale from nothing (the surface) to `colour`."""
    return [[0.0, LIGHT.surface], [1.0, colour]]


def altitude() -> list[list[float | str]]:
    """A Plotly colour scale of heights, from the valley to the summit."""
    stops = (LIGHT.valley, LIGHT.foot, LIGHT.slope, LIGHT.shoulder, LIGHT.ridge, LIGHT.summit)
    places = (0.0, 0.12, 0.3, 0.52, 0.76, 1.0)
    return [[place, colour] for place, colour in zip(places, stops, strict=True)]


def axis(**values: Any) -> dict[str, Any]:
    """An axis in the house style; `values` are Plotly's own and win."""
    return {
        "gridcolor": LIGHT.grid,
        "linecolor": LIGHT.grid,
        "zeroline": False,
        "ticks": "",
        "tickfont": {"size": 12, "color": LIGHT.muted},
        "title": {"font": {"size": 12, "color": LIGHT.muted}, "standoff": 6},
        "automargin": False,  # margins that follow the tick labels would let the axes jump
        **values,
    }


def title(text: str) -> dict[str, Any]:
    """An axis title in the house style."""
    return {"text": text, "font": {"size": 12, "color": LIGHT.muted}, "standoff": 6}


def layout(**values: Any) -> dict[str, Any]:
    """The layout that all figures share; `values` are Plotly's own and win."""
    return {
        "template": {},  # none at all: Plotly's own is 7 kB in every update
        "autosize": True,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": FONT_SIZE, "color": LIGHT.text},
        "margin": {"l": 48, "r": 16, "t": 30, "b": 40, "pad": 0},
        "hoverlabel": {
            "bgcolor": LIGHT.background,
            "bordercolor": LIGHT.grid,
            "font": {"family": FONT, "size": FONT_SIZE, "color": LIGHT.text},
            "align": "left",
        },
        "showlegend": False,  # it would come and go with the data: see `key`
        "uirevision": "keep",
        **values,
    }


def figure(traces: Sequence[dict[str, Any]], drawn_in: dict[str, Any]) -> go.Figure:
    """A figure of `traces` in the layout `drawn_in`, both as Plotly's plain dictionaries.

    Plotly's validation of every property takes 20 to 100 ms, many times a second for every chart;
    it is left to the tests here, which validate every figure.
    """
    return go.Figure({"data": list(traces), "layout": drawn_in}, _validate=False)


def note(text: str, **values: Any) -> dict[str, Any]:
    """A line of small writing above the plot, flush with its left side."""
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 5,
        "showarrow": False,
        "font": {"size": 12, "color": LIGHT.muted},
        **values,
    }


def key(entries: Sequence[tuple[str, str, str]], **values: Any) -> dict[str, Any]:
    """What the colours mean, as one `note`: (sign, its colour, name) for each.

    Unlike Plotly's legend it takes the same place with and without data.
    """
    spans = [
        f'<span style="color:{colour}"><b>{sign}</b></span> {name}'
        for sign, colour, name in entries
    ]
    return note("\u00a0\u00a0 ".join(spans), font={"size": 12, "color": LIGHT.text}, **values)


def key_in_lines(entries: Sequence[tuple[str, str, str]], width: int = 50) -> dict[str, Any]:
    """`key` in as many lines as a phone needs: about `width` characters in each."""
    lines: list[list[tuple[str, str, str]]] = [[]]
    for entry in entries:
        if lines[-1] and sum(len(sign + name) + 4 for sign, _, name in [*lines[-1], entry]) > width:
            lines.append([])
        lines[-1].append(entry)
    text = "<br>".join(str(key(line)["text"]) for line in lines)
    return {**key([]), "text": text, "align": "left", "yshift": 4}


def require_finite(name: str, values: NDArray[np.floating[Any]]) -> None:
    """Raise ValueError where `values` hold NaN or an infinity."""
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite numbers")


def labels(attacks: Sequence[str]) -> list[str]:
    """The attack types as they are written in figures."""
    return [ATTACK_LABELS.get(name, name) for name in attacks]
