"""How far labels are from a tie.

Other batch sizes, threads and processors take other kernels, whose results differ by rounding. So a
label computed in two ways may be compared only where its score leads the next by far more.
"""

from __future__ import annotations

from torch import Tensor


def lead(scores: Tensor) -> float:
    """The smallest lead of the largest entry over the second, over the rows of scores [B, K]."""
    best, second = scores.topk(2, dim=1).values.T
    return float((best - second).min())
