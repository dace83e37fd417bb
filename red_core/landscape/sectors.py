"""d = 2 and piecewise linear sigma: the plane falls into sectors in which G is linear.

Without biases G is positively homogeneous, so every region of one activation pattern is a cone,
in the plane a sector around the origin, and f is a quadratic in each. Its stationary points can
therefore be listed exactly (`corners`): no search, nothing missed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from red_core.landscape.inversion_loss import Inversion

APART = 1e-10  # radians: edges closer than this are one
CHUNK = 256  # sectors whose Jacobians are held at once


@dataclass(frozen=True)
class Sectors:
    """The sectors of G in the plane, counter-clockwise; sector s lies between edges s and s + 1.

    angles [S] in [0, 2 pi), ascending: the edges; square [S, 2, 2]: A^T A and reach [S, 2]: A^T y
    of each sector's linear map A, so that there f(z) = z^T square z - 2 z . reach + ||y||^2;
    bent [S]: whether G really changes at the edge (four edges are added so that every sector is
    narrower than a half-plane).
    """

    angles: Tensor
    square: Tensor
    reach: Tensor
    bent: Tensor

    @property
    def edges(self) -> Tensor:
        """Unit vectors along the edges, [S, 2]."""
        return unit(self.angles)

    @property
    def middles(self) -> Tensor:
        """Unit vectors in the middle of the sectors, [S, 2]."""
        return unit(self.angles + (self.angles.roll(-1, 0) - self.angles) % (2 * math.pi) / 2)

    @cached_property
    def steepest(self) -> float:
        """The largest eigenvalue of A^T A in any sector: the square of G's Lipschitz constant."""
        return float(torch.linalg.eigvalsh(self.square)[:, -1].amax())

    def gradient(self, z: Tensor) -> Tensor:
        """grad f [R, 2] at points z [R, 2], at a cost that does not depend on the network's size.

        On an edge, that of the sector after it.
        """
        angle = torch.atan2(z[:, 1], z[:, 0]) % (2 * math.pi)
        sector = torch.searchsorted(self.angles, angle, right=True) - 1  # -1: the last, wrapped
        return 2 * ((self.square[sector] @ z[:, :, None])[:, :, 0] - self.reach[sector])

    @property
    def folds(self) -> Tensor:
        """Unit vectors [F, 2] of the rays along which f has a kink: to be drawn."""
        return self.edges[self.bent]


def unit(angles: Tensor) -> Tensor:
    """Unit vectors [..., 2] at angles [...]."""
    return torch.stack((angles.cos(), angles.sin()), dim=-1)


@lru_cache(maxsize=8)
def find_sectors(inversion: Inversion) -> Sectors:
    """The sectors of a piecewise linear G with d = 2. ValueError for any other.

    Layer by layer: between two neighbouring edges every pre-activation is linear, so it changes
    sign at most once, at a point of the chord that its two end values give. Remembered for the
    inversions asked for last.
    """
    if inversion.d != 2 or not inversion.piecewise_linear:
        raise ValueError("sectors need d = 2 and a piecewise linear activation")
    network = inversion.network
    angles = torch.arange(4, dtype=torch.float64) * math.pi / 2 + 0.1  # four quadrants, turned
    for layer, weight in enumerate(network.weights):
        ends = unit(angles)
        inputs = ends
        for before in network.weights[:layer]:
            inputs = network.activation.value(inputs @ before[0].T)
        heights = inputs @ weight[0].T  # pre-activations at the edges, [S, n]
        after, next_end = heights.roll(-1, 0), ends.roll(-1, 0)
        sector, neuron = (heights * after < 0).nonzero(as_tuple=True)
        here, there = heights[sector, neuron].abs(), after[sector, neuron].abs()
        zeros = there[:, None] * ends[sector] + here[:, None] * next_end[sector]
        angles = _distinct(torch.cat((angles, torch.atan2(zeros[:, 1], zeros[:, 0]))))
    return _with_quadratics(inversion, angles)


def _distinct(angles: Tensor) -> Tensor:
    """Angles in [0, 2 pi), ascending, without repetitions."""
    ordered = (angles % (2 * math.pi)).sort().values
    gaps = ordered - ordered.roll(1, 0)
    gaps[0] += 2 * math.pi
    return ordered[gaps > APART]


def _with_quadratics(inversion: Inversion, angles: Tensor) -> Sectors:
    """Add A^T A and A^T y of every sector, and whether A differs from the sector's before."""
    nothing = angles.new_zeros(0)
    middles = Sectors(angles, nothing, nothing, nothing).middles
    square, reach, bent = [], [], []
    last = inversion.network.jacobian(middles[-1:, None])[:, 0]
    for some in middles.split(CHUNK):
        maps = inversion.network.jacobian(some[:, None])[:, 0]  # A, [chunk, n, 2]
        square.append(maps.mT @ maps)
        reach.append(maps.mT @ inversion.target)
        changed = (maps - torch.cat((last, maps[:-1]))).abs().amax((1, 2))
        bent.append(changed > 1e-12 * maps.abs().amax())
        last = maps[-1:]
    return Sectors(angles, torch.cat(square), torch.cat(reach), torch.cat(bent))
