"""The numbers behind Figures 1 to 3 and Examples 15 to 17, on realizable GANs.

The paper leaves open the slope of its leaky ReLU, the scale of W, the step size and how long a
path is averaged, and mu depends on each: expect its trends here, not its absolute values. What we
chose is in each study's settings; mu is averaged until an instance arrives (`Path.mu_mean`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from red_core.landscape import Bounds, Flow, Inversion, stationary_points
from red_core.synthetic import InstanceError, InstanceSettings, make_instances
from red_core.theory.descent import DescentOptions, Path, descend, step_sizes

Row = dict[str, Any]
STUDY_STEPS = ("local", "safe")


@dataclass(frozen=True)
class Study:
    """One experiment on one family.

    settings: of the instances; options: of the descent; step: "safe" or "local" of
    `descent.step_sizes`; networks: W drawn from as many seeds, settings.examples instances each;
    sizes: output dimensions m of an axis, () for settings.m alone; every: how often a step is
    recorded; paper_mu: what the paper states, where it does.
    """

    settings: InstanceSettings
    options: DescentOptions
    step: str = "local"
    networks: int = 5
    sizes: tuple[int, ...] = ()
    every: int = 1
    paper_mu: float | None = None


_ALTERNATING = DescentOptions(method="alternating", steps=40_000)
_INVERSION = DescentOptions(method="inversion", steps=20_000)

FIGURE_1 = Study(
    InstanceSettings(attack=True, examples=10),
    _ALTERNATING,
    sizes=(50, 75, 100, 150, 200, 300, 400),
    every=10,
)
FIGURE_2 = Study(InstanceSettings(family="two_rows", examples=1), DescentOptions(), networks=1)
FIGURE_3 = Study(
    InstanceSettings(family="three_layer", attack=True, training=10, examples=50),
    _ALTERNATING,
    networks=1,
    sizes=(400, 500, 600, 800, 1000),
    every=10,
)


def _example(
    paper_mu: float,
    family: str,
    examples: int,
    options: DescentOptions = _INVERSION,
    **changed: Any,
) -> Study:
    settings = InstanceSettings(family=family, examples=examples, **changed)
    # Paths of a hundred steps: of every tenth alone the steep start would count for too much.
    return Study(settings, options, networks=1, paper_mu=paper_mu)


EXAMPLES: dict[str, Study] = {
    "section_5_1": _example(
        0.013, "two_rows", 10, _ALTERNATING, attack=True, training=6, scale="1/m"
    ),
    "example_15": _example(2.17, "example15", 10),
    "example_16": _example(1.07, "hadamard", 50),
    "example_16_noisy": _example(2.61, "hadamard_noisy", 50),
    # A Vandermonde W is badly conditioned: its slowest descent takes 36,528 steps.
    "example_17": _example(0.64, "vandermonde", 50, replace(_INVERSION, steps=40_000)),
}


def path_of(study: Study, own: Tensor | None = None) -> Path:
    """The descents of one study at settings.m, all instances at once."""
    instances = make_instances(study.settings, study.networks, own)
    eta = None
    if study.options.eta is None:
        eta = step_sizes(instances, study.options.method == "inversion")[study.step]
    return descend(instances, study.options, eta, study.every)


def summary(path: Path) -> Row:
    """mu_mean, mu_std over instances, mu_min along all paths, success_rate, median steps."""
    under_way = torch.where(path.under_way, path.mu_row, torch.inf).nan_to_num(torch.inf)
    return summarised(path.mu_mean, under_way.amin(0), path.arrived_at)


def summarised(mu_mean: Tensor, mu_min: Tensor, arrived_at: Tensor) -> Row:
    """`summary` from what each instance had, [I]: arrived_at is -1 for one that did not."""
    arrived = arrived_at[arrived_at >= 0].double()
    return {
        "mu_mean": float(mu_mean.mean()),
        "mu_std": float(mu_mean.std()) if len(mu_mean) > 1 else 0.0,
        "mu_min": float(mu_min.min()),
        "success_rate": len(arrived) / len(arrived_at),
        "median_steps": float(arrived.median()) if len(arrived) else None,
        "instances": len(mu_mean),
    }


def _facts(study: Study) -> Row:
    """What mu depends on and the paper leaves open, and what success means."""
    settings, options = study.settings, study.options
    step = f"eta {options.eta:g}" if options.eta is not None else f'the "{study.step}" step'
    return {
        "activation": settings.activation,
        "parameter": settings.parameter,
        "scale": f"W times the root of {settings.scale}",
        "success_means": f"||(z - z*, c_a - c_a*)|| < {options.tolerance:g}, c_a in the row space "
        f"of D_a, within {options.steps} steps with {step}",
    }


def expansiveness(study: Study) -> Iterator[Row]:
    """mu against the output dimension, row by row: {m, mu_mean, mu_std, success_rate, ...}."""
    for m in study.sizes:
        sized = replace(study, settings=replace(study.settings, m=m))
        yield {"m": m, **summary(path_of(sized)), **_facts(sized)}


def landscape(study: Study = FIGURE_2, side: int = 25) -> Row:
    """Figure 2 in numbers, for d = 2 and the first instance: where a grid of starts ends up.

    z_star; starts, solved (share that arrived at z*), basins (in words); stationary: points with
    kind, f and words; complete: whether those are known to be all; x, y, f: the surface, f[j][i]
    at (x[i], y[j]). side: starts and heights a side of a square around z* and the origin.
    """
    inversion = Inversion.of(make_instances(study.settings, 1))
    if inversion.d != 2:
        raise InstanceError(f"a landscape over the latent space needs d = 2, not {inversion.d}")
    stationary = stationary_points(inversion)
    reach = 2 * float(inversion.z_star.norm())
    bounds = Bounds(-reach, reach, -reach, reach)
    flow = Flow(inversion, bounds.points(side), stationary, steps=study.options.steps)
    while not flow.done:
        flow.advance()
    basins, (x, y) = flow.view(), bounds.grid(side)
    return {
        "z_star": inversion.z_star.tolist(),
        "starts": len(basins.labels),
        "solved": basins.solved,
        "basins": basins.words,
        "stationary": [
            {"z": p.z.tolist(), "f": p.value, "kind": p.kind, "words": p.words}
            for p in stationary.points
        ],
        "complete": stationary.complete,
        "x": x.tolist(),
        "y": y.tolist(),
        "f": inversion.value(bounds.points(side)).view(side, side).tolist(),
        **_facts(study),
    }


def examples(chosen: dict[str, Study] = EXAMPLES) -> Iterator[tuple[str, Row]]:
    """Section 5.1 and Examples 15 to 17: name and {mu_mean, success_rate, paper_mu, ...}."""
    for name, study in chosen.items():
        yield name, {**summary(path_of(study)), "paper_mu": study.paper_mu, **_facts(study)}
