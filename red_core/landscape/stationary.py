"""The stationary points of f: listed exactly where that can be done, searched for elsewhere."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from red_core.landscape.corners import stationary_in_sectors
from red_core.landscape.inversion_loss import Inversion
from red_core.landscape.newton import newton_points, winding_number
from red_core.landscape.points import Kind, Stationary, StationaryPoint
from red_core.landscape.prominence import prominences
from red_core.landscape.sectors import find_sectors

SIDES = (15, 33)  # starts a side of the square searched; the second where the first missed some
DRAWS = 225  # starts where d > 2
REACH = 2.0  # how far to search, in ||z*||
FLAT = 1e-9  # relative to the largest |eigenvalue|: a curvature below it is none


def stationary_points(inversion: Inversion, starts: Tensor | None = None) -> Stationary:
    """The stationary points of f.

    Piecewise linear G with d = 2: all of them, kinks included. Smooth G: those that Newton's
    method finds from `starts` [R, d] (None: a grid twice as far as z* in every direction, or
    normal draws as long where d > 2). ValueError for a piecewise linear G with d > 2: its kinks
    cannot be listed.
    """
    if not inversion.piecewise_linear:
        return _searched(inversion, starts)
    if inversion.d != 2:
        raise ValueError("with kinks, stationary points can be listed only for d = 2")
    sectors = find_sectors(inversion)
    points = stationary_in_sectors(inversion, sectors)
    barriers = prominences(inversion, sectors, points)
    points = [replace(p, prominence=b) for p, b in zip(points, barriers, strict=True)]
    text = f"G is linear in each of {len(sectors.folds)} sectors of the plane"
    if not len(sectors.folds):
        text = "G is linear"
    return _ordered(inversion, points, True, f"All of them: {text}.")


def _searched(inversion: Inversion, starts: Tensor | None) -> Stationary:
    """What Newton's method finds; in the plane, searched again where the winding number asks."""
    if starts is not None or inversion.d != 2:
        starts = _draws(inversion) if starts is None else starts
        points = _found(inversion, starts)
        text = f"Found by Newton's method from {len(starts)} starts; there may be others."
        return _ordered(inversion, points, False, text)
    reach = REACH * float(inversion.z_star.norm())
    winding = winding_number(inversion, reach)
    for side in SIDES:
        line = torch.linspace(-reach, reach, side, dtype=torch.float64)
        points = _found(inversion, torch.cartesian_prod(line, line))
        inside = sum(p.index for p in points if float(p.z.abs().max()) <= reach)
        if winding in (None, inside):
            break
    text = f"Found by Newton's method from {side * side} starts; "
    if winding is None:
        text += "there may be others."
    elif winding == inside:
        text += "their indices add up to the gradient's winding number around them."
    else:
        text += "the gradient's winding number around them says that some are missing."
    return _ordered(inversion, points, False, text)


def _draws(inversion: Inversion) -> Tensor:
    """Random starts [R, d], about REACH times as long as z*."""
    draw = torch.Generator().manual_seed(0)
    directions = torch.randn(DRAWS, inversion.d, generator=draw, dtype=torch.float64)
    return directions * REACH * inversion.z_star.norm() / inversion.d**0.5


def _found(inversion: Inversion, starts: Tensor) -> list[StationaryPoint]:
    """The points that Newton's method reaches, z* among its starts, each with its kind."""
    reached = newton_points(inversion, torch.cat((inversion.z_star[None], starts)))
    return [_classified(inversion, z) for z in reached]


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
        replace(p, solution=float((p.z - inversion.z_star).norm()) < near and p.value <= zero)
        for p in points
    ]
    height = float(inversion.value(torch.zeros_like(inversion.z_star)))
    return Stationary(tuple(sorted(marked, key=lambda p: p.value)), height, complete, words)
