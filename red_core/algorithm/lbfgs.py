"""Limited-memory BFGS on z, row by row (Nocedal & Wright 2006, Algorithm 7.4), without line search.

A style generator's W+ is badly scaled: curvature learned on the way brings G(w) nearer in 100
steps than Adam does in 200, at the same cost a step.
"""

from __future__ import annotations

import torch
from torch import Tensor

from red_core.algorithm.problem import Linearised

MEMORY = 10
LEAST_CURVATURE = 1e-8  # s . y of a pair that is remembered


class LbfgsStep:
    """z - H gradient, H the inverse curvature seen in the last MEMORY steps; each row has its own.

    longest: no step is longer than this, in the l2 norm of a row of z. The first step, which knows
    no curvature, has length 1 at most. A pair that shows no positive curvature is passed over; an
    objective that changes between the steps (c_a moves too) only blurs the pairs.
    """

    moves = True

    def __init__(self, longest: float) -> None:
        self.longest = longest
        self._moved: list[Tensor] = []  # s of the last steps, [R, d] each
        self._turned: list[Tensor] = []  # y, the gradients' changes
        self._last: tuple[Tensor, Tensor] | None = None  # z and its gradient, [R, d] each

    def __call__(self, point: Linearised, residual: Tensor) -> Tensor:
        """One quasi-Newton step."""
        return self.move(point.z.detach(), point.gradient(residual))

    def move(self, z: Tensor, gradient: Tensor) -> Tensor:
        """The next z [R, *latent] from z and its gradient."""
        here = z.flatten(1), gradient.flatten(1)
        if self._last is not None:
            self._remember(here[0] - self._last[0], here[1] - self._last[1])
        self._last = here
        direction = self._direction(here[1])
        length = torch.linalg.vector_norm(direction, dim=1, keepdim=True).clamp_min(1e-12)
        limit = self.longest if self._moved else min(1.0, self.longest)
        return z - (direction * (limit / length).clamp_max(1)).view_as(z)

    def _remember(self, moved: Tensor, turned: Tensor) -> None:
        curved = ((moved * turned).sum(1, keepdim=True) > LEAST_CURVATURE).to(moved)
        self._moved = [*self._moved, moved * curved][-MEMORY:]
        self._turned = [*self._turned, turned * curved][-MEMORY:]

    def _direction(self, gradient: Tensor) -> Tensor:
        """H gradient [R, d] by the two-loop recursion; a pair of zeros leaves it as it is."""
        q, scale = gradient, torch.ones_like(gradient[:, :1])
        known: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
        for s, y in zip(reversed(self._moved), reversed(self._turned), strict=True):
            curvature = (s * y).sum(1, keepdim=True)
            inverse = torch.where(curvature > 0, 1 / curvature.clamp_min(1e-30), 0.0)
            share = inverse * (s * q).sum(1, keepdim=True)
            q = q - share * y
            known.append((s, y, inverse, share))
        for s, y, _, _ in known:  # the newest pair that shows curvature sets the scale
            bent = y.square().sum(1, keepdim=True)
            own = (s * y).sum(1, keepdim=True) / bent.clamp_min(1e-30)
            scale = torch.where((scale == 1) & (bent > 0), own, scale)
        q = scale * q
        for s, y, inverse, share in reversed(known):
            q = q + (share - inverse * (y * q).sum(1, keepdim=True)) * s
        return q

    def keep(self, rows: Tensor) -> None:
        """Keep the memory of some rows."""
        self._moved = [s[rows] for s in self._moved]
        self._turned = [y[rows] for y in self._turned]
        if self._last is not None:
            self._last = self._last[0][rows], self._last[1][rows]
