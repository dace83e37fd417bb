"""All stationary points of f in the plane of a piecewise linear G: solved sector by sector.

Inside a sector f is a convex quadratic: its minimum counts where it lies in the sector. Along an
edge f is a parabola, and f has a kink across it: the parabola's minimum is stationary in Clarke's
sense where the slopes across it, from the two sides, do not both point the same way. Left is the
origin, where all sectors meet.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from red_core.landscape.inversion_loss import Inversion
from red_core.landscape.points import Kind, StationaryPoint
from red_core.landscape.sectors import Sectors, unit

ROUNDING = 1e-10  # relative: slopes and angles below it are zero
SINGULAR = 1e-12  # of A^T A's larger eigenvalue: below it A has a kernel


def stationary_in_sectors(inversion: Inversion, sectors: Sectors) -> list[StationaryPoint]:
    """Every stationary point of f (d = 2, piecewise linear G), in no order."""
    inner = _inside(inversion, sectors) + _flat(inversion, sectors)
    return inner + _on_edges(inversion, sectors) + _at_origin(inversion, sectors)


def _point(inversion: Inversion, z: Tensor, kind: Kind, place: str) -> StationaryPoint:
    index = {"minimum": 1, "maximum": 1, "saddle": -1, "flat": 0}[kind]
    return StationaryPoint(z, float(inversion.value(z)), kind, place, index)  # type: ignore[arg-type]


def _full_rank(sectors: Sectors) -> tuple[Tensor, Tensor]:
    """Whether A has full column rank, [S], and the eigenvalues of A^T A, [S, 2]."""
    eigen = torch.linalg.eigvalsh(sectors.square)
    return eigen[:, 0] > SINGULAR * eigen[:, 1].amax(), eigen


def _inside(inversion: Inversion, sectors: Sectors) -> list[StationaryPoint]:
    """Minima inside sectors where A has full rank: f is strictly convex there."""
    chosen = _full_rank(sectors)[0].nonzero()[:, 0]
    z = torch.linalg.solve(sectors.square[chosen], sectors.reach[chosen])
    sizes = z.norm(dim=1)
    # An edge that is no kink belongs to its sector; the next one leaves its own edge out.
    after = cross(sectors.edges[chosen], z)
    before = cross(z, sectors.edges.roll(-1, 0)[chosen])
    slack = ROUNDING * sizes
    starts = torch.where(sectors.bent[chosen], after > slack, after >= -slack)
    inside = starts & (before > slack) & (sizes > ROUNDING * inversion.z_star.norm())
    return [_point(inversion, row, "minimum", "smooth") for row in z[inside]]


def _flat(inversion: Inversion, sectors: Sectors) -> list[StationaryPoint]:
    """One point of every flat piece: sectors where A has a kernel, so that f rests along it."""
    found = []
    full, eigen = _full_rank(sectors)
    for s in (~full).nonzero()[:, 0].tolist():
        if float(eigen[s, 1]) <= SINGULAR * float(eigen.amax()):  # A = 0: the whole sector
            found.append(sectors.middles[s] * inversion.z_star.norm())
            continue
        values, vectors = torch.linalg.eigh(sectors.square[s])
        kernel, across = vectors.T
        nearest = (across @ sectors.reach[s]) / values[1] * across
        # nearest + t kernel is in the sector for t in an interval, maybe unbounded.
        ends = sectors.edges[s], sectors.edges[(s + 1) % len(sectors.edges)]
        low, high = -math.inf, math.inf
        for offset, slope in (
            (cross(ends[0], nearest), cross(ends[0], kernel)),
            (cross(nearest, ends[1]), cross(kernel, ends[1])),
        ):
            if abs(float(slope)) > ROUNDING:
                edge = float(-offset / slope)
                low, high = (max(low, edge), high) if slope > 0 else (low, min(high, edge))
            elif float(offset) < 0:
                low, high = 0.0, -1.0
        if low < high:
            reach = float(inversion.z_star.norm())
            low, high = max(low, min(high, 0.0) - reach), min(high, max(low, 0.0) + reach)
            found.append(nearest + 0.5 * (low + high) * kernel)
    return [_point(inversion, z, "flat", "smooth") for z in found]


def _on_edges(inversion: Inversion, sectors: Sectors) -> list[StationaryPoint]:
    """Stationary points on the kinks: minima (a valley) and saddles (a ridge that f descends)."""
    edges = sectors.edges
    across = torch.stack((-edges[:, 1], edges[:, 0]), dim=1)  # towards the edge's own sector
    along = (edges[:, None] @ sectors.square @ edges[:, :, None])[:, 0, 0]
    reach = (edges * sectors.reach).sum(1)
    z = (reach / along)[:, None] * edges

    def slope(square: Tensor, towards: Tensor) -> Tensor:
        """The derivative of f across the edge, by the quadratic of one of its sides."""
        return 2 * (((square @ z[:, :, None])[:, :, 0] - towards) * across).sum(1)

    after = slope(sectors.square, sectors.reach)
    before = slope(sectors.square.roll(1, 0), sectors.reach.roll(1, 0))
    scale = ROUNDING * 2 * sectors.reach.norm(dim=1).amax()
    candidate = sectors.bent & (along > SINGULAR * along.amax())
    candidate &= reach > ROUNDING * reach.amax()
    full = _full_rank(sectors)[0]
    # Where f rests on one side, the edge is the end of a flat piece, which is listed itself.
    rests = (after.abs() <= scale) & ~full | (before.abs() <= scale) & ~full.roll(1)
    candidate &= ~rests
    valley = candidate & (after >= -scale) & (before <= scale)
    ridge = candidate & (after <= scale) & (before >= -scale) & ~valley
    return [_point(inversion, row, "minimum", "kink") for row in z[valley]] + [
        _point(inversion, row, "saddle", "kink") for row in z[ridge]
    ]


def _at_origin(inversion: Inversion, sectors: Sectors) -> list[StationaryPoint]:
    """The origin, where 0 is in the convex hull of all sectors' gradients -2 A^T y.

    Its kind is read off a small circle: how often f - f(0) changes sign around it.
    """
    gradients = -2 * sectors.reach
    scale = ROUNDING * gradients.norm(dim=1).amax()
    angles = torch.atan2(gradients[:, 1], gradients[:, 0])[gradients.norm(dim=1) > scale]
    if len(angles) == len(gradients):
        ordered = angles.sort().values
        gaps = torch.cat((ordered[1:] - ordered[:-1], ordered[:1] + 2 * math.pi - ordered[-1:]))
        if float(gaps.max()) > math.pi + ROUNDING:
            return []
    changes, sign = _sign_changes(sectors, float(scale))
    if changes == 0 and sign == 0:
        return []  # flat all around: named by the flat sectors
    kind: Kind = "flat"
    if changes == 0:
        kind = "minimum" if sign > 0 else "maximum"
    elif changes >= 4:
        kind = "saddle"
    origin = torch.zeros(2, dtype=torch.float64)
    value = float(inversion.value(origin))
    return [StationaryPoint(origin, value, kind, "origin", 1 - changes // 2)]


def _sign_changes(sectors: Sectors, scale: float) -> tuple[int, int]:
    """How often f - f(0) changes sign around a small circle at 0, and the sign if it never does.

    In each sector f(r u) - f(0) = -2 r u . reach + r^2 u^T square u: its sign at the edge, and at
    the extremes of u . reach where those lie inside.
    """
    steepest = sectors.reach / sectors.reach.norm(dim=1, keepdim=True).clamp_min(scale)
    angles = torch.zeros(len(sectors.angles), 3, dtype=torch.float64)  # from the sector's edge
    for column, turn in ((1, steepest), (2, -steepest)):
        inside = (cross(sectors.edges, turn) > 0) & (cross(turn, sectors.edges.roll(-1, 0)) > 0)
        beyond = torch.atan2(cross(sectors.edges, turn), (sectors.edges * turn).sum(1))
        angles[:, column] = torch.where(inside, beyond, 0.0)
    u = unit(sectors.angles[:, None] + angles.sort(1).values)  # [S, 3, 2], some of them twice
    first = -2 * (u @ sectors.reach[:, :, None])[:, :, 0]
    second = (u[:, :, None] @ sectors.square[:, None] @ u[:, :, :, None])[:, :, 0, 0]
    rises = (second > SINGULAR * second.amax()).to(first)
    signs = torch.where(first.abs() > scale, first.sign(), rises).flatten()
    signs = signs[signs != 0]
    if not len(signs):
        return 0, 0
    changes = int((signs != signs.roll(1)).sum())
    return changes, 0 if changes else int(signs[0])


def cross(a: Tensor, b: Tensor) -> Tensor:
    """The signed area a_1 b_2 - a_2 b_1 of vectors [..., 2]: positive if b lies left of a."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
