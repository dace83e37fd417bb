"""Make D_a: attacks of every type on 200 training images per class (Section 5.2, B.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from red_core.algorithm.problem import AttackDictionary
from red_core.attacks.pgd import (
    ATTACKS,
    PAPER_ATTACKS,
    AttackCheck,
    AttackSettings,
    check_attacks,
    craft,
)
from red_core.data.assets import read_manifest, read_tensors, write_tensors
from red_core.data.datasets import ImageSet, load_official
from red_core.models.classifiers import Table3CNN
from red_core.recipes.common import RecipeContext, load_checkpoint, save_checkpoint
from red_core.run.settings import item_seed

PER_CLASS = 200
STILL_MOST = 0.02  # of a block's attacks may be their own random start


def first_of_each_class(labels: Tensor, count: int, skip: int = 0) -> Tensor:
    """Indices [classes, count] of images `skip` to `skip + count` of every class, in order."""
    classes = int(labels.max()) + 1
    return torch.stack([(labels == c).nonzero()[skip : skip + count, 0] for c in range(classes)])


def load_classifier(context: RecipeContext) -> Table3CNN:
    """The trained psi, frozen, on the recipe's device."""
    psi = Table3CNN()
    psi.load_state_dict(read_tensors(context.dataset, "classifier.safetensors"))
    return psi.to(context.device).eval().requires_grad_(False)


class StillAttacksError(ValueError):
    """A block whose attacks did not move from their random start; one sentence for the user.

    Its columns would be noise, which every image has a little of.
    """


def refuse_still(check: AttackCheck, kind: str, which: str) -> None:
    """StillAttacksError where more than STILL_MOST of attacks did not move; which: "class 3"."""
    still = check.shares()["still"]
    if still > STILL_MOST:
        raise StillAttacksError(
            f"{still:.0%} of the {kind} attacks on {which} did not move from their random start, "
            "so the dictionary would hold noise: the classifier's logits have no gradient there"
        )


def attack_blocks(
    psi: nn.Module,
    train: ImageSet,
    chosen: Tensor,
    attacks: Mapping[str, AttackSettings],
    seed: int,
    path: Path,
    *,
    made_of: str = "",
) -> tuple[Tensor, dict[str, dict[str, float]]]:
    """The perturbations of D_a, fp16 [classes, attacks, m, n], block by block with a progress bar.

    chosen: indices [classes, m] into `train`; path: the checkpoint, from which a stopped run goes
    on where `made_of` (of the classifier and the settings) is the same. Beside them, by attack, the
    shares of `AttackCheck` over all classes. Raises StillAttacksError for a block of which more
    than STILL_MOST did not move.
    """
    state = load_checkpoint(path) or {}
    if state.get("made_of", "") != made_of or "done" not in state:
        state = {"made_of": made_of, "done": {}}
    device = next((p.device for p in psi.parameters()), torch.device("cpu"))
    jobs = [(kind, c) for kind in attacks for c in range(len(chosen))]
    for kind, c in tqdm(jobs, desc="dictionary", unit="block"):
        key = f"{kind}/{c}"
        if key in state["done"]:
            continue
        images = train.images[chosen[c]].to(device)
        seeds = [item_seed(seed, int(index)) for index in chosen[c]]
        labels = train.labels[chosen[c]].to(device)
        attacked = craft(psi, images, labels, attacks[kind], seeds)
        check = check_attacks(psi, images, attacked, labels, attacks[kind], seeds)
        refuse_still(check, kind, f"class {c}")
        state["done"][key] = {
            "deltas": (attacked - images).flatten(1).half().cpu(),
            "check": check.shares(),
        }
        save_checkpoint(path, **state)
    done = state["done"]
    blocks = [
        torch.stack([done[f"{kind}/{c}"]["deltas"] for kind in attacks]) for c in range(len(chosen))
    ]
    checks = {
        kind: over_classes([done[f"{kind}/{c}"]["check"] for c in range(len(chosen))])
        for kind in attacks
    }
    return torch.stack(blocks), checks


def over_classes(shares: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """`AttackCheck.shares` of blocks of equal size, joined: means, and the largest `largest`."""
    return {
        name: round(
            max(each[name] for each in shares)
            if name.startswith("largest")
            else sum(each[name] for each in shares) / len(shares),
            4,
        )
        for name in shares[0]
    }


def spectral_norms(deltas: Tensor, attacks: Sequence[str]) -> dict[str, Any]:
    """||D_a||^2 and, by attack, the ||D_a,(ij)||^2 of every class's block, columns of unit length.

    A block of noise shows here at once: its columns share no direction. deltas: [classes, attacks,
    m, n].
    """
    dictionary = AttackDictionary.from_attacks(deltas.float(), tuple(attacks))
    atoms = dictionary.atoms.unflatten(1, deltas.shape[:3]).permute(1, 2, 0, 3)
    blocks = torch.linalg.matrix_norm(atoms, ord=2).square()
    return {
        "operator_norm_squared": round(dictionary.operator_norm_squared, 3),
        "block_norms_squared": {
            kind: [round(float(value), 3) for value in blocks[:, a]]
            for a, kind in enumerate(attacks)
        },
    }


def mean_norms(deltas: Tensor, attacks: Sequence[str]) -> dict[str, float]:
    """The mean l2 norm of each attack's perturbations [classes, attacks, m, n]."""
    return {
        kind: round(float(deltas[:, a].float().norm(dim=-1).mean()), 4)
        for a, kind in enumerate(attacks)
    }


def make_dictionary(context: RecipeContext) -> None:
    """Attack the training images and write `dictionary.safetensors` (fp16 perturbations).

    Whether an attack succeeds does not matter for its place in D_a, as in the paper. The unit
    columns of D_a are made when the file is read, so that fp16 costs no normalisation.
    """
    train = load_official(context.dataset, "train")
    per_class = 4 if context.tiny else PER_CLASS
    chosen = first_of_each_class(train.labels, per_class)
    attacks = PAPER_ATTACKS[context.dataset]
    deltas, checks = attack_blocks(
        load_classifier(context),
        train,
        chosen,
        {kind: attacks[kind] for kind in ATTACKS},
        context.seed,
        context.checkpoint("dictionary"),
        made_of=read_manifest(context.dataset)["classifier.safetensors"]["sha256"],
    )
    write_tensors(
        context.dataset,
        "dictionary.safetensors",
        {"deltas": deltas, "indices": chosen.int()},
        command=context.command("dictionary"),
        seed=context.seed,
        device=context.device,
        attacks=list(ATTACKS),
        measured={
            "mean_l2_norm": mean_norms(deltas, ATTACKS),
            "attacks": checks,
            **spectral_norms(deltas, ATTACKS),
        },
        licence="MIT",
    )
