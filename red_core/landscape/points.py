"""A stationary point of f and its kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

Kind = Literal["minimum", "saddle", "maximum", "flat"]
Place = Literal["smooth", "kink", "origin"]


@dataclass(frozen=True)
class StationaryPoint:
    """A point z [d] where f is stationary; at a kink: where 0 is in Clarke's subdifferential.

    value: f(z); kind: "flat" where f does not change along some direction (or, at the origin,
    where it is none of the others); place: whether f is smooth there; index: the Poincare index
    of grad f, which for d = 2 is 1 at a minimum or maximum and -1 at a saddle, and adds up to 1
    over all stationary points of an f that grows in all directions; solution: whether z is z*.
    """

    z: Tensor
    value: float
    kind: Kind
    place: Place
    index: int
    solution: bool = False

    @property
    def words(self) -> str:
        """What the point is, in a few words."""
        if self.solution:
            return "z*, the global minimum"
        told = {"flat": "flat stationary point", "maximum": "local maximum"}
        name = told.get(self.kind, f"local {self.kind}" if self.kind == "minimum" else self.kind)
        where = {"smooth": "", "kink": " at a kink", "origin": " at the origin"}[self.place]
        return f"{name}{where}"


@dataclass(frozen=True)
class Stationary:
    """The stationary points of one f, lowest first.

    points; complete: whether the list is known to hold all of them; words: one sentence on how
    they were found.
    """

    points: tuple[StationaryPoint, ...]
    complete: bool
    words: str

    @property
    def minima(self) -> tuple[StationaryPoint, ...]:
        """The minima only."""
        return tuple(point for point in self.points if point.kind == "minimum")

    @property
    def spurious(self) -> tuple[StationaryPoint, ...]:
        """All but z*."""
        return tuple(point for point in self.points if not point.solution)
