"""A CIFAR-10 of 2,300 and 500 made-up images under the official files' names."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np

from red_core.compat import ensure_torchvision
from red_core.data.datasets import CLASSES

FOLDER = "cifar-10-batches-py"
PER_BATCH = 460  # 5 of them: 2,000 images held out, and 300 to train on
TEST = 500


def write(root: Path) -> None:
    """The official folder under `root`; a class is a colour, so that it can be learnt."""
    draw = np.random.default_rng(0)
    colours = draw.integers(30, 226, (10, 3, 1))
    (root / FOLDER).mkdir(parents=True)
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        count = TEST if name == "test_batch" else PER_BATCH
        labels = draw.permutation(np.arange(count) % 10)
        noise = draw.integers(-30, 30, (count, 3, 1024))
        pixels = np.clip(colours[labels] + noise, 0, 255).astype(np.uint8).reshape(count, 3072)
        _dump(root / FOLDER / name, {"data": pixels, "labels": labels.tolist()})
    _dump(root / FOLDER / "batches.meta", {"label_names": list(CLASSES["cifar10"])})


def accept(root: Path, replace: Callable[[type, str, object], None] = setattr) -> None:
    """Let torchvision take these files for CIFAR-10: names and MD5 sums, set by `replace`."""
    ensure_torchvision()
    from torchvision.datasets import CIFAR10

    def sums(names: list[str]) -> list[list[str]]:
        return [[name, _md5(root / FOLDER / name)] for name in names]

    replace(CIFAR10, "train_list", sums([name for name, _ in CIFAR10.train_list]))
    replace(CIFAR10, "test_list", sums([name for name, _ in CIFAR10.test_list]))
    replace(CIFAR10, "meta", {**CIFAR10.meta, "md5": _md5(root / FOLDER / "batches.meta")})


def _dump(path: Path, content: object) -> None:
    path.write_bytes(pickle.dumps(content))


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
