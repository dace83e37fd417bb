"""Held-out training images under the paper's full attacks, and the runs on them: what judges.

No network of `best` learns from them; the reader's temperature is fitted on their runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS, craft
from red_core.data.assets import read_manifest
from red_core.data.datasets import load_official
from red_core.recipes.cifar10.dictionary import Lowered
from red_core.recipes.cifar10.runs import Running, Runs, made_by
from red_core.recipes.cifar10.training import chunks
from red_core.recipes.common import RecipeContext, load_checkpoint, save_checkpoint
from red_core.run.cifar10_parts import load_psi
from red_core.run.settings import item_seed

COUNTS = {"tiny": 2, "cpu": 200, "gpu": 500}
BATCH = 50


@dataclass(frozen=True)
class HeldOut:
    """The first images of the held-out split under every attack, and clean.

    observed: x' [N, 3, 32, 32]; runs: N runs on them.
    """

    observed: Tensor
    runs: Runs


def held_out_runs(context: RecipeContext) -> HeldOut:
    """Attack, run and keep in the work folder; resumable.

    Made anew where a network or the numbers of `best` are no longer those that made them.
    """
    path = context.checkpoint("held_out")
    state: dict[str, Any] = load_checkpoint(path) or {"psi": None}
    psi = read_manifest("cifar10")["classifier.safetensors"]["sha256"]
    if state["psi"] != psi:
        state = {"psi": psi, "attacked": {}, "of": None, "batches": {}}
    of = made_by()
    if state["of"] != of:
        state |= {"of": of, "batches": {}}
    data, count = load_official("cifar10", "held_out"), COUNTS[context.scale]
    answers = (*ATTACKS, "none")
    jobs = [(attack, part) for attack in range(len(answers)) for part in chunks(count, BATCH)]
    run: Running | None = None
    for attack, part in tqdm(jobs, desc="held-out images"):
        key = f"{answers[attack]}/{part.start}"
        if key not in state["attacked"]:
            state["attacked"][key] = _attacked(context, part, attack)
            save_checkpoint(path, **state)
        if key not in state["batches"]:
            run = run or Running(context)
            labels = data.labels[part]
            state["batches"][key] = {
                **run(state["attacked"][key], run.dictionary),
                "labels": labels,
                "attack": torch.full_like(labels, attack),
                "strength": torch.ones(len(labels)),
                "apart": torch.ones_like(labels, dtype=torch.bool),
            }
            save_checkpoint(path, **state)
    keys = [f"{answers[attack]}/{part.start}" for attack, part in jobs]
    return HeldOut(
        torch.cat([state["attacked"][key] for key in keys]),
        Runs.joined([state["batches"][key] for key in keys]),
    )


def _attacked(context: RecipeContext, part: slice, attack: int) -> Tensor:
    """x' [B, 3, 32, 32] of held-out images; attack: index into ATTACKS, or their number: clean."""
    data = load_official("cifar10", "held_out")
    images, labels = data.images[part], data.labels[part]
    if attack == len(ATTACKS):
        return images
    psi = Lowered(load_psi(context.device), context.device)
    seeds = [item_seed(context.seed, item) for item in range(part.start, part.stop)]
    settings = PAPER_ATTACKS["cifar10"][ATTACKS[attack]]
    made = craft(psi, images.to(context.device), labels.to(context.device), settings, seeds)
    return made.cpu()
