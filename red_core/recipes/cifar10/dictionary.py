"""Make D_a of CIFAR-10: attacks of every kind on 200 training images per class (Section 5.2, B.2).

The work goes round by round: a few images of every class under every attack, then the next few.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from red_core.algorithm.problem import AttackDictionary
from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS, check_attacks, craft
from red_core.data.assets import read_manifest, write_tensors
from red_core.data.attack_file import packed
from red_core.data.datasets import ImageSet, load_official
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.cifar10.training import lowered
from red_core.recipes.common import RecipeContext, load_checkpoint, save_checkpoint
from red_core.recipes.dictionary import first_of_each_class, refuse_still
from red_core.run.cifar10_parts import load_psi
from red_core.run.settings import item_seed

NAME = "dictionary.safetensors"
SMALLEST = 1e-5  # singular values below this share of the largest count as zero


@dataclass(frozen=True)
class Size:
    """One scale of the recipe: images of each class, and how many of them are attacked at once."""

    per_class: int
    together: int


SIZES = {"tiny": Size(2, 1), "cpu": Size(200, 5), "gpu": Size(200, 100)}


class Lowered(nn.Module):
    """psi in bf16 where that is faster, for the attack's gradients.

    On a CPU that halves the time. Attacks come out as strong, and nearer to those of float32 (mean
    cosine 0.78 under l-inf and l1, from the same random start) than two random starts are to each
    other (0.40 and 0.65); 20 training images.
    """

    def __init__(self, psi: WideResNet, device: str) -> None:
        super().__init__()
        self.psi, self.device = psi, device

    def forward(self, images: Tensor) -> Tensor:
        """Logits [B, 10] in float32."""
        with lowered(self.device):
            logits: Tensor = self.psi(images)
        return logits.float()


class Crafting:
    """The attacks of one round, and what psi says of them."""

    def __init__(self, psi: WideResNet, data: ImageSet, chosen: Tensor, context: RecipeContext):
        self.psi, self.data, self.chosen, self.context = psi, data, chosen, context

    def __call__(self, kind: str, columns: slice) -> dict[str, Any]:
        """Attack images `columns` of every class; plain values and tensors for the checkpoint.

        deltas: [classes, images, n] in fp16; right: how many psi answers rightly before; fooled:
        how many of these it answers wrongly once the perturbation as it is stored is added.
        Raises StillAttacksError where more than STILL_MOST of the attacks did not move.
        """
        device, index = self.context.device, self.chosen[:, columns]
        flat = index.flatten()
        images, labels = self.data.images[flat].to(device), self.data.labels[flat].to(device)
        seeds = [item_seed(self.context.seed, int(item)) for item in flat]
        settings = PAPER_ATTACKS["cifar10"][kind]
        attacked = craft(Lowered(self.psi, device), images, labels, settings, seeds)
        check = check_attacks(self.psi, images, attacked, labels, settings, seeds)
        refuse_still(check, kind, f"images {columns.start} to {columns.stop} of every class")
        deltas = (attacked - images).half()
        right = self.psi(images).argmax(1) == labels
        wrong = self.psi(images + deltas.float()).argmax(1) != labels
        return {
            "deltas": deltas.flatten(1).unflatten(0, tuple(index.shape)).cpu(),
            "right": int(right.sum()),
            "fooled": int((right & wrong).sum()),
        }


def rounds(size: Size) -> Iterator[tuple[str, slice]]:
    """The jobs in order: (attack, which images of every class)."""
    for first in range(0, size.per_class, size.together):
        for kind in ATTACKS:
            yield kind, slice(first, min(first + size.together, size.per_class))


def make_dictionary(context: RecipeContext) -> None:
    """Attack the training images and write `dictionary.safetensors`.

    Whether an attack succeeds does not matter for its place in D_a, as in the paper. A stopped
    run goes on after the last job that was done, unless psi has been trained anew since.
    """
    size, train = SIZES[context.scale], load_official("cifar10", "train")
    chosen = first_of_each_class(train.labels, size.per_class)
    craft_some = Crafting(load_psi(context.device), train, chosen, context)
    path = context.checkpoint("dictionary")
    fresh = {
        "psi": read_manifest("cifar10")["classifier.safetensors"]["sha256"],
        "done": {},
        "seconds": 0.0,
    }
    state = load_checkpoint(path) or fresh
    if state["psi"] != fresh["psi"]:
        state = fresh
    jobs = list(rounds(size))
    for kind, columns in tqdm(jobs, desc="dictionary", mininterval=5):
        key = f"{kind}/{columns.start}"
        if key not in state["done"]:
            begun = time.monotonic()
            state["done"][key] = craft_some(kind, columns)
            state["seconds"] += time.monotonic() - begun
            save_checkpoint(path, **state)
    done: dict[str, list[Mapping[str, Any]]] = {
        kind: [state["done"][f"{kind}/{columns.start}"] for each, columns in jobs if each == kind]
        for kind in ATTACKS
    }
    deltas = torch.stack([torch.cat([job["deltas"] for job in done[k]], 1) for k in ATTACKS], 1)
    write_tensors(
        "cifar10",
        NAME,
        {**packed(deltas, ATTACKS), "indices": chosen.int()},
        command=context.command("dictionary"),
        scale=context.scale,
        seed=context.seed,
        device=context.device,
        hours=round(state["seconds"] / 3600, 3),
        psi=state["psi"],
        attacks=list(ATTACKS),
        measured={"images_per_class": size.per_class, **_spectrum(deltas), **_attacks(done)},
        licence="MIT",
    )


def _attacks(done: Mapping[str, list[Mapping[str, Any]]]) -> dict[str, Any]:
    """Mean l2 norm and rate of success of every attack."""
    norms, success = {}, {}
    for kind, jobs in done.items():
        every = torch.cat([job["deltas"].flatten(0, 1) for job in jobs]).float()
        norms[kind] = round(float(every.norm(dim=1).mean()), 4)
        right = sum(job["right"] for job in jobs)
        success[kind] = sum(job["fooled"] for job in jobs) / right if right else None
    return {"mean_l2_norm": norms, "success_rate": success}


def _spectrum(deltas: Tensor) -> dict[str, float | int]:
    """||D_a||^2 and the rank of the normalised columns."""
    atoms = AttackDictionary.from_attacks(deltas.float(), ATTACKS).atoms.double()
    small = atoms @ atoms.T if len(atoms) < atoms.shape[1] else atoms.T @ atoms
    values = torch.linalg.eigvalsh(small)
    rank = int((values > SMALLEST**2 * values[-1]).sum())
    return {"operator_norm_squared": round(float(values[-1]), 6), "rank": rank}
