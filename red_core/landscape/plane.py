"""A two-dimensional plane in the latent space, and what it leaves out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Plane:
    """origin + a u + b v with orthonormal u, v; (a, b) are its coordinates.

    origin [d]; axes [2, d], rows u and v; names: of the two axes; words: one sentence on what the
    plane is; explained: the shares of the path's variance along u and v, in [0, 1], or None where
    no path was given (or it never moved); chance: what the first two principal components of a
    random walk of as many steps in as many dimensions would hold on average, where the axes are
    principal components. Float64, on the CPU, whatever it was made of.
    Raises ValueError where the axes are not orthonormal.
    """

    origin: Tensor
    axes: Tensor
    names: tuple[str, str]
    words: str
    explained: tuple[float, float] | None = None
    chance: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for name in ("origin", "axes"):
            object.__setattr__(self, name, getattr(self, name).detach().cpu().double())
        if self.axes.shape != (2, *self.origin.shape):
            raise ValueError(f"a plane in R^{len(self.origin)} has no axes {self.axes.shape}")
        gram = self.axes @ self.axes.T
        if not torch.allclose(gram, torch.eye(2, dtype=gram.dtype), atol=1e-9):
            raise ValueError(f"the axes of a plane must be orthonormal, not of Gram matrix {gram}")

    def coordinates(self, points: Tensor) -> Tensor:
        """(a, b) of points [..., d], each projected on the plane: [..., 2]."""
        return (points.detach().to(self.axes) - self.origin) @ self.axes.T

    def points(self, coordinates: Tensor) -> Tensor:
        """The points of the plane at coordinates [..., 2]: [..., d]."""
        return self.origin + coordinates.to(self.axes) @ self.axes

    def off_plane(self, points: Tensor) -> Tensor:
        """How far points [..., d] lie from the plane, what `coordinates` does not show: [...]."""
        away = points.detach().to(self.axes) - self.points(self.coordinates(points))
        return torch.linalg.vector_norm(away, dim=-1)

    def through(self, point: Tensor) -> Plane:
        """The parallel plane that holds `point` [d]; every point keeps its coordinates.

        A slice through the iterate looked at: there the surface's height is the iterate's own.
        """
        away = point.detach().to(self.axes) - self.points(self.coordinates(point))
        return replace(self, origin=self.origin + away)

    @property
    def away(self) -> float | None:
        """The share of the path's variance that the plane does not show."""
        return None if self.explained is None else max(0.0, 1.0 - sum(self.explained))

    @property
    def statement(self) -> str:
        """`words`, and what of the path is projected away: to be shown beside every slice."""
        if self.explained is None:
            return self.words
        first, second = self.explained
        text = (
            f"{self.words} Of the path's variance {share(first)} lies along the first axis and "
            f"{share(second)} along the second; {share(1 - first - second)} is projected away."
        )
        if self.chance is not None:
            text += (
                " A random walk of as many steps in as many dimensions would show "
                f"{share(self.chance[0])} and {share(self.chance[1])}."
            )
        return text


def share(value: float) -> str:
    """A share in [0, 1] as a percentage; only nothing at all is 0%, and only all of it 100%."""
    percent = 100 * min(max(value, 0.0), 1.0)
    if 0.05 <= percent < 1 or 99 < percent <= 99.95:
        return f"{percent:.1f}%"
    if 1e-9 < percent < 0.05:
        return "under 0.1%"
    if 99.95 < percent < 100 - 1e-9:
        return "over 99.9%"
    return f"{percent:.0f}%"
