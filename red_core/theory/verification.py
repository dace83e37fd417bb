"""One family checked against the theorems: do they apply, what they promise, what is observed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from red_core.json_number import number
from red_core.synthetic import Instances, InstanceSettings, make_instances
from red_core.theory import (
    Guarantee,
    assumption_13,
    bend_bounds,
    guarantee,
    leaky_floor,
    lemma14,
    lemma14_printed,
    rank_sentence,
    theorem_step,
    wdc_constant,
)
from red_core.theory.descent import DescentOptions, Path, descend, step_sizes

STEPS = ("theorem", "safe", "local")


@dataclass(frozen=True)
class Verification:
    """What to verify.

    settings: of the instances, by default near the solution, where the theorems can apply;
    options: of the descent (a method of 4.1 or 4.2; options.eta overrides `step`); step: how eta
    is chosen: "theorem" (the best admissible one found, "local" where none was), "safe" or
    "local" (`descent.step_sizes`); networks: W from as many seeds; samples: points on each of the
    proof's segments; most: steps of a path that are examined.
    """

    settings: InstanceSettings = field(
        default_factory=lambda: InstanceSettings(activation="softplus", start="near")
    )
    options: DescentOptions = field(default_factory=lambda: DescentOptions(steps=500))
    step: str = "theorem"
    networks: int = 1
    samples: int = 5
    most: int | None = 100

    def __post_init__(self) -> None:
        if self.step not in STEPS:
            raise ValueError(f"the step is one of {', '.join(STEPS)}, not {self.step!r}")
        if self.options.method == "proximal":
            raise ValueError("Theorems 3 and 6 are about lambda = 0: choose another method")


@dataclass(frozen=True)
class Found:
    """What a verification has run: instances, path, and what the theorem says of it."""

    instances: Instances
    path: Path
    plain: Guarantee

    @property
    def guarantee(self) -> Guarantee:
        """The theorem in the coordinates it can hold in: the row space, where D_a has a kernel."""
        return self.plain.row_space or self.plain


def verify(asked: Verification, own: Tensor | None = None) -> Found:
    """Descend, and hold Theorem 3 or 6 against the path."""
    instances = make_instances(asked.settings, asked.networks, own)
    inversion = asked.options.method == "inversion"
    eta = None
    if asked.options.eta is None:
        sizes = step_sizes(instances, inversion)
        eta = sizes["local"] if asked.step == "theorem" else sizes[asked.step]
        if asked.step == "theorem":
            best = theorem_step(instances, asked.options, asked.samples)
            eta = torch.where(best.isnan(), eta, best)
    path = descend(instances, asked.options, eta)
    return Found(instances, path, guarantee(instances, path, asked.samples, asked.most))


def report(asked: Verification, found: Found) -> dict[str, Any]:
    """The JSON of `theory verify`; numbers that do not exist are None.

    Over all instances: mu is the smallest, rho and epsilon are the largest, observed_rate is the
    worst factor on the squared distance of any step, predicted_rate the largest promised among
    the instances to which the theorem applies, interval the admissible step sizes of the first
    of them. applies: whether it applies to every instance; share_applies: to which share;
    lemma_14: [rho, epsilon] as printed, corrected, and with ||sum_i r_i Hess G_i|| instead of its
    bound, all at the iterates; trace: the first instance step by step, with the theorem's bound on
    its distance (None where it does not apply); wdc: a lower bound on Definition 12's constant.
    held: whether no instance to which it applies did worse than promised; tightness: the median
    of log(promised) / log(worst observed) among those, 1 where the promise is met exactly.
    """
    result, path, instances = found.guarantee, found.path, found.instances
    applies = result.applies
    first = int(applies.long().argmax())
    ranks = int(instances.ranks.max())
    return {
        "theorem": result.theorem,
        "rho": number(result.rho.nan_to_num(-math.inf).max()),
        "epsilon": number(result.epsilon.nan_to_num(-math.inf).max()),
        "mu": number(result.mu.nan_to_num(math.inf).min()),
        "interval": [number(result.low[first]), number(result.high[first])],
        "eta": number(result.eta[first]),
        "predicted_rate": number(result.predicted[applies].max()) if bool(applies.any()) else None,
        "observed_rate": number(result.observed.nan_to_num(-math.inf).max()),
        "applies": bool(applies.all()),
        "share_applies": float(applies.double().mean()),
        "held": bool((result.observed[applies] <= result.predicted[applies] * (1 + 1e-9)).all()),
        "tightness": _tightness(result),
        "rates_mean": "factors on ||z - z*||^2 + ||c_a - c_a*||^2 of one step, c_a in D_a's row "
        "space",
        "success_rate": float(path.success.double().mean()),
        "success_means": f"that distance (not squared) fell below {path.tolerance:g} within "
        f"{asked.options.steps} steps",
        "mu_mean": number(path.mu_mean.nanmean()),
        "leaky_floor": _floor(instances),
        **_bounds(instances, path),
        "wdc": _wdc(instances),
        "sampling": result.sampling,
        "ranks": (
            rank_sentence(ranks, instances.k, instances.d, instances.n)
            if instances.k and asked.options.method != "inversion"
            else None
        ),
        "trace": _trace(found),
        "instances": [
            {
                **{
                    name: number(getattr(result, name)[i])
                    for name in (
                        *("mu", "rho", "epsilon", "eta", "low", "high"),
                        *("predicted", "sharper", "observed", "observed_mean"),
                    )
                },
                "applies": bool(applies[i]),
                "arrived_at": int(path.arrived_at[i]),
                "why": result.why[i],
            }
            for i in range(len(result))
        ],
        "settings": instances.settings.as_dict(),
        "options": {
            "method": asked.options.method,
            "steps": asked.options.steps,
            "step": "own" if asked.options.eta is not None else asked.step,
            "networks": asked.networks,
            "samples": asked.samples,
        },
    }


# One smooth activation of each sort, and the kinked one for comparison.
ACTIVATIONS_SURVEYED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("linear", {"activation": "linear"}),
    ("softplus, beta 1", {"activation": "softplus", "parameter": 1.0}),
    ("softplus, beta 10", {"activation": "softplus", "parameter": 10.0}),
    ("sigmoid", {"activation": "sigmoid"}),
    ("tanh", {"activation": "tanh"}),
    ("GELU", {"activation": "gelu"}),
    ("SiLU", {"activation": "silu"}),
    ("leaky ReLU, slope 0.2", {"activation": "leaky_relu"}),
)
RADII = (0.01, 0.1, 1.0, None)  # how far from the solution a descent starts; None: anywhere
SURVEYED = InstanceSettings(m=100, d=5, scale="1/d", training=10)
CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("one layer", {}),
    ("two layers", {"layers": 2, "m": 200}),
    ("one layer, attack", {"attack": True}),
)


def survey(
    base: InstanceSettings = SURVEYED, steps: int = 500, networks: int = 1
) -> Iterator[dict[str, Any]]:
    """Whether Theorems 3 and 6 ever apply: CASES x activations x RADII, base's family and seeds.

    scale 1/d, where the pre-activations are of order 1 and sigma bends (with 1/m they are so small
    that every smooth sigma is nearly linear, and the theorems apply nearly everywhere).
    """
    for case, special in CASES:
        for name, chosen in ACTIVATIONS_SURVEYED:
            for radius in RADII:
                start = {"start": "near", "radius": radius} if radius else {"start": "random"}
                settings = replace(base, **{**special, "parameter": None, **chosen, **start})
                method = "alternating" if settings.attack else "inversion"
                options = DescentOptions(method=method, steps=steps)
                asked = Verification(settings, options, networks=networks)
                found = report(asked, verify(asked))
                yield {
                    "case": case,
                    "activation": name,
                    "radius": radius,
                    "instances": len(found["instances"]),
                    **{key: found[key] for key in _SURVEY_KEYS},
                    "why": found["instances"][0]["why"],
                }


_SURVEY_KEYS = (
    *("share_applies", "held", "tightness"),
    *("predicted_rate", "observed_rate", "success_rate"),
)


def _trace(found: Found) -> dict[str, list[float | None]]:
    """||z - z*||, ||c_a - c_a*|| in the row space, f, mu and the bound of the first instance."""
    path, result = found.path, found.guarantee
    bound = path.distance[0, 0] * result.predicted[0] ** (path.k / 2)  # a factor of squares
    columns = {
        "distance_z": path.distance_z[:, 0],
        "distance_c_a": path.distance_row[:, 0],
        "loss": path.loss[:, 0],
        "mu": path.mu_row[:, 0],
        "bound": torch.where(result.applies[0], bound, torch.nan),
    }
    rounded = {name: [number(v, 6) for v in column] for name, column in columns.items()}
    return {"k": path.k.tolist(), **rounded}


def _tightness(result: Guarantee) -> float | None:
    if not bool(result.applies.any()):
        return None
    # log1p of a difference: the promised factor may be within rounding of 1.
    ratios = torch.log1p(result.predicted - 1) / torch.log1p(result.observed - 1)
    return number(ratios[result.applies].median())


def _bounds(instances: Instances, path: Path) -> dict[str, Any]:
    """Assumption 13 and Lemma 14 at the iterates: [rho, epsilon], the largest of all instances."""
    constants = assumption_13(instances, path.z, path.c_a)
    report: dict[str, Any] = {
        "assumption_13": {"holds": bool(constants.holds.all()), "why": constants.why[0]}
    }
    if len(instances.network.weights) > 1 or not instances.network.activation.smooth:
        return {**report, "lemma_14": None}
    tight = [bound.amax(0) for bound in bend_bounds(instances, path.z, path.c_a)]
    bounds = {
        "corrected": lemma14(constants),
        "printed": lemma14_printed(constants),
        "with_the_bend": tight,
    }
    return {
        **report,
        "lemma_14": {name: [number(v.max()) for v in b] for name, b in bounds.items()},
    }


def _wdc(instances: Instances) -> dict[str, Any] | None:
    """Definition 12's constant of the first network's W_1 from below, where sigma' is a sign's."""
    sigma = instances.network.activation
    if sigma.smooth and sigma.bend:
        return None
    found = wdc_constant(instances.network.weights[0][0], sigma, pairs=500, rounds=30)
    return {
        "at_least": found.given.constant,
        "rescaled_at_least": found.rescaled.constant,
        "pairs": found.pairs,
    }


def _floor(instances: Instances) -> float | None:
    """2 alpha^2 sigma_min(W)^2 where there is one leaky layer, and no attack to mix with it."""
    sigma = instances.network.activation
    if len(instances.network.weights) > 1 or sigma.name not in ("leaky_relu", "linear"):
        return None
    return number(leaky_floor(instances.network.weights[0], sigma.slopes[0]).min())
