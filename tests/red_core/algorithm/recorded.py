"""Iterates of a few runs of every preset, kept as numbers.

`recorded.npz` was written at commit dfc398f, by the code that `step` replaced, so the test beside
this file says that the replacement gives the same iterates. Where a trained file or a preset that a
case uses changes, its numbers are recorded anew:

    python -m tests.red_core.algorithm.recorded

x' is a bundled image plus a training attack of its class out of D_a, so that no attack has to be
crafted, whose 100 steps another processor may take elsewhere. The images were chosen among twelve
so that their ends differ by less than 1e-6 from one set of kernels to another: of twelve inversions
one or two pass so near a kink of G's rectifiers that rounding alone moves their ends by 1e-4.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from red_core.algorithm.algorithm1 import finished, step
from red_core.algorithm.observe import observe
from red_core.algorithm.presets import files_of, presets_of
from red_core.algorithm.verdict import judge
from red_core.run.bundle import Bundle, load_bundle
from red_core.run.experiment import begin_run, readers_for
from red_core.run.provenance import asset_checksums
from red_core.run.settings import item_seed

FILE = Path(__file__).with_name("recorded.npz")
SEEN_AT = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500)  # and at the end
NUMBERS = ("loss", "gap", "gradient_norm", "block_energy")
ANSWERS = ("signal_label", "psi_label", "attack_label", "block_label")
ATOM = 3  # of the block that is added to an image


@dataclass(frozen=True)
class Case:
    """One run: a preset with some options changed, on some bundled images of a data set."""

    dataset: str
    preset: str
    images: tuple[int, ...]
    changed: dict[str, Any] = field(default_factory=dict)


CASES = {
    "mnist-best": Case("mnist", "best", (40, 50, 70)),
    "mnist-paper": Case("mnist", "paper", (40, 50, 70)),
    "mnist-paper-frozen": Case("mnist", "paper-frozen", (40, 50, 70)),
    "fashion-best": Case("fashion", "best", (3, 13, 33)),
    "fashion-paper": Case("fashion", "paper", (3, 13, 33)),
    "cifar10-best": Case("cifar10", "best", (1, 4)),
    "cifar10-paper": Case("cifar10", "paper", (2, 3), {"start_steps": 10, "steps": 10}),
    "cifar10-bsd-dp": Case("cifar10", "bsd-dp", (1, 4)),
    "cifar10-bsd-dp-paper": Case("cifar10", "bsd-dp-paper", (1, 4), {"steps": 4}),
}


def observed(bundle: Bundle, images: tuple[int, ...]) -> Tensor:
    """x' [B, C, H, W]: each image with a training attack of its class, the types in turn."""
    dictionary, attacked = bundle.dictionary, []
    for number, index in enumerate(images):
        image = bundle.examples.images[index].to(bundle.device)
        label = int(bundle.examples.labels[index])
        column = dictionary.block(label, number % len(dictionary.attacks)).start + ATOM
        delta = dictionary.atoms[:, column] * dictionary.norms[column]
        attacked.append((image + delta.view_as(image)).clamp(0, 1))
    return torch.stack(attacked)


def iterates(bundle: Bundle, case: Case) -> dict[str, np.ndarray]:
    """k [K], and NUMBERS [K, B, ...] at SEEN_AT and the end; z [B, ...]; ANSWERS [B]."""
    options = replace(presets_of(case.dataset)[case.preset], **case.changed)
    seeds = [item_seed(0, index) for index in case.images]
    problem, state = begin_run(bundle, observed(bundle, case.images), options, seeds)
    seen = [observe(problem, state, options)]
    while not finished(state, options):
        state = step(problem, state, options)
        if int(state.k[0]) in SEEN_AT or finished(state, options):
            seen.append(observe(problem, state, options))
    verdict = judge(problem, seen[-1], readers_for(bundle, case.preset))
    at_ten = next((it.z for it in seen if it.k == 10), seen[-1].z)
    found = {
        "k": torch.tensor([it.k for it in seen]),
        "z": seen[-1].z,
        "z_10": at_ten,
        **{name: torch.stack([getattr(it, name) for it in seen]) for name in NUMBERS},
        **{name: getattr(verdict, name) for name in ANSWERS},
    }
    return {name: value.cpu().numpy() for name, value in found.items()}


def files(case: Case) -> str:
    """Checksums of the trained files that a case uses, and of the bundled images, as one line."""
    known = asset_checksums(case.dataset)
    used = sorted({*files_of(case.preset), "examples.safetensors"} & set(known))
    return " ".join(f"{name}:{known[name]}" for name in used)


def main() -> None:
    """Record every case with the present code and files."""
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    stored: dict[str, np.ndarray] = {}
    bundles: dict[str, Bundle] = {}
    for name, case in CASES.items():
        if case.dataset not in bundles:
            bundles[case.dataset] = load_bundle(case.dataset)
        found = iterates(bundles[case.dataset], case)
        stored |= {f"{name}/{key}": value for key, value in found.items()}
        stored[f"{name}/files"] = np.array(files(case))
        print(name, flush=True)
    np.savez_compressed(FILE, **stored)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
