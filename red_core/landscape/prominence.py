"""How much a minimum or a saddle matters: the height of the barrier around it.

A finite ReLU network wrinkles f: near -kappa z* lie many minima that a millionth of f(0) parts.
A minimum's prominence is how far f must rise on any way from it to a lower minimum; it is paired
with the saddle on the lowest such way, which has the same prominence (persistent homology).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from red_core.landscape.inversion_loss import Inversion
from red_core.landscape.points import StationaryPoint
from red_core.landscape.sectors import Sectors

SAME = 1e-9  # radians between a stationary point and the edge it lies on


def prominences(
    inversion: Inversion, sectors: Sectors, points: Sequence[StationaryPoint]
) -> list[float]:
    """The prominence of each point.

    Infinite at the lowest minimum, at the origin, and at the highest saddle, which parts nothing
    but lies on every loop around the origin: near -kappa z*, where the theory expects it.

    Along every ray f is a parabola, so below f(0) the plane can be shrunk to a circle with the
    height phi(angle) = min_t f(t u): its minima are f's minima, its maxima f's saddles. Between
    neighbouring edges and stationary points phi is monotone, so their heights say all.
    """
    heights = _valley(inversion, sectors)
    owners: list[int | None] = [None] * len(heights)
    extra: list[tuple[float, float, int | None]] = []
    for number, point in enumerate(points):
        if point.place == "origin":
            continue
        angle = math.atan2(float(point.z[1]), float(point.z[0])) % (2 * math.pi)
        gaps = (sectors.angles - angle + math.pi) % (2 * math.pi) - math.pi
        edge = int(gaps.abs().argmin())
        if float(gaps[edge].abs()) < SAME:
            heights[edge], owners[edge] = point.value, number
        else:
            extra.append((angle, point.value, number))
    ring = [
        (angle, height, owner)
        for angle, height, owner in zip(
            sectors.angles.tolist(), heights.tolist(), owners, strict=True
        )
    ]
    ring = sorted(ring + extra, key=lambda spot: spot[0])
    births, deaths = _persistence([height for _, height, _ in ring])
    found = [0.0 if point.place != "origin" else math.inf for point in points]
    for place, (_, _, owner) in enumerate(ring):
        if owner is not None:
            found[owner] = max(births.get(place, 0.0), deaths.get(place, 0.0))
    return found


def _valley(inversion: Inversion, sectors: Sectors) -> Tensor:
    """phi at the edges: the lowest f along each of those rays, [S]."""
    edges = sectors.edges
    towards = (edges * sectors.reach).sum(1).clamp_min(0)
    along = (edges[:, None] @ sectors.square @ edges[:, :, None])[:, 0, 0]
    gain = torch.where(along > 0, towards.square() / along, 0.0)
    return inversion.target.square().sum() - gain


def _persistence(heights: list[float]) -> tuple[dict[int, float], dict[int, float]]:
    """Prominences of the minima and of the maxima of heights on a ring, by place.

    Water rises: a place with no wet neighbour starts a pool; where two pools meet, the shallower
    one ends, and its minimum is paired with that place.
    """
    count = len(heights)
    pool = [-1] * count  # the place of the lowest point of the pool, through `root`
    minima: dict[int, float] = {}
    maxima: dict[int, float] = {}

    def root(place: int) -> int:
        while pool[place] != place:
            pool[place] = pool[pool[place]]
            place = pool[place]
        return place

    order = sorted(range(count), key=heights.__getitem__)
    for place in order:
        beside = ((place - 1) % count, (place + 1) % count)
        wet = sorted({root(p) for p in beside if pool[p] >= 0}, key=heights.__getitem__)
        pool[place] = wet[0] if wet else place
        if not wet:
            minima[place] = math.inf
        if len(wet) == 2:
            pool[wet[1]] = wet[0]
            minima[wet[1]] = maxima[place] = heights[place] - heights[wet[1]]
    maxima[order[-1]] = math.inf  # it closes the ring
    return minima, maxima
