"""A descent with its recorded iterates, at a bounded number of evenly spread k."""

from __future__ import annotations

import torch
from torch import Tensor

from red_core.theory.descent import Descent, Path, Point

MAX_POINTS = 320  # kept; a long run has between half of it and all of it


class Recorder:
    """Steps a descent, takes account of mu and of arrivals, and keeps some of its points.

    every: look at every so many steps only, as `descend(..., every)` does. Of the points looked at
    those are kept that fall on a stride, which begins at `every` and doubles, dropping every
    second point, whenever MAX_POINTS are kept.
    """

    def __init__(self, descent: Descent, every: int = 1) -> None:
        self.descent = descent
        self.stride = every
        self._look_at = every
        self.points = [descent.snapshot()]
        self.latest = self.points[0]
        count = len(descent.instances)
        self._under_way = torch.ones(count, dtype=torch.bool)
        self._sum, self._looks = torch.zeros(2, count, dtype=torch.float64)
        self._least = torch.full((count,), torch.inf, dtype=torch.float64)
        self._arrived_at = torch.full((count,), -1)
        self._account()

    @property
    def done(self) -> bool:
        """Whether no step is left, or every instance has arrived."""
        return self.descent.done or not bool(self._under_way.any())

    @property
    def mu_mean(self) -> Tensor:
        """As `Path.mu_mean`, over all steps looked at: [I]; NaN for one that began at its goal."""
        return self._sum / self._looks

    @property
    def mu_least(self) -> Tensor:
        """The smallest mu_row until an instance arrived: [I]."""
        return self._least

    @property
    def arrived_at(self) -> Tensor:
        """The step at which an instance arrived, -1 for one that has not: [I]."""
        return self._arrived_at

    def step(self) -> None:
        """One step; FloatingPointError where no instance is finite any more."""
        self.descent.step()
        if self.descent.k % self._look_at and not self.descent.done:
            return
        self.latest = self.descent.snapshot()
        self._require_finite(self.latest)
        self._account()
        if self.descent.k % self.stride == 0:
            self.points.append(self.latest)
            if len(self.points) > MAX_POINTS:
                self.stride *= 2
                self.points = [point for point in self.points if point.k % self.stride == 0]

    def shown(self) -> list[Point]:
        """The points kept, and the latest one."""
        off = self.latest.k != self.points[-1].k
        return [*self.points, self.latest] if off else list(self.points)

    def path(self) -> Path:
        """What is recorded so far."""
        return Path.of(self.shown(), self.descent)

    def _account(self) -> None:
        """Take the latest point's mu into the mean and the minimum, until an instance arrives."""
        point = self.latest
        there = self._under_way & (point.distance < self.descent.options.tolerance)
        self._arrived_at = torch.where(there, point.k, self._arrived_at)
        self._under_way &= ~there
        known = self._under_way & torch.isfinite(point.mu_row)
        self._sum += torch.where(known, point.mu_row, 0.0)
        self._looks += known
        self._least = torch.where(known, torch.minimum(self._least, point.mu_row), self._least)

    def _require_finite(self, point: Point) -> None:
        if not bool(torch.isfinite(point.loss).any()):
            raise FloatingPointError(
                f"At step {point.k:,} every instance has left the range of numbers: the step size "
                "is too large. Choose a smaller one, or the safe one."
            )
