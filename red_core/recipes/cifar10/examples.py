"""The pictures that the app offers where CIFAR-10 itself has not been downloaded: drawn by G.

Of many draws of every class those are kept of which psi is surest that they show the class asked
for: an attack on a picture that psi misreads to begin with has nothing to craft_example.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from red_core.data.assets import write_tensors
from red_core.data.datasets import CLASSES
from red_core.models.style import StyleGenerator
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.common import RecipeContext
from red_core.run.cifar10_parts import load_generator, load_psi

NAME = "examples.safetensors"
BATCH = 100


@dataclass(frozen=True)
class Size:
    """One scale: draws of a class, and how many of them are kept."""

    draws: int
    kept: int


SIZES = {"tiny": Size(4, 2), "cpu": Size(600, 24), "gpu": Size(2000, 24)}


@torch.no_grad()
def surest(
    generator: StyleGenerator, psi: WideResNet, label: int, seeds: range, kept: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The `kept` draws of a class that psi is surest of, in the order of their seeds.

    Returns images [kept, 3, 32, 32] in 8 bits, seeds [kept] and psi's probability of the class
    [kept]. The probability is that of the picture as it is stored.
    """
    images, chances = [], []
    for first in range(0, len(seeds), BATCH):
        some = seeds[first : first + BATCH]
        labels = torch.full((len(some),), label, device=generator.class_means.device)
        made = (generator.sample(labels, some) * 255).round().byte()
        images.append(made)
        chances.append(psi(made.float() / 255).softmax(1)[:, label])
    chance = torch.cat(chances)
    best = chance.topk(kept).indices.sort().values
    return torch.cat(images)[best], torch.tensor(list(seeds))[best.cpu()], chance[best]


@torch.no_grad()
def drawn_pictures(device: str, seeds: range) -> Tensor:
    """A picture of each seed in 8 bits, classes in turn: [len(seeds), 3, 32, 32] in [0, 1]."""
    generator, classes = load_generator(device), len(CLASSES["cifar10"])
    made = []
    for first in range(0, len(seeds), BATCH):
        some = seeds[first : first + BATCH]
        labels = torch.tensor([seed % classes for seed in some], device=device)
        made.append((generator.sample(labels, some) * 255).round().cpu() / 255)
    return torch.cat(made)


def draw_examples(context: RecipeContext) -> None:
    """Draw the pictures of every class and write `examples.safetensors`."""
    size, begun = SIZES[context.scale], time.monotonic()
    generator, psi = load_generator(context.device), load_psi(context.device)
    names = CLASSES["cifar10"]
    first = context.seed * len(names) * size.draws
    found = [
        surest(
            generator,
            psi,
            label,
            range(first + label * size.draws, first + (label + 1) * size.draws),
            size.kept,
        )
        for label in tqdm(range(len(names)), desc="examples")
    ]
    images, seeds, chance = (
        torch.stack(part, 1).flatten(0, 1) for part in zip(*found, strict=True)
    )
    write_tensors(
        "cifar10",
        NAME,
        {
            "images": images,
            "labels": torch.arange(len(names)).repeat(size.kept).to(torch.uint8),
            "seeds": seeds.int(),
        },
        command=context.command("examples"),
        scale=context.scale,
        seed=context.seed,
        device=context.device,
        hours=round((time.monotonic() - begun) / 3600, 3),
        shows="pictures drawn by the generator, no photographs; classes in turn",
        measured={
            "drawn_of_each_class": size.draws,
            "kept_of_each_class": size.kept,
            "psi_reads_the_class_asked_for": float((chance > 0.5).float().mean()),
            "smallest_probability_of_the_class": round(float(chance.min()), 4),
        },
        licence="MIT",
    )
