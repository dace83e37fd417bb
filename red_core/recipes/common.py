"""What every recipe needs: its settings, its checkpoints, its seeded batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from red_core.data.atomic import replacing

SCALES = ("tiny", "cpu", "gpu")
SCALED = ("cifar10",)  # the data sets on which "cpu" and "gpu" differ


@dataclass(frozen=True)
class RecipeContext:
    """Where a recipe runs.

    device: "cpu", "cuda" or "mps"; seed: of everything random; work: folder of checkpoints;
    scale: key of SCALES. "tiny" is a trial on a few hundred images that only shows that
    every step runs; "cpu" and "gpu" differ on CIFAR-10 alone, whose networks are made as large
    and trained as long as the machine carries.
    """

    dataset: str
    device: str = "cpu"
    seed: int = 0
    work: Path = Path(".work")
    scale: str = "cpu"

    @property
    def tiny(self) -> bool:
        """Whether this is a trial on a few hundred images."""
        return self.scale == "tiny"

    def command(self, part: str) -> str:
        """The command that repeats one part."""
        scale = f" --scale {self.scale}" if self.dataset in SCALED else ""
        return f"python -m red_core recipe {self.dataset} --only {part}{scale} --seed {self.seed}"

    def checkpoint(self, part: str) -> Path:
        """The checkpoint file of one part."""
        plain = self.scale == "cpu" or not (self.tiny or self.dataset in SCALED)
        return self.work / self.dataset / f"{part}{'' if plain else f'-{self.scale}'}.pt"


def save_checkpoint(path: Path, **state: Any) -> None:
    """Replace the checkpoint in one step, so that a kill leaves the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        torch.save(state, part)


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """The last checkpoint, or None. Tensors and plain values only, never pickled code."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def shuffled_batches(count: int, size: int, seed: int, epoch: int) -> Iterator[Tensor]:
    """Index batches of one epoch; a resumed run sees the batches the first would have seen."""
    generator = torch.Generator().manual_seed(seed * 100_003 + epoch)
    yield from torch.randperm(count, generator=generator).split(size)


@torch.no_grad()
def accuracy(model: torch.nn.Module, images: Tensor, labels: Tensor, device: str = "cpu") -> float:
    """Share of images [N, ...] that `model` gives their label."""
    right = 0
    for batch, truth in zip(images.split(500), labels.split(500), strict=True):
        right += int((model(batch.to(device)).argmax(1).cpu() == truth).sum())
    return right / len(labels)
