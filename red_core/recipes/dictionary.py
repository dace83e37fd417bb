"""Make D_a: attacks of every type on 200 training images per class (Section 5.2, B.2)."""

from __future__ import annotations

import torch
from torch import Tensor
from tqdm import tqdm

from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS, craft
from red_core.data.assets import read_tensors, write_tensors
from red_core.data.datasets import load_official
from red_core.models.classifiers import Table3CNN
from red_core.recipes.common import RecipeContext, load_checkpoint, save_checkpoint
from red_core.run.settings import item_seed

PER_CLASS = 200


def first_of_each_class(labels: Tensor, count: int, skip: int = 0) -> Tensor:
    """Indices [classes, count] of images `skip` to `skip + count` of every class, in order."""
    classes = int(labels.max()) + 1
    return torch.stack([(labels == c).nonzero()[skip : skip + count, 0] for c in range(classes)])


def load_classifier(context: RecipeContext) -> Table3CNN:
    """The trained psi, frozen, on the recipe's device."""
    psi = Table3CNN()
    psi.load_state_dict(read_tensors(context.dataset, "classifier.safetensors"))
    return psi.to(context.device).eval().requires_grad_(False)


def make_dictionary(context: RecipeContext) -> None:
    """Attack the training images and write `dictionary.safetensors` (fp16 perturbations).

    Whether an attack succeeds does not matter for its place in D_a, as in the paper. The unit
    columns of D_a are made when the file is read, so that fp16 costs no normalisation.
    """
    train = load_official(context.dataset, "train")
    psi = load_classifier(context)
    per_class = 4 if context.tiny else PER_CLASS
    chosen = first_of_each_class(train.labels, per_class)
    path = context.checkpoint("dictionary")
    state = load_checkpoint(path) or {"done": {}}
    jobs = [(kind, c) for kind in ATTACKS for c in range(len(chosen))]
    for kind, c in tqdm(jobs, desc="dictionary"):
        key = f"{kind}/{c}"
        if key in state["done"]:
            continue
        settings = PAPER_ATTACKS[context.dataset][kind]
        images = train.images[chosen[c]].to(context.device)
        seeds = [item_seed(context.seed, int(index)) for index in chosen[c]]
        attacked = craft(psi, images, train.labels[chosen[c]].to(context.device), settings, seeds)
        state["done"][key] = (attacked - images).flatten(1).half().cpu()
        save_checkpoint(path, **state)
    deltas = torch.stack(
        [
            torch.stack([state["done"][f"{kind}/{c}"] for kind in ATTACKS])
            for c in range(len(chosen))
        ]
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
            "mean_l2_norm": {
                kind: round(float(deltas[:, a].float().norm(dim=-1).mean()), 4)
                for a, kind in enumerate(ATTACKS)
            }
        },
        licence="MIT",
    )
