"""Theorems 3 and 6 near planted solutions of the trained generators: the rows that are kept."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from torch import nn

from red_core.algorithm.presets import GENERATORS
from red_core.data.datasets import TWO_GENERATORS
from red_core.run.bundle import load_bundle
from red_core.run.experiment import realizable
from red_core.run.provenance import asset_checksums
from red_core.run.settings import RunSettings
from red_core.theory.error_bound import rank_sentence, row_space
from red_core.theory.planted import Planted, TrainedNetwork, near_planted, planted_moving

ATTACK = "linf"  # of the planted c_a*
RADII = (1e-4, 1e-2, 1.0, 3.0)  # of the start's distance; ||z*|| is about 10
SOLUTIONS = 3  # a generator
STEPS = 30  # of a descent
Row = dict[str, Any]


def generators() -> list[tuple[str, str]]:
    """The data sets with their trained generators whose G(z) is a function of one plain z."""
    return [(dataset, generator) for dataset in TWO_GENERATORS for generator in GENERATORS]


def files() -> dict[str, str]:
    """The checksums of what the rows hang on."""
    names = {*GENERATORS.values(), "dictionary.safetensors", "classifier.safetensors"}
    return {
        f"{dataset}/{name}": known
        for dataset in TWO_GENERATORS
        for name, known in asset_checksums(dataset).items()
        if name in names
    }


def rows(solutions: int = SOLUTIONS, steps: int = STEPS) -> Iterator[Row]:
    """One row a generator, theorem and radius: constants over all descents, counts of them."""
    for dataset, generator in generators():
        yield from rows_of(dataset, generator, solutions, steps)


def rows_of(dataset: str, generator: str, solutions: int, steps: int) -> Iterator[Row]:
    """The rows of one generator."""
    bundle = load_bundle(dataset, "cpu", generator)
    network = in_float64(bundle.generator)
    latent = bundle.generator.latent
    dictionary = bundle.dictionary
    made = TrainedNetwork(network, latent)
    ranks = rank_sentence(
        row_space(dictionary).shape[1], dictionary.size, latent, dictionary.atoms.shape[0]
    )
    for theorem in ("Theorem 3", "Theorem 6"):
        found: dict[float, list[Planted]] = {radius: [] for radius in RADII}
        for seed in range(solutions):
            settings = RunSettings(
                dataset=dataset, source="realizable", attack=ATTACK, seed=seed, preset="paper",
                generator=generator,
            )  # fmt: skip
            example = realizable(bundle, settings)
            assert example.truth is not None
            assert example.labels is not None
            z_star, c_star = (value[0].double() for value in example.truth)
            block, part = None, None
            if theorem == "Theorem 6":
                columns = dictionary.block(int(example.labels[0]), dictionary.attacks.index(ATTACK))
                block, part = dictionary.atoms[:, columns].double(), c_star[columns]
            moving = planted_moving(made, z_star, block, part)
            for radius in RADII:
                found[radius].append(near_planted(moving, radius, steps, seed))
        for radius, some in found.items():
            yield _row(dataset, generator, theorem, radius, some) | {"ranks": ranks}


def in_float64(generator: nn.Module) -> nn.Module:
    """A copy whose derivatives are taken in float64, without operations in place."""
    same = copy.deepcopy(generator).double().eval()
    for module in same.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    return same


def _row(dataset: str, generator: str, theorem: str, radius: float, some: list[Planted]) -> Row:
    worst = max(some, key=lambda each: each.needed / max(each.mu**2, 1e-300))
    return {
        "dataset": dataset,
        "generator": generator,
        "theorem": theorem,
        "radius": radius,
        "descents": len(some),
        "mu": min(each.mu for each in some),
        "mu_limit": min(each.mu_limit for each in some),
        "rho": max(each.rho for each in some),
        "epsilon": max(each.epsilon for each in some),
        "mu_squared_over_needed": None if worst.needed == 0 else worst.mu**2 / worst.needed,
        "inside": sum(each.inside for each in some),
        "applies": sum(each.applies for each in some),
        "held": all(each.observed <= each.promised + 1e-9 for each in some if each.inside),
        "promised": max(each.promised for each in some),
        "observed": max(each.observed for each in some),
        "rectifiers_changed": max(each.changed for each in some),
    }
