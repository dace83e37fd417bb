"""Attacked training images beyond D_a's: what the reader and the denoiser learn from.

10,000 training images under each of the three attacks on psi, in few and longer steps (the full
attacks of B.2 would take hours on a CPU). Only the perturbations are kept, in the work folder.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from tqdm import tqdm

from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS, AttackSettings, craft
from red_core.data.assets import read_manifest, read_tensors
from red_core.data.datasets import load_official
from red_core.recipes.cifar10.dictionary import Lowered
from red_core.recipes.cifar10.training import chunks
from red_core.recipes.common import RecipeContext, load_checkpoint, save_checkpoint
from red_core.run.cifar10_parts import load_psi
from red_core.run.settings import item_seed

COUNTS = {"tiny": 8, "cpu": 10_000, "gpu": 20_000}
STEPS = 10
OVERSHOOT = 2.5  # of eps: all steps together, in one direction
BATCH = 250


@dataclass(frozen=True)
class Pool:
    """clean: [N, 3, 32, 32] in [0, 1]; deltas: [attacks, N, 3, 32, 32] in half precision.

    labels: [N]; fooled: the share of each attack's images that psi, in float32, reads wrongly.
    """

    clean: Tensor
    deltas: Tensor
    labels: Tensor
    fooled: dict[str, float]

    def drawn(self, count: int, weakest: float = 0.0, strongest: float = 1.5) -> Drawn:
        """Images under an attack of any strength, from torch's global generator.

        The strength is a factor on the perturbation, uniform from `weakest` to `strongest`.
        """
        index = torch.randint(len(self.labels), (count,))
        kind = torch.randint(len(self.deltas), (count,))
        strength = weakest + (strongest - weakest) * torch.rand(count, 1, 1, 1)
        clean = self.clean[index]
        attacked = (clean + strength * self.deltas[kind, index].float()).clamp(0, 1)
        return Drawn(clean, attacked, self.labels[index])


@dataclass(frozen=True)
class Drawn:
    """A batch of the pool: clean and attacked images [B, 3, 32, 32], labels [B]."""

    clean: Tensor
    attacked: Tensor
    labels: Tensor


def quick(kind: str) -> AttackSettings:
    """The paper's attack in STEPS steps of OVERSHOOT * eps together."""
    settings = PAPER_ATTACKS["cifar10"][kind]
    return replace(settings, step_size=OVERSHOOT * settings.eps / STEPS, steps=STEPS)


def pool_images(context: RecipeContext) -> tuple[Tensor, Tensor]:
    """Images and labels of the pool: training images, drawn by the seed, none of D_a's own."""
    train = load_official("cifar10", "train")
    free = torch.ones(len(train), dtype=torch.bool)
    free[read_tensors("cifar10", "dictionary.safetensors")["indices"].long().flatten()] = False
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(context.seed + 17))
    chosen = order[free[order]][: COUNTS[context.scale]]
    return train.images[chosen], train.labels[chosen]


def attacked_pool(context: RecipeContext) -> Pool:
    """The pool; made once, resumable, and anew for another psi or where D_a has other images."""
    images, labels = pool_images(context)
    path = context.checkpoint("pool")
    manifest = read_manifest("cifar10")
    of = [manifest[name]["sha256"] for name in ("classifier.safetensors", "dictionary.safetensors")]
    state = load_checkpoint(path)
    if state is None or state["of"] != of:
        state = {"of": of, "deltas": {}, "fooled": {}}
    plain = load_psi(context.device)
    psi = Lowered(plain, context.device)
    jobs = [(kind, part) for part in chunks(len(labels), BATCH) for kind in ATTACKS]
    for number, (kind, part) in enumerate(tqdm(jobs, desc="attacked pool", mininterval=5)):
        key = f"{kind}/{part.start}"
        if key in state["deltas"]:
            continue
        clean, truth = images[part].to(context.device), labels[part].to(context.device)
        seeds = [item_seed(context.seed, i) for i in range(part.start, part.stop)]
        made = craft(psi, clean, truth, quick(kind), seeds)
        state["deltas"][key] = (made - clean).half().cpu()
        with torch.no_grad():
            state["fooled"][key] = int((plain(made).argmax(1) != truth).sum())
        if number % 10 == 9 or number == len(jobs) - 1:
            save_checkpoint(path, **state)
    deltas = torch.stack(
        [
            torch.cat([state["deltas"][f"{kind}/{p.start}"] for p in chunks(len(labels), BATCH)])
            for kind in ATTACKS
        ]
    )
    fooled = {
        kind: sum(n for key, n in state["fooled"].items() if key.startswith(f"{kind}/"))
        / len(labels)
        for kind in ATTACKS
    }
    return Pool(images, deltas, labels, fooled)
