"""Bounds on rho and epsilon (Lemma 14) and the constant of Definition 12, beside a descent."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from red_core.synthetic import Instances
from red_core.theory import (
    WDC,
    assumption_13,
    bend_bounds,
    curvature,
    lemma14,
    lemma14_in_proof,
    lemma14_printed,
    wdc_constant,
)
from red_core.theory.descent import Path

_INSTANCES, _POINTS = 20, 30  # looked at, at most: bounds and measurements at the same points
_PAIRS, _ROUNDS = 500, 30  # as the command line has them
NAMES = (
    "measured",
    "at each point",
    "Lemma 14, corrected",
    "Lemma 14, as printed",
    "Lemma 14, in its proof",
)
WDC_SIGMAS = ("relu", "leaky_relu", "linear")


@dataclass(frozen=True)
class Bound:
    """One way to bound rho and epsilon: the largest over the instances.

    fails: to how many instances the measured values exceed it, in either constant.
    """

    name: str
    rho: float
    epsilon: float
    fails: int = 0


@dataclass(frozen=True)
class Lemma:
    """Measured rho and epsilon at recorded iterates, first, then what bounds them there.

    instances, points: looked at; why: Assumption 13 in words, for the first instance.
    """

    bounds: tuple[Bound, ...]
    instances: int
    points: int
    why: str


def lemma_of(instances: Instances, path: Path) -> Lemma | None:
    """Lemma 14 at the recorded iterates of some instances; None for more than one layer."""
    if len(instances.network.weights) != 1:
        return None
    items = torch.arange(min(_INSTANCES, len(instances)))
    count = len(path.k)
    at = torch.linspace(0, count - 1, min(_POINTS, count)).round().long().unique()
    some = instances.take(items)
    z, c_a = path.z[at][:, items], path.c_a[at][:, items]
    rho, epsilon = (value.amax(0) for value in curvature(some, z, c_a))
    constants = assumption_13(some, z, c_a)
    bounds = [Bound(NAMES[0], float(rho.max()), float(epsilon.max()))]
    tight = tuple(value.amax(0) for value in bend_bounds(some, z, c_a))
    bounding = (tight, *(of(constants) for of in (lemma14, lemma14_printed, lemma14_in_proof)))
    for name, (high, deep) in zip(NAMES[1:], bounding, strict=True):
        fails = (rho > high * (1 + 1e-9)) | (epsilon > deep * (1 + 1e-9) + 1e-12)
        bounds.append(Bound(name, float(high.max()), float(deep.max()), int(fails.sum())))
    return Lemma(tuple(bounds), len(items), len(at), constants.why[0])


def wdc_of(instances: Instances) -> WDC | None:
    """The WDC's constant of the first layer, bounded from below; None where it is not defined."""
    if instances.network.activation.name not in WDC_SIGMAS:
        return None
    weight = instances.network.weights[0][0]
    return wdc_constant(weight, instances.network.activation, pairs=_PAIRS, rounds=_ROUNDS)
