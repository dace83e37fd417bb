"""Which bundled examples an attack of the paper's strength fools psi on: what the gallery marks."""

from __future__ import annotations

import torch

from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS, check_attacks, craft
from red_core.data.assets import read_manifest, write_tensors
from red_core.recipes.common import RecipeContext
from red_core.recipes.dictionary import load_classifier
from red_core.run.bundle import load_examples
from red_core.run.settings import item_seed

NAME = "example-attacks.safetensors"
PARTS = ("classifier.safetensors", "examples.safetensors")


def measure_example_attacks(context: RecipeContext) -> None:
    """Attack every bundled example as the page does (seed 0), and write which are misread.

    `fooled`: bool as uint8 [N, 3], in the order of ATTACKS. About five minutes of one core.
    """
    examples = load_examples(context.dataset)
    count = 8 if context.tiny else len(examples)
    psi = load_classifier(context)
    images, labels = examples.images[:count].to(context.device), examples.labels[:count]
    seeds = [item_seed(context.seed, index) for index in range(count)]
    fooled, shares = [], {}
    for kind in ATTACKS:
        given = (images, labels.to(context.device), PAPER_ATTACKS[context.dataset][kind], seeds)
        check = check_attacks(psi, images, craft(psi, *given), *given[1:])
        fooled.append(check.fooled)
        shares[kind] = check.shares()
    write_tensors(
        context.dataset,
        NAME,
        {"fooled": torch.stack(fooled, dim=1).to(torch.uint8)},
        command=context.command("example_attacks"),
        seed=context.seed,
        device=context.device,
        attacks=list(ATTACKS),
        parts={name: read_manifest(context.dataset)[name]["sha256"] for name in PARTS},
        measured=shares,
        licence="MIT",
    )
