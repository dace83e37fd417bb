"""The height of a landscape over a grid in a plane, coarse first, then finer.

The grids are nested: a grid of 2n - 1 points a side holds that of n points, so nothing is computed
twice and a page can show a coarse surface at once. Bounds never follow the path: they are chosen
before it is drawn and stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from red_core.landscape.plane import Plane

SIZES = (13, 25, 49)  # points a side, each grid inside the next
CHUNK = 128  # points that are computed at once
Rows = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Bounds:
    """A rectangle in a plane's coordinates: left < right, low < high."""

    left: float
    right: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (self.left < self.right and self.low < self.high):
            raise ValueError(f"bounds must have an inside, unlike {self}")

    @classmethod
    def around(
        cls, coordinates: Tensor, margin: float = 0.25, least: float = 1e-3, square: bool = True
    ) -> Bounds:
        """Bounds that hold points [..., 2] with a margin on every side.

        margin: on each side, as a share of the longer side; least: the shortest side; square:
        give both axes the same length, so that orthonormal axes show true angles.
        """
        points = coordinates.detach().cpu().double().reshape(-1, 2)
        lowest, highest = points.amin(0), points.amax(0)
        centre, half = (lowest + highest) / 2, (highest - lowest) / 2
        longest = max(float(half.max()), least / 2)
        reach = torch.full_like(half, longest) if square else half.clamp_min(least / 2)
        reach = reach + 2 * margin * longest
        (left, low), (right, high) = (centre - reach).tolist(), (centre + reach).tolist()
        return cls(left, right, low, high)

    def contains(self, coordinates: Tensor) -> Tensor:
        """Whether points [..., 2] lie inside: [...]."""
        x, y = coordinates.unbind(-1)
        return (x >= self.left) & (x <= self.right) & (y >= self.low) & (y <= self.high)

    def grid(self, size: int) -> tuple[Tensor, Tensor]:
        """The x [size] and y [size] of a grid with points on all borders."""
        return (
            torch.linspace(self.left, self.right, size, dtype=torch.float64),
            torch.linspace(self.low, self.high, size, dtype=torch.float64),
        )

    def points(self, size: int) -> Tensor:
        """The grid's coordinates [size * size, 2], row by row: y changes slowest."""
        x, y = self.grid(size)
        return torch.stack((x.repeat(size), y.repeat_interleave(size)), dim=1)


def path_bounds(plane: Plane, path: Tensor, margin: float = 0.25) -> Bounds:
    """Bounds in which a finished path [K, d] is drawn in `plane`, to the same scale in every plane.

    Each side is at least as long as the path reaches from its last point in the whole latent
    space (1 where it never moves): a plane that hardly shows the path still shows the landscape
    at the path's scale, rather than a speck of it.
    """
    away = (path - path[-1]).detach().norm(dim=1)
    return Bounds.around(plane.coordinates(path), margin, least=float(away.max()) or 1.0)


@dataclass(frozen=True)
class Surface:
    """Heights over a square grid.

    plane, bounds: where; x [m], y [m]: coordinates; values [m, m]: the height at (x_i, y_j) is
    values[j, i]; caption: one sentence on what the height is and what is fixed.
    """

    plane: Plane
    bounds: Bounds
    x: Tensor
    y: Tensor
    values: Tensor
    caption: str

    @property
    def size(self) -> int:
        """m, points a side."""
        return len(self.x)

    def lowest(self) -> Tensor:
        """Coordinates [2] of the grid's lowest point."""
        row, column = divmod(int(self.values.argmin()), self.size)
        return torch.stack((self.x[column], self.y[row]))

    def height(self, coordinates: Tensor) -> Tensor:
        """The height at coordinates [..., 2], interpolated bilinearly; NaN outside: [...].

        To lay a path on the drawn surface; a point's own loss may differ (`Plane.off_plane`).
        """
        place = coordinates.to(self.x)
        i = (place[..., 0] - self.x[0]) / (self.x[1] - self.x[0])
        j = (place[..., 1] - self.y[0]) / (self.y[1] - self.y[0])
        i0 = i.floor().clamp(0, self.size - 2).nan_to_num().long()
        j0 = j.floor().clamp(0, self.size - 2).nan_to_num().long()
        a, b, v = i - i0, j - j0, self.values
        low = (1 - a) * v[j0, i0] + a * v[j0, i0 + 1]
        high = (1 - a) * v[j0 + 1, i0] + a * v[j0 + 1, i0 + 1]
        return torch.where(self.bounds.contains(place), (1 - b) * low + b * high, torch.nan)


class Sheet:
    """Something computed once at every point of nested grids in a plane, a chunk at a time.

    rows: points [R, d] (float64, on the CPU) -> what is wanted of each, [R, *shape]; sizes:
    points a side, each 2n - 1 of the one before. The steps are the caller's, so that a live page
    can take turns. ValueError for sizes that are not nested.
    """

    def __init__(
        self,
        rows: Rows,
        plane: Plane,
        bounds: Bounds,
        sizes: tuple[int, ...] = SIZES,
        chunk: int = CHUNK,
    ) -> None:
        if not sizes or sizes[0] < 2 or any(b != 2 * a - 1 for a, b in pairwise(sizes)):
            raise ValueError(f"each grid must hold the one before (n, 2n - 1, ...), not {sizes}")
        self.plane, self.bounds, self.sizes = plane, bounds, sizes
        self._rows = rows
        self._grid = bounds.points(sizes[-1])
        self._stored: Tensor | None = None
        self.level = -1  # of the finest grid that is complete
        self._waiting = [
            (level, part) for level in range(len(sizes)) for part in self._new(level).split(chunk)
        ]

    def _new(self, level: int) -> Tensor:
        """Indices in the finest grid of the points that `level` adds."""
        inside = torch.zeros(self.sizes[-1], self.sizes[-1], dtype=torch.bool)
        stride = self._stride(level)
        inside[::stride, ::stride] = True
        if level:
            inside[:: 2 * stride, :: 2 * stride] = False
        return inside.flatten().nonzero()[:, 0]

    def _stride(self, level: int) -> int:
        return (self.sizes[-1] - 1) // (self.sizes[level] - 1)

    @property
    def done(self) -> bool:
        """Whether the finest grid is complete."""
        return not self._waiting

    def advance(self) -> bool:
        """Compute one chunk; whether that completed a grid."""
        if self.done:
            return False
        level, part = self._waiting.pop(0)
        made = self._rows(self.plane.points(self._grid[part])).detach().cpu()
        if self._stored is None:
            self._stored = made.new_full((len(self._grid), *made.shape[1:]), torch.nan)
        self._stored[part] = made
        if not self._waiting or self._waiting[0][0] > level:
            self.level = level
            return True
        return False

    def stored(self, level: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """x [m], y [m] and what was computed there [m, m, *shape], at a complete grid.

        level: index in `sizes`, None for the finest that is complete. ValueError before that.
        """
        level = self.level if level is None else level
        if self._stored is None or not 0 <= level <= self.level:
            raise ValueError("this grid is not computed yet: advance first")
        stride, side = self._stride(level), self.sizes[-1]
        x, y = self.bounds.grid(side)
        square = self._stored.unflatten(0, (side, side))
        return x[::stride], y[::stride], square[::stride, ::stride]


def refine(
    height: Rows,
    plane: Plane,
    bounds: Bounds,
    caption: str,
    sizes: tuple[int, ...] = SIZES,
    chunk: int = CHUNK,
) -> Iterator[Surface]:
    """The surface of `height` (points [R, d] -> [R]), once for each of `sizes`, coarse to fine."""
    sheet = Sheet(height, plane, bounds, sizes, chunk)
    while not sheet.done:
        if sheet.advance():
            yield Surface(plane, bounds, *sheet.stored(), caption)
