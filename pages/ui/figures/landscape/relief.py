"""What the figures of a landscape share: heights, marked points, and the colours of basins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pages.ui import theme

Values = NDArray[np.float64]
Kind = Literal["solution", "minimum", "saddle", "maximum", "flat", "predicted"]
DEEPEST = 1e-8  # of the highest value: a logarithm looks no deeper
BELOW = 0.3  # of the lowest value on the grid: what lies deeper is drawn there

# kind: (symbol in 2-D, in 3-D, sign in a key, name)
KINDS: dict[Kind, tuple[str, str, str, str]] = {
    "solution": ("star", "diamond", "★", "z*"),
    "minimum": ("triangle-down", "circle", "▼", "other minimum"),
    "saddle": ("x-thin", "x", "✕", "saddle"),
    "maximum": ("triangle-up", "square", "▲", "maximum"),
    "flat": ("diamond-tall", "square-open", "⬧", "flat place"),
    "predicted": ("diamond-open", "diamond-open", "◇", "-κ z*, predicted"),
}


@dataclass(frozen=True)
class Relief:
    """f over a grid: x [m], y [m], values [m, m] with values[j, i] at (x_i, y_j), not negative.

    names: of the two axes; log: whether heights are log10 f, cut off a little below the grid's
    lowest value, since f is 0 at a solution. Raises ValueError for other shapes, NaN and infinity.
    """

    x: Values
    y: Values
    values: Values
    names: tuple[str, str]
    log: bool = False

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

    @cached_property
    def heights(self) -> NDArray[np.float32]:
        """The grid's heights."""
        return self.lift(self.values).astype(np.float32)

    @property
    def span(self) -> tuple[float, float]:
        """From the lowest height to the highest."""
        low = float(np.log10(self.floor)) if self.log else 0.0
        high = float(self.heights.max())
        return low, high if high > low else low + 1.0

    @property
    def title(self) -> str:
        """What the height is."""
        return "log₁₀ f" if self.log else "f"


@dataclass(frozen=True)
class Mark:
    """A marked point: x, y; value: f there; kind; text: what hovering tells of it."""

    x: float
    y: float
    value: float
    kind: Kind
    text: str


@dataclass(frozen=True)
class Basin:
    """Where starts on a grid end: x [s], y [s], labels [s, s] into `names` and `colours`."""

    x: Values
    y: Values
    labels: NDArray[np.int64]
    names: Sequence[str]
    colours: Sequence[str]

    def scale(self) -> dict[str, Any]:
        """Plotly's colour scale that gives each label its colour."""
        count = len(self.colours)
        stops: list[list[float | str]] = []
        for place, colour in enumerate(self.colours):
            stops += [[place / count, colour], [(place + 1) / count, colour]]
        return {"colorscale": stops, "low": -0.5, "high": count - 0.5}

    def at(self, x: Values, y: Values) -> NDArray[np.float32]:
        """The label of the nearest start, at every point of another grid: [len(y), len(x)]."""
        across = np.abs(x[:, None] - self.x).argmin(1)
        up = np.abs(y[:, None] - self.y).argmin(1)
        return self.labels[np.ix_(up, across)].astype(np.float32)


def colour_of(kind: Kind) -> str:
    """Of a marked point: the solution's accent, the theory's prediction, ink for all others."""
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
