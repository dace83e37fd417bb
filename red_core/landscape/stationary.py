"""The stationary points of f: listed exactly where that can be done, searched for elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor

from red_core.landscape.corners import stationary_in_sectors
from red_core.landscape.inversion import Inversion
from red_core.landscape.newton import newton_points
from red_core.landscape.points import Kind, Stationary, StationaryPoint
from red_core.landscape.sectors import Sectors, find_sectors

SIDE = 15  # starts a side of the plane searched
REACH = 2.0  # how far to search, in ||z*||
FLAT = 1e-9  # relative to the largest |eigenvalue|: a curvature below it is none


def stationary_points(
    inversion: Inversion, starts: Tensor | None = None, sectors: Sectors | None = None
) -> Stationary:
    """The stationary points of f.

    Piecewise linear G with d = 2: all of them, kinks included. Smooth G: those that Newton's
    method finds from `starts` [R, d] (None: a grid of 15 x 15 around the origin, or 225 normal
    draws where d > 2). ValueError for a piecewise linear G with d > 2: its kinks cannot be listed.
    """
    if inversion.piecewise_linear:
        if inversion.d != 2:
            raise ValueError("with kinks, stationary points can be listed only for d = 2")
        sectors = sectors or find_sectors(inversion)
        points = stationary_in_sectors(inversion, sectors)
        told = (
            f"All of them: G is linear in each of {len(sectors.folds)} sectors of the plane."
            if len(sectors.folds)
            else "All of them: G is linear."
        )
        return _ordered(inversion, points, True, told)
    starts = default_starts(inversion) if starts is None else starts
    found = newton_points(inversion, torch.cat((inversion.z_star[None], starts)))
    told = f"Found by Newton's method from {len(starts)} starts; there may be others."
    return _ordered(inversion, [_classified(inversion, z) for z in found], False, told)


def default_starts(inversion: Inversion) -> Tensor:
    """Where to search [R, d]: twice as far as z* in every direction."""
    reach = REACH * float(inversion.z_star.norm())
    if inversion.d == 2:
        line = torch.linspace(-reach, reach, SIDE, dtype=torch.float64)
        return torch.cartesian_prod(line, line)
    draw = torch.Generator().manual_seed(0)
    directions = torch.randn(SIDE * SIDE, inversion.d, generator=draw, dtype=torch.float64)
    return directions * reach / inversion.d**0.5


def _classified(inversion: Inversion, z: Tensor) -> StationaryPoint:
    """A smooth stationary point with the kind that its Hessian gives."""
    curvatures = torch.linalg.eigvalsh(inversion.hessian(z))
    limit = FLAT * float(curvatures.abs().max())
    falling, rising = int((curvatures < -limit).sum()), int((curvatures > limit).sum())
    kind: Kind = "saddle"
    if falling + rising < len(curvatures):
        kind = "flat"
    elif not falling:
        kind = "minimum"
    elif not rising:
        kind = "maximum"
    index = 0 if kind == "flat" else (-1) ** falling
    return StationaryPoint(z, float(inversion.value(z)), kind, "smooth", index)


def _ordered(
    inversion: Inversion, points: list[StationaryPoint], complete: bool, words: str
) -> Stationary:
    """Lowest first, with z* recognised."""
    near = 1e-6 * max(1.0, float(inversion.z_star.norm()))
    zero = 1e-12 * float(inversion.target.square().sum())
    marked = [
        StationaryPoint(
            p.z, p.value, p.kind, p.place, p.index,
            float((p.z - inversion.z_star).norm()) < near and p.value <= zero,
        )
        for p in points
    ]  # fmt: skip
    return Stationary(tuple(sorted(marked, key=lambda p: p.value)), complete, words)
