"""How well DiffPure undoes attacks on psi of CIFAR-10: the figure the denoiser is judged by.

More noise drowns more of an attack, and more of the image. So, on held-out training images, every
way of `WAYS` is swept over sigma; of each the largest sigma counts at which psi reads clean images
at most 3 points worse than unpurified, and of these the way that recovers the most attacked images
is the one that is measured on the test set.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS, craft
from red_core.data.assets import read_manifest
from red_core.data.datasets import load_official
from red_core.measure.intervals import share
from red_core.models.purifier import Purifier
from red_core.recipes.cifar10.dictionary import Lowered
from red_core.recipes.cifar10.measured import add_measured
from red_core.recipes.cifar10.training import chunks
from red_core.recipes.common import RecipeContext, load_checkpoint, save_checkpoint
from red_core.run.cifar10_parts import load_denoiser, load_psi
from red_core.run.settings import item_seed

NAME = "diffusion.safetensors"
SIGMAS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35)
LOST = 0.03  # of the accuracy on clean images, at most
NOISE = 500_000  # added to an image's number, so that its noise is not its attack's random start
BATCH = 100  # images attacked, or read, at a time


@dataclass(frozen=True)
class Way:
    """How the reverse process is followed: arguments of `Purifier`."""

    steps: int
    stochastic: bool = False
    draws: int = 1


WAYS = {
    "flow": Way(steps=5),
    "ancestral": Way(steps=8, stochastic=True),
    "first guess": Way(steps=1),
    "mean of 8 first guesses": Way(steps=1, draws=8),
}


@dataclass(frozen=True)
class Size:
    """One scale: the first so many images, held out (to choose) and of the test set (to judge)."""

    chosen_clean: int
    chosen_attacked: int
    test_clean: int
    test_attacked: int


SIZES = {
    "tiny": Size(8, 2, 8, 2),
    "cpu": Size(1000, 100, 1000, 200),
    "gpu": Size(2000, 500, 10_000, 1000),
}


@dataclass(frozen=True)
class Row:
    """One line of the sweep: how many held-out images psi reads rightly once purified.

    clean: of the clean ones; attacked: of those under each attack.
    """

    way: str
    sigma: float
    clean: int
    attacked: Mapping[str, int]


def choose(rows: Iterable[Row], plain: int, images: int) -> Row:
    """The row that is judged: the rule at the head of this file.

    plain: how many of `images` clean images psi reads rightly unpurified. Raises ValueError where
    no row stays within LOST, which the identity (sigma = 0) always does.
    """
    kept: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: row.sigma):
        if plain - row.clean <= LOST * images + 1e-9:
            kept[row.way] = row
    if not kept:
        raise ValueError(f"no sigma keeps {plain} of {images} clean images within {LOST:.0%}")
    return max(kept.values(), key=lambda row: sum(row.attacked.values()))


class Measuring:
    """The networks, the images and what has been found so far, kept after every job."""

    def __init__(self, context: RecipeContext) -> None:
        self.context, self.size = context, SIZES[context.scale]
        self.psi, self.denoiser = load_psi(context.device), load_denoiser(context.device)
        self.data = {split: load_official("cifar10", split) for split in ("held_out", "test")}
        manifest = read_manifest("cifar10")
        of = [manifest[name]["sha256"] for name in (NAME, "classifier.safetensors")]
        self.path = context.checkpoint("purification")
        state = load_checkpoint(self.path)
        if state is None or state["of"] != of:
            state = {"of": of, "attacked": {}, "rows": {}, "judged": {}}
        self.state = state

    def keep(self) -> None:
        """Write the checkpoint."""
        save_checkpoint(self.path, **self.state)

    def craft(self) -> None:
        """Attack the first images of both splits, batch by batch."""
        counts = {"held_out": self.size.chosen_attacked, "test": self.size.test_attacked}
        jobs = [
            (split, kind, part)
            for split, count in counts.items()
            for kind in ATTACKS
            for part in chunks(count, BATCH)
        ]
        kept, device = self.state["attacked"], self.context.device
        for split, kind, part in tqdm(jobs, desc="attacks"):
            key = f"{split}/{kind}/{part.start}"
            if key not in kept:
                data = self.data[split]
                images, labels = data.images[part].to(device), data.labels[part].to(device)
                seeds = [item_seed(self.context.seed, i) for i in range(part.start, part.stop)]
                settings = PAPER_ATTACKS["cifar10"][kind]
                kept[key] = craft(Lowered(self.psi, device), images, labels, settings, seeds).cpu()
                self.keep()

    def attacked(self, split: str, kind: str) -> Tensor:
        """The attacked images [count, 3, 32, 32] of a split, which are its first."""
        kept: Mapping[str, Tensor] = self.state["attacked"]
        return torch.cat([kept[key] for key in kept if key.startswith(f"{split}/{kind}/")])

    def purified(self, images: Tensor, way: Way, sigma: float) -> Tensor:
        """The first images of a split, clean or attacked, purified; the noise is an image's own."""
        purifier = Purifier(self.denoiser, sigma, way.steps, way.stochastic, way.draws)
        first = item_seed(self.context.seed, NOISE)
        made = [
            purifier(
                images[part].to(self.context.device), range(first + part.start, first + part.stop)
            )
            for part in chunks(len(images), BATCH)
        ]
        return torch.cat([batch.cpu() for batch in made])

    @torch.no_grad()
    def right(self, images: Tensor, split: str) -> Tensor:
        """Which of the first images of a split psi reads rightly, [count] bool."""
        read = [
            self.psi(images[part].to(self.context.device)).argmax(1).cpu()
            for part in chunks(len(images), BATCH)
        ]
        return torch.cat(read) == self.data[split].labels[: len(images)]

    def sweep(self) -> list[Row]:
        """A row for every way and sigma, and one for the identity."""
        rows, clean = self.state["rows"], self.data["held_out"].images[: self.size.chosen_clean]
        jobs = [("flow", 0.0), *((way, sigma) for way in WAYS for sigma in SIGMAS)]
        for way, sigma in tqdm(jobs, desc="sweep"):
            key = f"{way}/{sigma:g}"
            if key not in rows:
                sets = {"clean": clean, **{k: self.attacked("held_out", k) for k in ATTACKS}}
                found = {
                    name: int(self.right(self.purified(images, WAYS[way], sigma), "held_out").sum())
                    for name, images in sets.items()
                }
                rows[key] = asdict(Row(way, sigma, found.pop("clean"), found))
                self.keep()
        return [Row(**rows[f"{way}/{sigma:g}"]) for way, sigma in jobs]

    def judge(self, chosen: Row) -> dict[str, Any]:
        """The chosen way and sigma on clean and attacked test images."""
        clean = self.data["test"].images[: self.size.test_clean]
        sets = {"clean": clean, **{kind: self.attacked("test", kind) for kind in ATTACKS}}
        judged: dict[str, Any] = self.state["judged"]
        for name, images in tqdm(sets.items(), desc="test images"):
            if name not in judged:
                begun = time.perf_counter()
                purified = self.purified(images, WAYS[chosen.way], chosen.sigma)
                judged[name] = {
                    "seconds": time.perf_counter() - begun,
                    "moved": (purified - images).flatten(1).norm(dim=1),
                    "before": self.right(images, "test"),
                    "after": self.right(purified, "test"),
                }
                self.keep()
        original = judged["clean"]["before"]  # the attacked images are the first of the clean ones
        return {name: _figures(original, found) for name, found in judged.items()}


def _figures(original: Tensor, found: Mapping[str, Any]) -> dict[str, object]:
    """Accuracy before and after, what was won back, and how far images moved, in [0, 1] pixels."""
    before, after = found["before"], found["after"]
    fooled = original[: len(before)] & ~before
    figures: dict[str, object] = {
        "images": len(before),
        "psi_accuracy": share(int(before.sum()), len(before)),
        "psi_accuracy_purified": share(int(after.sum()), len(after)),
        "mean_l2_moved": round(float(found["moved"].mean()), 4),
        "seconds_an_image": round(found["seconds"] / len(before), 4),
    }
    if bool(fooled.any()):
        figures["won_back_of_fooled"] = share(int((after & fooled).sum()), int(fooled.sum()))
    return figures


def measure_purification(context: RecipeContext) -> None:
    """Sweep, choose, judge, and write the figures into the denoiser's manifest entry.

    Goes on after the last finished job; another denoiser or psi starts anew.
    """
    measuring = Measuring(context)
    measuring.craft()
    rows, size = measuring.sweep(), measuring.size
    plain, images = rows[0].clean, size.chosen_clean
    chosen = choose(rows, plain, images)
    add_measured(
        NAME,
        "purification",
        {
            "way": chosen.way,
            "sigma": chosen.sigma,
            **asdict(WAYS[chosen.way]),
            "chosen_on": f"{images} clean and 3 x {size.chosen_attacked} attacked held-out images",
            "rule": f"largest sigma that costs at most {100 * LOST:g} points on clean images",
            "test": measuring.judge(chosen),
            "sweep": [
                {
                    "way": row.way,
                    "sigma": row.sigma,
                    "clean": row.clean / images,
                    **{kind: n / size.chosen_attacked for kind, n in row.attacked.items()},
                }
                for row in rows
            ],
            "threads": torch.get_num_threads(),
            "scale": context.scale,
            "device": context.device,
            "command": context.command("purification"),
        },
    )
