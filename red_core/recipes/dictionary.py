"""Make D_a: attacks of every type on 200 training images per class (Section 5.2, B.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS, AttackSettings, craft, random_start
from red_core.data.assets import read_tensors, write_tensors
from red_core.data.datasets import ImageSet, load_official
from red_core.models.classifiers import Table3CNN
from red_core.recipes.common import RecipeContext, load_checkpoint, save_checkpoint
from red_core.run.settings import item_seed

PER_CLASS = 200
STILL_COSINE = 0.99  # with its random start: an attack that did not move


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
    """A block whose attacks did not move from their random start; one sentence for the user."""


def stays(
    attacked: Tensor, images: Tensor, settings: AttackSettings, seeds: Sequence[int]
) -> Tensor:
    """Which attacks x' [B, C, H, W] are their own random start (cosine above 0.99), bool [B].

    Such a "perturbation" is noise. It comes of a network so sure of itself that the gradient of its
    cross-entropy underflows.
    """
    start = random_start(images, settings, seeds).flatten(1)
    alike = nn.functional.cosine_similarity((attacked - images).flatten(1), start)
    return alike > STILL_COSINE


def attack_blocks(
    psi: nn.Module,
    train: ImageSet,
    chosen: Tensor,
    attacks: Mapping[str, AttackSettings],
    seed: int,
    path: Path,
    *,
    made_of: str = "",
    most_still: float = 1.0,
) -> Tensor:
    """The perturbations of D_a, fp16 [classes, attacks, m, n], block by block with a progress bar.

    chosen: indices [classes, m] into `train`; path: the checkpoint, from which a stopped run goes
    on where `made_of` (of the classifier and the settings) is the same; most_still: the share of a
    block's attacks that may be their own random start. Raises StillAttacksError for a block beyond.
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
        still = float(stays(attacked, images, attacks[kind], seeds).float().mean())
        if still > most_still:
            raise StillAttacksError(
                f"{still:.0%} of the {kind} attacks on class {c} did not move from their random "
                "start, so the dictionary would hold noise: the gradient of the classifier's "
                "cross-entropy is zero or nearly so (a larger --temperature divides its logits)"
            )
        state["done"][key] = (attacked - images).flatten(1).half().cpu()
        save_checkpoint(path, **state)
    blocks = [
        torch.stack([state["done"][f"{kind}/{c}"] for kind in attacks]) for c in range(len(chosen))
    ]
    return torch.stack(blocks)


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
    deltas = attack_blocks(
        load_classifier(context),
        train,
        chosen,
        {kind: attacks[kind] for kind in ATTACKS},
        context.seed,
        context.checkpoint("dictionary"),
    )
    write_tensors(
        context.dataset,
        "dictionary.safetensors",
        {"deltas": deltas, "indices": chosen.int()},
        command=context.command("dictionary"),
        seed=context.seed,
        device=context.device,
        attacks=list(ATTACKS),
        measured={"mean_l2_norm": mean_norms(deltas, ATTACKS)},
        licence="MIT",
    )
