"""How well DiffPure undoes attacks on psi of CIFAR-10: the figures the denoiser is judged by.

More noise drowns more of an attack, and more of the image (B.8 leaves the trade-off for future
work). So, on held-out training images, every way of `WAYS` is swept over sigma, and what it gives
is combined in the ways of `COMBINATIONS`: one purified image, the mean of several, or a vote, where
the classifier's probabilities on several purified images are averaged. psi reads the results, and
so does our second classifier. For each of the two, that row is chosen whose share of images read
right, averaged over clean images and the three attacks, is the largest; it is then measured on the
test set.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS, craft
from red_core.data.assets import read_manifest
from red_core.data.datasets import load_official
from red_core.measure.intervals import share
from red_core.measure.tradeoff import READERS, RULE, SETS, Combination, Row
from red_core.models.purifier import Purifier, evaluations
from red_core.recipes.cifar10.dictionary import Lowered
from red_core.recipes.cifar10.measured import add_measured
from red_core.recipes.cifar10.training import chunks
from red_core.recipes.common import RecipeContext, load_checkpoint, save_checkpoint
from red_core.run.cifar10_parts import load_denoiser, load_psi, load_reader
from red_core.run.settings import item_seed

NAME = "diffusion.safetensors"
SIGMAS = (0.1, 0.15, 0.2, 0.25, 0.3)
NOISE = 500_000  # added to an image's number, so that its noise is not its attack's random start
BATCH = 100  # images attacked, or purified, at a time


@dataclass(frozen=True)
class Way:
    """How the reverse process is followed: arguments of `Purifier`; most: draws that are tried."""

    steps: int
    stochastic: bool = False
    most: int = 1

    def calls(self, sigma: float, draws: int) -> int:
        """How often the denoiser is called for one image."""
        return evaluations(sigma, self.steps, self.stochastic, draws)


WAYS = {
    "first guess": Way(steps=1, most=8),
    "ancestral": Way(steps=8, stochastic=True),
    "flow": Way(steps=5),
}


ONE = Combination("mean", 1)  # and a vote of one
COMBINATIONS = (ONE, *(Combination(kind, draws) for kind in ("mean", "vote") for draws in (4, 8)))


@dataclass(frozen=True)
class Size:
    """One scale: the first so many images, held out (to choose) and of the test set (to judge)."""

    chosen_clean: int
    chosen_attacked: int
    test_clean: int
    test_attacked: int


SIZES = {
    "tiny": Size(8, 2, 8, 2),
    "cpu": Size(200, 100, 1000, 200),
    "gpu": Size(2000, 500, 10_000, 1000),
}


def choose(rows: Iterable[Row], reader: str) -> Row:
    """The row for one of READERS: RULE. Of equal ones the one with fewer calls of the denoiser.

    Raises ValueError where there are no rows.
    """

    def order(row: Row) -> tuple[float, int, float]:
        # Shares are quotients of counts: a tie must not be decided by how they were added.
        return round(row.mean(reader), 9), -WAYS[row.way].calls(row.sigma, row.draws), -row.sigma

    return max(rows, key=order)


class Measuring:
    """The networks, the images and what has been found so far, kept after every job."""

    def __init__(self, context: RecipeContext) -> None:
        self.context, self.size = context, SIZES[context.scale]
        self.psi, self.denoiser = load_psi(context.device), load_denoiser(context.device)
        self.readers: dict[str, tuple[nn.Module, float]] = {
            "psi": (self.psi, 1.0),
            "reader": load_reader(context.device),
        }
        self.data = {split: load_official("cifar10", split) for split in ("held_out", "test")}
        manifest = read_manifest("cifar10")
        names = (NAME, "classifier.safetensors", "reader.safetensors")
        of = [manifest[name]["sha256"] for name in names]
        self.path = context.checkpoint("purification")
        state: dict[str, Any] = load_checkpoint(self.path) or {"of": ["", ""], "attacked": {}}
        if state["of"] != of:  # the attacks are on psi alone
            attacked = state["attacked"] if state["of"][1] == of[1] else {}
            state = {"of": of, "attacked": attacked, "found": {}, "judged": {}}
        self.state = state

    def keep(self) -> None:
        """Write the checkpoint."""
        save_checkpoint(self.path, **self.state)

    def craft(self) -> None:
        """Attack the first images of both splits, batch by batch."""
        kept, device = self.state["attacked"], self.context.device
        jobs = [
            (split, kind, part)
            for split in self.data
            for kind in ATTACKS
            for part in chunks(self._count(split), BATCH)
        ]
        for split, kind, part in tqdm(jobs, desc="attacks"):
            key = f"{split}/{kind}/{part.start}"
            if key not in kept:
                data = self.data[split]
                images, labels = data.images[part].to(device), data.labels[part].to(device)
                seeds = [item_seed(self.context.seed, i) for i in range(part.start, part.stop)]
                settings = PAPER_ATTACKS["cifar10"][kind]
                kept[key] = craft(Lowered(self.psi, device), images, labels, settings, seeds).cpu()
                self.keep()

    def _count(self, split: str) -> int:
        """How many images of a split each attack is made for."""
        return self.size.chosen_attacked if split == "held_out" else self.size.test_attacked

    def attacked(self, split: str, kind: str) -> Tensor:
        """The attacked images [count, 3, 32, 32] of a split, which are its first."""
        kept: Mapping[str, Tensor] = self.state["attacked"]
        parts = chunks(self._count(split), BATCH)
        return torch.cat([kept[f"{split}/{kind}/{part.start}"] for part in parts])

    def images(self, split: str, name: str) -> Tensor:
        """The images of a split that belong to one of SETS."""
        if name in ATTACKS:
            return self.attacked(split, name)
        clean = self.size.chosen_clean if split == "held_out" else self.size.test_clean
        return self.data[split].images[:clean]

    def purified(self, images: Tensor, part: slice, way: Way, sigma: float, draws: int) -> Tensor:
        """Some of the first images of a split [b, draws, 3, 32, 32]; the noise is an image's own.

        images: the whole set; part: which of them.
        """
        purifier = Purifier(self.denoiser, sigma, way.steps, way.stochastic, draws)
        first = item_seed(self.context.seed, NOISE)
        seeds = range(first + part.start, first + part.stop)
        with torch.no_grad():
            return purifier.each(images[part].to(self.context.device), seeds)

    @torch.no_grad()
    def probabilities(self, reader: str, images: Tensor) -> Tensor:
        """What one of READERS makes of images [b, draws, 3, 32, 32]: [b, draws, classes]."""
        network, temperature = self.readers[reader]
        read = [(network(part) / temperature).softmax(1) for part in images.flatten(0, 1).split(64)]
        return torch.cat(read).unflatten(0, images.shape[:2])

    def answers(
        self,
        split: str,
        name: str,
        way: Way,
        sigma: float,
        combinations: Sequence[Combination] = COMBINATIONS,
    ) -> list[dict[str, Tensor]]:
        """What each combination gives on one of SETS.

        "psi" and "reader": which images are read right, [count] bool; "moved": ||D(x') - x'||_2
        [count], of a vote the mean over its purified images.
        """
        images, draws = self.images(split, name), max(c.draws for c in combinations)
        found: list[dict[str, list[Tensor]]] = [{} for _ in combinations]
        for part in chunks(len(images), BATCH):
            each = self.purified(images, part, way, sigma, draws)
            observed = images[part].to(each.device)[:, None]
            labels = self.data[split].labels[part]
            votes = {reader: self.probabilities(reader, each) for reader in READERS}
            for combination, answers in zip(combinations, found, strict=True):
                own = each[:, : combination.draws]
                if combination.kind == "mean":
                    own = own.mean(1, keepdim=True)
                moved = (own - observed).flatten(2).norm(dim=2).mean(1)
                answers.setdefault("moved", []).append(moved.cpu())
                for reader in READERS:
                    if combination.kind == "vote" or combination == ONE:
                        read = votes[reader][:, : combination.draws]
                    else:
                        read = self.probabilities(reader, own)
                    right = read.mean(1).argmax(1).cpu() == labels
                    answers.setdefault(reader, []).append(right)
        return [{what: torch.cat(parts) for what, parts in one.items()} for one in found]

    def sweep(self) -> list[Row]:
        """A row for every way, sigma and combination, and one for the identity."""
        jobs = [("flow", 0.0), *((way, sigma) for way in WAYS for sigma in SIGMAS)]
        found, rows = self.state["found"], []
        for way, sigma in tqdm(jobs, desc="sweep"):
            most = WAYS[way].most if sigma else 1
            combinations = tuple(c for c in COMBINATIONS if c.draws <= most)
            keys = {name: f"{way}/{sigma:g}/{name}" for name in SETS}
            for name, key in keys.items():
                if key not in found:
                    made = self.answers("held_out", name, WAYS[way], sigma, combinations)
                    found[key] = [
                        {what: float(answer.double().mean()) for what, answer in one.items()}
                        for one in made
                    ]
                    self.keep()
            for place, combination in enumerate(combinations):
                figures = {
                    what: {name: found[key][place][what] for name, key in keys.items()}
                    for what in (*READERS, "moved")
                }
                rows.append(
                    Row(
                        *(way, sigma, combination.kind, combination.draws),
                        *(figures["psi"], figures["reader"], figures["moved"]),
                    )
                )
        return rows

    def judge(self, chosen: Row, reader: str) -> dict[str, Any]:
        """A chosen row on clean and attacked test images, read by both of READERS."""
        judged: dict[str, Any] = self.state["judged"]
        figures: dict[str, Any] = {}
        identity: list[dict[str, Tensor]] = []
        for name in tqdm(SETS, desc="test images"):
            plain = self._judged(judged, f"flow/0/mean/1/{name}", name, "flow", 0.0, ONE)
            identity.append(plain)
            key = f"{chosen.way}/{chosen.sigma:g}/{chosen.kind}/{chosen.draws}/{name}"
            after = self._judged(judged, key, name, chosen.way, chosen.sigma, chosen.combination)
            figures[name] = _figures(identity[0], plain, after, reader)
        return figures

    def _judged(
        self,
        judged: dict[str, Any],
        key: str,
        name: str,
        way: str,
        sigma: float,
        combination: Combination,
    ) -> dict[str, Any]:
        if key not in judged:
            begun = time.perf_counter()
            (answers,) = self.answers("test", name, WAYS[way], sigma, (combination,))
            judged[key] = {**answers, "seconds": time.perf_counter() - begun}
            self.keep()
        found: dict[str, Any] = judged[key]
        return found


def _figures(
    clean: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any], reader: str
) -> dict[str, object]:
    """What is read right of x' and of D(x'), what was won back, and how far images moved.

    clean: answers to the clean images, unpurified; won back: of the images that psi reads right
    clean and wrong attacked, those that `reader` reads right purified.
    """
    count = len(before["psi"])
    fooled = clean["psi"][:count] & ~before["psi"]
    figures: dict[str, object] = {
        "images": count,
        "read": {name: share(int(before[name].sum()), count) for name in READERS},
        "read_purified": {name: share(int(after[name].sum()), count) for name in READERS},
        "mean_l2_moved": round(float(after["moved"].mean()), 4),
        "seconds_an_image": round(after["seconds"] / count, 4),
    }
    if bool(fooled.any()):
        won = int((after[reader] & fooled).sum())
        figures["won_back_of_fooled"] = share(won, int(fooled.sum()))
    return figures


def _rounded(row: Row) -> dict[str, Any]:
    """A row as it is written."""
    line = asdict(row)
    for what in (*READERS, "distance"):
        line[what] = {name: round(value, 4) for name, value in line[what].items()}
    return line


def measure_purification(context: RecipeContext) -> None:
    """Sweep, choose, judge, and write the figures into the denoiser's manifest entry.

    Goes on after the last finished job; another denoiser, psi or second classifier starts anew.
    """
    measuring = Measuring(context)
    measuring.craft()
    rows, size = measuring.sweep(), measuring.size
    choices = {reader: choose(rows, reader) for reader in READERS}
    add_measured(
        NAME,
        "purification",
        {
            "rule": RULE,
            "chosen_on": f"{size.chosen_clean} clean and 3 x {size.chosen_attacked} attacked "
            "held-out images",
            "choices": {
                reader: {
                    **{"way": row.way, "sigma": row.sigma, **asdict(WAYS[row.way])},
                    **{"kind": row.kind, "draws": row.draws},
                    "held_out": round(row.mean(reader), 4),
                    "test": measuring.judge(row, reader),
                }
                for reader, row in choices.items()
            },
            "sweep": [_rounded(row) for row in rows],
            "threads": torch.get_num_threads(),
            "scale": context.scale,
            "device": context.device,
            "command": context.command("purification"),
        },
    )
