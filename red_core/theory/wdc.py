"""The Weight Distribution Condition of Definition 12: its constant, bounded from below.

The rows w_i of W [n, d] satisfy the WDC with constant epsilon if for all nonzero x and y

    || sum_i sigma'(w_i . x) sigma'(w_i . y) w_i w_i^T - Q_{x,y} || <= epsilon,

with Q_{x,y} the expectation of the sum for w_i ~ N(0, I / n); the paper prints the expectation of
one term, which is n times smaller (Hand & Voroninski 2017 have the sum). Both sides depend on
x and y through their directions alone if sigma'(t) depends on the sign of t alone: ReLU, leaky
ReLU and linear. Any other sigma has another Q for every length of x and y, and is refused.

The smallest epsilon is a supremum over pairs, and every pair is a lower bound on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.synthetic import Activation

CHUNK = 2**20  # numbers held at once: 8 MB
BUDGET = 2_000_000  # operations a pair: about 5 s for the defaults on one core
WDC_LIMIT = 1 / 290  # Huang et al. (2021) ask for an epsilon below this (footnote 4)


@dataclass(frozen=True)
class Deviation:
    """A lower bound on the WDC's constant, and the pair that shows it.

    constant: the norm above at (x, y); sampled: the largest before climbing; x, y: unit [d].
    """

    constant: float
    sampled: float
    x: Tensor
    y: Tensor


@dataclass(frozen=True)
class WDC:
    """given: for W as it is. rescaled: for factor * W, with ||factor W||_F^2 = d.

    Definition 12 compares W with a random matrix of that squared norm (in expectation); a W of
    another scale is far from it whatever the directions of its rows. pairs: how many were tried.
    """

    given: Deviation
    rescaled: Deviation
    factor: float
    pairs: int


def wdc_constant(
    weight: Tensor,
    sigma: Activation,
    pairs: int = 2000,
    climbers: int = 32,
    rounds: int = 60,
    seed: int = 0,
) -> WDC:
    """Bound the WDC's constant of W [n, d] from below by sampling pairs, then climbing.

    Sampled: `pairs` pairs of each of the kinds in `_pairs`. Then the best `climbers` are moved at
    random, `rounds` times, keeping what grows, with steps that shrink on failure: the first
    term is constant between the hyperplanes w_i . x = 0, so it has no gradient to follow. A pair
    costs some 2 n d^2 operations; a large W gets fewer pairs and rounds, down to a tenth.
    ValueError for a sigma whose slope depends on more than a sign.
    """
    slope = _slope(sigma)
    weight = weight.double()
    share = min(1.0, max(0.1, BUDGET / (2 * weight.numel() * weight.shape[1])))
    pairs, rounds = math.ceil(share * pairs), math.ceil(share * rounds)
    factor = math.sqrt(weight.shape[1]) / float(torch.linalg.matrix_norm(weight))
    draw = torch.Generator().manual_seed(seed)
    x, y = _pairs(weight, pairs, draw)
    found = [
        _climbed(scale * weight, slope, x, y, climbers, rounds, draw) for scale in (1.0, factor)
    ]
    return WDC(found[0], found[1], factor, len(x) + 4 * climbers * rounds)


def wdc_deviation(weight: Tensor, slope: float, x: Tensor, y: Tensor) -> Tensor:
    """|| sum_i sigma' sigma' w_i w_i^T - Q_{x,y} || for W [n, d] and pairs x, y [P, d]: [P]."""
    size = max(1, CHUNK // weight.numel())
    parts = []
    for some_x, some_y in zip(x.split(size), y.split(size), strict=True):
        slopes = _first(some_x @ weight.T, slope) * _first(some_y @ weight.T, slope)
        total = (weight.T * slopes[:, None, :]) @ weight
        ends = torch.linalg.eigvalsh(total - wdc_expectation(some_x, some_y, slope))
        parts.append(ends[:, [0, -1]].abs().amax(1))
    return torch.cat(parts)


def wdc_expectation(x: Tensor, y: Tensor, slope: float) -> Tensor:
    """Q_{x,y} for pairs x, y [P, d], neither 0: [P, d, d].

    ReLU, with theta the angle between x and y (Hand & Voroninski 2017):
    Q = (pi - theta) / (2 pi) I + sin(theta) / (2 pi) M, where M swaps x / ||x|| and y / ||y|| and
    is 0 on what is orthogonal to both; that is, with s and t their sum and difference,
    M = s s^T / ||s||^2 - t t^T / ||t||^2.

    Leaky with slope a: sigma' = a + (1 - a) 1[. > 0], and E[1[w.x > 0] w w^T] = I / 2 by
    symmetry, so Q = a^2 I + 2 a (1 - a) I / 2 + (1 - a)^2 Q_relu = a I + (1 - a)^2 Q_relu. Linear
    is a = 1: Q = I.
    """
    x, y = (torch.nn.functional.normalize(v, dim=-1) for v in (x, y))
    s, t = x + y, x - y
    along, across = s.norm(dim=-1), t.norm(dim=-1)  # 2 cos(theta / 2) and 2 sin(theta / 2)
    theta = 2 * torch.atan2(across, along)
    tiny = torch.finfo(x.dtype).tiny
    # sin(theta) = along * across / 2
    towards = 0.5 * across / along.clamp_min(tiny)
    apart = 0.5 * along / across.clamp_min(tiny)
    swap = towards[:, None, None] * _outer(s) - apart[:, None, None] * _outer(t)
    unit = torch.eye(x.shape[-1], dtype=x.dtype)
    relu = ((math.pi - theta)[:, None, None] * unit + swap) / (2 * math.pi)
    return slope * unit + (1 - slope) ** 2 * relu


def _slope(sigma: Activation) -> float:
    """sigma'(t) for t < 0, where sigma'(t) = 1 for t > 0."""
    if sigma.smooth and sigma.bend:
        raise ValueError(
            f"the WDC needs a slope that depends on the sign of w . x alone (relu, leaky_relu, "
            f"linear); that of {sigma.name} changes with the length of x"
        )
    return sigma.slopes[0]


def _first(before: Tensor, slope: float) -> Tensor:
    return torch.where(before > 0, torch.ones_like(before), slope)


def _outer(rows: Tensor) -> Tensor:
    return rows[:, :, None] * rows[:, None, :]


def _pairs(weight: Tensor, count: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """Unit pairs [P, d]: independent, equal, opposite or close together.

    Their ends lie anywhere, just beside the rays in which d - 1 hyperplanes w_i . x = 0 meet (so
    in the corners of the cells where sigma' does not change), along the rows, or along the
    singular vectors of W.
    """
    n, d = weight.shape

    def normal(rows: int) -> Tensor:
        return torch.randn(rows, d, generator=draw, dtype=weight.dtype)

    ends = [normal(count)]
    if d > 1:
        chosen = torch.rand(count, n, generator=draw).argsort(1)[:, : min(n, d - 1)]
        rays = torch.linalg.svd(weight[chosen], full_matrices=True)[2][:, -1]
        ends.append(rays + 1e-7 * normal(count))
    ends.append(weight[torch.randint(n, (count,), generator=draw)] + 1e-7 * normal(count))
    ends.append(torch.linalg.svd(weight, full_matrices=False)[2])
    x = torch.nn.functional.normalize(torch.cat(ends), dim=1)
    other = x[torch.randperm(len(x), generator=draw)]
    close = x + 10 ** (-6 * torch.rand(len(x), 1, generator=draw).to(x)) * normal(len(x))
    y = torch.cat((other, x, -x, torch.nn.functional.normalize(close, dim=1)))
    return x.repeat(4, 1), y


def _climbed(
    weight: Tensor,
    slope: float,
    x: Tensor,
    y: Tensor,
    climbers: int,
    rounds: int,
    draw: torch.Generator,
) -> Deviation:
    """The best of the pairs, and what becomes of them when `climbers` climb."""
    values = wdc_deviation(weight, slope, x, y)
    best, at = values.topk(min(climbers, len(values)))
    x, y = x[at], y[at]
    reach = torch.full((len(best), 1), 0.5, dtype=x.dtype)
    for _ in range(rounds):
        # Four neighbours each: x moved, y moved, both, both much less.
        moves = torch.randn(2, 4, *x.shape, generator=draw, dtype=x.dtype)
        moves[0, 1] = 0
        moves[1, 0] = 0
        moves[:, 3] *= 0.1
        near_x, near_y = (
            torch.nn.functional.normalize(old + reach * move, dim=-1)
            for old, move in zip((x, y), moves, strict=True)
        )
        tried = wdc_deviation(weight, slope, near_x.flatten(0, 1), near_y.flatten(0, 1))
        height, which = tried.view(4, -1).max(0)
        better = height > best
        item = torch.arange(len(best))
        x = torch.where(better[:, None], near_x[which, item], x)
        y = torch.where(better[:, None], near_y[which, item], y)
        best = torch.where(better, height, best)
        reach = torch.where(better[:, None], reach * 1.3, reach * 0.8)
    top = int(best.argmax())
    return Deviation(float(best[top]), float(values.max()), x[top], y[top])
