"""Runs of `best` on pictures that the generator drew, with perturbations of D_a added to them.

The app offers such pictures where the photographs have not been downloaded. They are smoother, and
G meets them more closely: evidence learned from photographs alone would find each of them
unlike its answers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from red_core.attacks.pgd import ATTACKS
from red_core.recipes.cifar10.attacked import StoredAttacks, stored_attacks, without
from red_core.recipes.cifar10.examples import drawn_pictures
from red_core.recipes.cifar10.runs import Running, made_by
from red_core.recipes.common import RecipeContext, load_checkpoint, save_checkpoint

COUNTS = {"tiny": 4, "cpu": 60, "gpu": 600}  # pictures for every answer
FROM = 2_000_000  # seed of the first picture: neither the app's nor the type classifier's


def perturbed(stored: StoredAttacks, context: RecipeContext, attack: int) -> Tensor:
    """x' [N, 3, 32, 32] in [0, 1] of one answer; attack: index into ATTACKS, or their number.

    The perturbations are those that the type classifier never saw, half of them at full strength.
    """
    count = COUNTS[context.scale]
    first = FROM + attack * count
    pictures = drawn_pictures(context.device, range(first, first + count))
    if attack == len(ATTACKS):
        return pictures
    draw = torch.Generator().manual_seed(context.seed + attack)
    label = torch.randint(len(stored.labels), (count,), generator=draw)
    column = torch.randint(stored.learning, stored.columns, (count,), generator=draw)
    factor = 0.4 + 1.2 * torch.rand(count, generator=draw)
    factor = torch.where(torch.arange(count) % 2 == 0, 1.0, factor)
    delta = stored.deltas[label, attack, column].float().view_as(pictures)
    return (pictures + factor.view(-1, 1, 1, 1) * delta).clamp(0, 1)


def drawn_runs(context: RecipeContext) -> tuple[Tensor, Tensor, Tensor]:
    """Features [N, F] without the type classifier, answers [N] and x' [N, 3, 32, 32].

    Resumable; made anew where a network or the numbers of `best` are no longer those that made
    them.
    """
    stored, path, of = stored_attacks(), context.checkpoint("drawn_runs"), made_by()
    state: dict[str, Any] = load_checkpoint(path) or {"of": None}
    if state["of"] != of:
        state = {"of": of, "features": {}}
    answers, run = range(len(ATTACKS) + 1), None
    observed = [perturbed(stored, context, attack) for attack in answers]
    for attack in tqdm(answers, desc="runs on drawn pictures"):
        if str(attack) not in state["features"]:
            run = run or Running(context)
            apart = without(run.dictionary, slice(stored.learning, stored.columns))
            state["features"][str(attack)] = run(observed[attack], apart)["features"]
            save_checkpoint(path, **state)
    features = torch.cat([state["features"][str(attack)] for attack in answers])
    kinds = torch.arange(len(answers)).repeat_interleave(COUNTS[context.scale])
    return features, kinds, torch.cat(observed)
