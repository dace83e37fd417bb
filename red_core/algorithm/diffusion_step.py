"""The signal step of B.8: a diffusion model takes the place of G, and D(x') that of G(z).

The "z" of such a run is the image itself, so G is the identity, and every step replaces it by a
purified image.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from red_core.algorithm.problem import Linearised

Purify = Callable[[Tensor, Sequence[int]], Tensor]
"""D: images [R, C, H, W] in [0, 1], one seed for each -> purified images of the same shape."""
_PRIME = 1_000_003  # between the seeds of two rounds


def identity(z: Tensor) -> Tensor:
    """G of a run whose z is the image."""
    return z


class DiffusionStep:
    """z^{k+1} = D(x'), or D(x' - D_a c_a^k), with noise that is fresh in every round.

    purify: D; observed: x' [R, C, H, W], one row an item; seeds: one a row; remainder: purify what
    the attack's code leaves of x' instead of x' itself, which is what B.8 writes.
    """

    moves = True

    def __init__(
        self, purify: Purify, observed: Tensor, seeds: Sequence[int], remainder: bool
    ) -> None:
        self.purify, self.remainder = purify, remainder
        self._observed, self._seeds = observed, list(seeds)
        self._round = 0

    def __call__(self, point: Linearised, residual: Tensor) -> Tensor:
        """The purified images; residual = D(x') + D_a c_a - x' as rows [R, n]."""
        source = self._observed
        if self.remainder:
            source = (point.image.detach() - residual).view_as(source).clamp(0, 1)
        seeds = [(seed + _PRIME * self._round) % 2**63 for seed in self._seeds]
        self._round += 1
        return self.purify(source, seeds)

    def keep(self, rows: Tensor) -> None:
        """Keep the images and seeds of some rows."""
        self._observed = self._observed[rows]
        self._seeds = [self._seeds[row] for row in rows.tolist()]
