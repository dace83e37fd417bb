"""Basins: where gradient descent ends up from a grid of starts, all of them at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.landscape.inversion_loss import Inversion
from red_core.landscape.points import Stationary
from red_core.landscape.sectors import find_sectors

STEPS = 2000
SECTOR_STEPS = 20_000  # where G is known sector by sector and a step costs next to nothing
NEAR = 1e-3  # of ||z*||: an end this close to a stationary point has arrived there
NEAR_KINK = 1e-2  # a constant step never rests at a kink, but swings across it
STILL = 1e-9  # of ||z*||: a start whose step is shorter has come to rest
MOVING, DIVERGED = -1, -2


@dataclass(frozen=True)
class Basins:
    """Every start's point after k steps.

    starts, ends [R, d]; labels [R]: the index in `stationary.points` of the point arrived at,
    MOVING (-1) for a start that is at none, DIVERGED (-2) for one that left every bound; k; eta.
    """

    starts: Tensor
    ends: Tensor
    labels: Tensor
    stationary: Stationary
    k: int
    eta: float

    @property
    def solved(self) -> float:
        """The share of starts that arrived at z*, in [0, 1]."""
        solutions = [i for i, point in enumerate(self.stationary.points) if point.solution]
        return float(torch.isin(self.labels, torch.tensor(solutions)).double().mean())

    @property
    def words(self) -> str:
        """One sentence: how many starts went where."""
        total = len(self.labels)
        moving = int((self.labels == MOVING).sum())
        lost = int((self.labels == DIVERGED).sum())
        reached = round(self.solved * total)
        elsewhere = total - reached - moving - lost
        parts = [f"Of {total} starts {reached} arrived at z* within {self.k} steps"]
        parts += [f"{elsewhere} at another stationary point"] if elsewhere else []
        parts += [f"{moving} are still on their way"] if moving else []
        parts += [f"{lost} diverged: the step size is too large"] if lost else []
        return ", ".join(parts) + "."


class Flow:
    """Gradient descent z - eta grad f from many starts; the steps are the caller's.

    starts [R, d]; stationary: the points that ends are matched with; eta: the step size of
    Theorem 3, None for `safe_eta`; steps: at most, None for 20,000 where G is piecewise linear and
    d = 2, else 2,000. Starts that rest are not computed any more.
    """

    def __init__(
        self,
        inversion: Inversion,
        starts: Tensor,
        stationary: Stationary,
        eta: float | None = None,
        steps: int | None = None,
    ) -> None:
        self.inversion, self.starts, self.stationary = inversion, starts.double(), stationary
        self.eta = safe_eta(inversion, self.starts) if eta is None else eta
        known = inversion.d == 2 and inversion.piecewise_linear
        # The same gradient either way, a hundred times faster for a large network.
        self._gradient = find_sectors(inversion).gradient if known else inversion.gradient
        self.steps = steps or (SECTOR_STEPS if known else STEPS)
        self.k = 0
        self._ends = self.starts.clone()
        self._going = torch.arange(len(starts))
        self._size = float(inversion.z_star.norm())
        self._limit = 1e3 * max(self._size, float(self.starts.norm(dim=1).amax()))

    @property
    def done(self) -> bool:
        """Whether every start rests, or all steps are taken."""
        return self.k >= self.steps or not len(self._going)

    def advance(self, steps: int = 50) -> None:
        """Take some steps with every start that still moves."""
        z = self._ends[self._going]
        step = torch.zeros_like(z)
        for _ in range(min(steps, self.steps - self.k)):
            step = self.eta * self._gradient(z)
            z = z - step
            self.k += 1
        self._ends[self._going] = z
        length = step.norm(dim=1)
        moves = (length > STILL * self._size) & (z.norm(dim=1) < self._limit)
        self._going = self._going[moves]

    def view(self) -> Basins:
        """Every start's present point."""
        labels = torch.full((len(self._ends),), MOVING)
        if self.stationary.points:
            limits = torch.stack([point.z for point in self.stationary.points])
            near = [NEAR_KINK if p.place == "kink" else NEAR for p in self.stationary.points]
            distance, nearest = torch.cdist(self._ends, limits).min(1)
            reach = torch.tensor(near, dtype=distance.dtype)[nearest] * self._size
            labels = torch.where(distance <= reach, nearest, labels)
        far = ~(self._ends.norm(dim=1) < self._limit)  # also where it is not a number
        labels = torch.where(far, DIVERGED, labels)
        return Basins(self.starts, self._ends.clone(), labels, self.stationary, self.k, self.eta)


def safe_eta(inversion: Inversion, starts: Tensor) -> float:
    """1 / (2 max ||J||^2) over the starts and z*: half of what a quadratic of that curvature bears.

    Over all of the plane where it is known sector by sector (`sectors`).
    """
    if inversion.d == 2 and inversion.piecewise_linear:
        return 0.5 / find_sectors(inversion).steepest
    points = torch.cat((starts, inversion.z_star[None]))
    largest = 0.0
    for some in points.split(256):
        reach = inversion.network.jacobian(some[:, None])[:, 0]
        largest = max(largest, float(torch.linalg.eigvalsh(reach.mT @ reach)[:, -1].amax()))
    return 0.5 / largest
