"""What the figures of a landscape share: heights, marked points, and the colours of basins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pages.ui.look import theme

Values = NDArray[np.float64]
Kind = Literal["solution", "minimum", "saddle", "maximum", "flat", "predicted"]
DEEPEST = 1e-8  # of the highest value: a logarithm looks no deeper
RAMP = 0.9  # of a fate's share of the colour scale
BELOW = 0.3  # of the lowest value on the grid: what lies deeper is drawn there

# kind: (symbol in 2-D, in 3-D, sign in a key, name)
KINDS: dict[Kind, tuple[str, str, str, str]] = {
    "solution": ("star", "diamond", "★", "z*"),
    "minimum": ("triangle-down", "circle", "▼", "minimum"),
    "saddle": ("x-thin", "x", "✕", "saddle"),
    "maximum": ("triangle-up", "square", "▲", "maximum"),
    "flat": ("diamond-tall", "square-open", "⬧", "flat place"),
    "predicted": ("diamond-open", "diamond-open", "◇", "-κ z*"),
}


@dataclass(frozen=True)
class Relief:
    """f over a grid: x [m], y [m], values [m, m] with values[j, i] at (x_i, y_j), not negative.

    names: of the two axes; log: whether heights are log10 f, cut off a little below the grid's
    lowest value, since f is 0 at a solution; steady: whether the ends of the axis are round
    numbers around the grid's, so that they rarely move while similar reliefs follow each other
    (else it begins at f = 0 and ends with the grid's highest); tight: whether it begins with the
    grid's lowest instead; what: the name of what is drawn. Raises ValueError for
    other shapes, NaN and infinity.
    """

    x: Values
    y: Values
    values: Values
    names: tuple[str, str]
    log: bool = False
    steady: bool = False
    tight: bool = False
    what: str = "f"

    def __post_init__(self) -> None:
        for name in ("x", "y", "values"):
            array = np.asarray(getattr(self, name), dtype=np.float64)
            theme.require_finite(name, array)
            object.__setattr__(self, name, array)
        if self.values.shape != (len(self.y), len(self.x)):
            raise ValueError(
                f"heights {self.values.shape} do not fit {len(self.x)} x {len(self.y)}"
            )
        if self.values.min() < 0:
            raise ValueError("heights must not be negative")

    @cached_property
    def floor(self) -> float:
        """The lowest f that a logarithm shows."""
        positive = self.values[self.values > 0]
        if not positive.size:
            return 1.0
        return max(BELOW * float(positive.min()), DEEPEST * float(positive.max()))

    def lift(self, values: ArrayLike) -> Values:
        """The heights at which values of f are drawn."""
        array = np.asarray(values, dtype=np.float64)
        return np.log10(np.maximum(array, self.floor)) if self.log else array

    def at(self, x: Values, y: Values) -> Values:
        """f at x [K], y [K], bilinearly between the grid's points; beyond, that of the border.

        NaN where x or y is.
        """
        gone = np.isnan(x) | np.isnan(y)
        x, y = np.where(gone, self.x[0], x), np.where(gone, self.y[0], y)
        across = np.clip(np.interp(x, self.x, np.arange(len(self.x))), 0, len(self.x) - 1.001)
        up = np.clip(np.interp(y, self.y, np.arange(len(self.y))), 0, len(self.y) - 1.001)
        i, j = across.astype(int), up.astype(int)
        a, b, v = across - i, up - j, self.values
        low = (1 - a) * v[j, i] + a * v[j, i + 1]
        high = (1 - a) * v[j + 1, i] + a * v[j + 1, i + 1]
        between: Values = np.where(gone, np.nan, (1 - b) * low + b * high)
        return between

    @cached_property
    def heights(self) -> NDArray[np.float32]:
        """The grid's heights."""
        return self.lift(self.values).astype(np.float32)

    @property
    def span(self) -> tuple[float, float]:
        """From the lowest height to the highest."""
        if self.steady:
            return self._round_span()
        low = float(np.log10(self.floor)) if self.log else 0.0
        if self.tight:
            low = float(self.heights.min())
        high = float(self.heights.max())
        return low, high if high > low else low + 1.0

    def _round_span(self) -> tuple[float, float]:
        low, high = float(self.heights.min()), float(self.heights.max())
        step = 0.25 if self.log else 10.0 ** math.floor(math.log10(max(high - low, 1e-12)) - 0.3)
        return step * math.floor(low / step), step * max(math.ceil(high / step), 1)

    @property
    def title(self) -> str:
        """What the height is."""
        return f"log₁₀ {self.what}" if self.log else self.what


@dataclass(frozen=True)
class Mark:
    """A marked point: x, y; value: f there; kind; text: what hovering tells of it."""

    x: float
    y: float
    value: float
    kind: Kind
    text: str


Fate = Literal["home", "trap", "lost"]
FATES: tuple[Fate, ...] = ("home", "trap", "lost")


@dataclass(frozen=True)
class Basin:
    """Where starts on a grid end: x [s], y [s], labels [s, s] into `names` and `fates`.

    names: of the places, for hovering; fates: whether each is the solution ("home"), somewhere
    else ("trap") or nowhere ("lost").
    """

    x: Values
    y: Values
    labels: NDArray[np.int64]
    names: Sequence[str]
    fates: Sequence[Fate]

    def at(self, x: Values, y: Values) -> NDArray[np.int64]:
        """The label of the nearest start, at every point of another grid: [len(y), len(x)]."""
        across = np.abs(x[:, None] - self.x).argmin(1)
        up = np.abs(y[:, None] - self.y).argmin(1)
        return self.labels[np.ix_(up, across)]

    def shades(self, relief: Relief) -> NDArray[np.float32]:
        """On the relief's grid: the number of the fate, plus the height as a share of its span."""
        low, high = relief.span
        share = np.clip((relief.heights - low) / (high - low), 0, 1)
        numbers = np.array([FATES.index(fate) for fate in self.fates])[self.at(relief.x, relief.y)]
        shades: NDArray[np.float32] = (numbers + RAMP * share).astype(np.float32)
        return shades


def fate_scale() -> dict[str, Any]:
    """Plotly's colours for `Basin.shades`: for each fate a ramp of heights of its own."""
    light = theme.LIGHT
    ramps: tuple[list[list[float | str]], ...] = (
        theme.altitude(),
        [[0.0, light.pit], [0.45, light.trap], [1.0, light.brim]],
        [[0.0, light.residual], [1.0, light.surface]],
    )
    count = len(FATES)
    stops = [
        [(number + reach) / count, colour]
        for number, ramp in enumerate(ramps)
        for reach, colour in (
            *((RAMP * float(place), colour) for place, colour in ramp),
            (1.0 if number == count - 1 else 0.99, ramp[-1][1]),  # rounding stays in its ramp
        )
    ]
    return {"colorscale": stops, "low": 0.0, "high": float(count)}


def fate_entries(basin: Basin) -> list[tuple[str, str, str]]:
    """Sign, colour and name of every fate but the usual one, for a key."""
    entries = {
        "trap": ("■", theme.LIGHT.trap, "ends elsewhere"),
        "lost": ("■", theme.LIGHT.residual, "has not arrived"),
    }
    seen = {basin.fates[label] for label in set(basin.labels.ravel().tolist())}
    return [entry for fate, entry in entries.items() if fate in seen]


def colour_of(kind: Kind) -> str:
    """Of a marked point: the solution, the theory's prediction, all others."""
    return {"solution": theme.LIGHT.accent, "predicted": theme.LIGHT.certificate}.get(
        kind, theme.LIGHT.text
    )


def key_entries(marks: Sequence[Mark]) -> list[tuple[str, str, str]]:
    """Sign, colour and name of every kind among the marks, in a fixed order."""
    present = {mark.kind for mark in marks}
    return [
        (sign, colour_of(kind), name)
        for kind, (_, _, sign, name) in KINDS.items()
        if kind in present
    ]
