"""A stationary point of f and its kind."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

Kind = Literal["minimum", "saddle", "maximum", "flat"]
Place = Literal["smooth", "kink", "origin"]


@dataclass(frozen=True, eq=False)
class StationaryPoint:
    """A point z [d] where f is stationary; at a kink: where 0 is in Clarke's subdifferential.

    value: f(z); kind: "flat" where f does not change along some direction (or, at the origin,
    where it is none of the others); place: whether f is smooth there; index: the Poincare index
    of grad f, which for d = 2 is 1 at a minimum or maximum and -1 at a saddle, and adds up to 1
    over all stationary points of an f that grows in all directions (flat ones aside); prominence:
    the height of the barrier around it (`prominence`), infinite where it is not known; solution:
    whether z is z*.
    """

    z: Tensor
    value: float
    kind: Kind
    place: Place
    index: int
    prominence: float = math.inf
    solution: bool = False

    @property
    def words(self) -> str:
        """What the point is, in a few words."""
        if self.solution:
            return "z*, the global minimum"
        text = {"flat": "flat stationary point", "maximum": "local maximum"}
        name = text.get(self.kind, f"local {self.kind}" if self.kind == "minimum" else self.kind)
        where = {"smooth": "", "kink": " at a kink", "origin": " at the origin"}[self.place]
        return f"{name}{where}"


@dataclass(frozen=True)
class Stationary:
    """The stationary points of one f, lowest first.

    points; height: f(0), to which prominences compare; complete: whether the list is known to
    hold all of them; words: one sentence on how they were found.
    """

    points: tuple[StationaryPoint, ...]
    height: float
    complete: bool
    words: str

    @property
    def spurious(self) -> tuple[StationaryPoint, ...]:
        """All but z*."""
        return tuple(point for point in self.points if not point.solution)

    def prominent(self, least: float = 0.01) -> tuple[StationaryPoint, ...]:
        """z*, and the points with a barrier of at least `least` of f(0): worth a mark."""
        return tuple(
            point
            for point in self.points
            if point.solution or point.prominence >= least * self.height
        )

    @property
    def summary(self) -> str:
        """One sentence: what f has besides z*."""
        others = self.spurious
        known = "f has" if self.complete else "The search found"
        if not others:
            return f"{known} no stationary point{' but z*' if self.points else ''}."
        counts = Counter(_NAMES[point.kind] for point in others)
        listed = [
            f"{count} {name if count == 1 else plural}"
            for (name, plural), count in sorted(counts.items())
        ]
        planted = len(others) < len(self.points)
        text = f"{'Besides z* ' if planted else ''}f has {_joined(listed)}"
        if not planted:
            text += ", none of them z*"
        shallow = len(others) - sum(not point.solution for point in self.prominent())
        if shallow:
            text += f"; {shallow} of them with a barrier below 1% of f(0)"
        return text + "."


_NAMES: dict[Kind, tuple[str, str]] = {
    "minimum": ("local minimum", "local minima"),
    "saddle": ("saddle", "saddles"),
    "maximum": ("local maximum", "local maxima"),
    "flat": ("flat stationary point", "flat stationary points"),
}


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
