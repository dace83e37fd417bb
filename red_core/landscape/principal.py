"""Principal components of a path, and those of a random walk to compare them with.

A random walk looks low-dimensional too: in many dimensions its first component holds 6/pi^2 = 61%
of the variance and its second 15% (Antognini & Sohl-Dickstein 2018, "PCA of high dimensional
random walks with comparison to neural network training"). A share below that says nothing of the
path's shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

import torch
from torch import Tensor

WALKS = 64  # random walks that are averaged, where d is 128 at most
FEWEST = 3  # in many dimensions: one walk's shares are then an average over them already
SHORT = 1e-12  # of the longest axis: a direction below it is rounding


def principal_axes(path: Tensor) -> tuple[Tensor, tuple[float, float]]:
    """The first two principal axes [2, d] of a path [K, d], and their shares of its variance.

    Each axis points the way the path went (from its first to its last point). A path within one
    line gets a second axis whose share is 0; one that never moved, two, and shares of 0.
    """
    path = path.detach().cpu().double()
    centred = path - path.mean(0)
    _, lengths, directions = torch.linalg.svd(centred, full_matrices=False)
    moved = lengths > SHORT * path.abs().max().clamp_min(1.0)
    axes = completed(
        [row for row, kept in zip(directions[:2], moved[:2], strict=True) if kept], path
    )
    along = (path[-1] - path[0]) @ axes.T
    axes = torch.where((along < 0)[:, None], -axes, axes)
    return axes, variance_shares(path, axes) or (0.0, 0.0)


def variance_shares(path: Tensor | None, axes: Tensor) -> tuple[float, float] | None:
    """The shares of the variance of a path [K, d] along orthonormal axes [2, d].

    None where there is no path, or one that never moves.
    """
    if path is None:
        return None
    path, axes = path.detach().cpu().double(), axes.cpu().double()
    centred = path - path.mean(0)
    total = centred.square().sum()
    if float(total) == 0:
        return None
    first, second = ((centred @ axes.T).square().sum(0) / total).tolist()
    return first, second


def completed(directions: list[Tensor], path: Tensor) -> Tensor:
    """Two orthonormal rows [2, d]: `directions` in their order, then whatever is needed.

    path [K, d]: gives d and where to look first: its differences, the longest first, then the
    coordinate axes. Directions are made orthogonal to those before them; what is left of one that
    lies within them is rounding and is passed over.
    """
    d = path.shape[1]
    path = path.detach().cpu().double()
    steps = path - path[0]
    candidates = [row.detach().cpu().double() for row in directions]
    candidates += list(steps[steps.norm(dim=1).argsort(descending=True)][:8])
    rows: list[Tensor] = []
    for candidate in chain(candidates, _coordinate_axes(d)):
        rest = candidate
        for _ in range(2):  # twice is enough (Kahan): the second pass removes the rounding
            for row in rows:
                rest = rest - (rest @ row) * row
        if float(rest.norm()) > 1e-9 * max(float(candidate.norm()), 1e-150):
            rows.append(rest / rest.norm())
        if len(rows) == 2:
            return torch.stack(rows)
    raise ValueError(f"a plane needs two dimensions, and there are {d}")


def _coordinate_axes(d: int) -> Iterator[Tensor]:
    """The unit vectors of R^d, one at a time: all of them are d^2 numbers."""
    for i in range(d):
        axis = torch.zeros(d, dtype=torch.float64)
        axis[i] = 1
        yield axis


@lru_cache(maxsize=256)
def random_walk_shares(steps: int, dimension: int) -> tuple[float, float]:
    """Shares of the first two principal components of a random walk, averaged over many walks.

    steps: independent standard normal steps from a point, so steps + 1 points are centred and
    analysed; dimension: d. The scatter matrix of the centred points equals in distribution
    sum_k s_k g_k g_k^T with independent g_k ~ N(0, I_d) and s_k = 1 / (4 sin^2(pi k / (2 n))),
    k = 1 ... steps, n = steps + 1: the eigenvalues of the walk's own covariance are known, and
    Gaussian steps look alike in every orthonormal basis. So nothing long need be walked.
    So fewer walks do where d is large. (0, 0) without steps.
    """
    if steps < 1:
        return 0.0, 0.0
    k = torch.arange(1, steps + 1, dtype=torch.float64)
    spread = 1 / (2 * torch.sin(torch.pi * k / (2 * (steps + 1))))  # roots of s_k
    draw = torch.Generator().manual_seed(0)
    shares = torch.zeros(2, dtype=torch.float64)
    walks = min(WALKS, max(FEWEST, WALKS * 128 // dimension))
    for _ in range(walks):
        rows = spread[:, None] * torch.randn(steps, dimension, generator=draw, dtype=torch.float64)
        small = rows @ rows.T if steps < dimension else rows.T @ rows
        values = torch.linalg.eigvalsh(small).flip(0)
        shares[: len(values[:2])] += values[:2] / values.sum() / walks
    first, second = shares.tolist()
    return first, second
