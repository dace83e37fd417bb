"""Train psi of CIFAR-10, a Wide ResNet: SGD, one cycle of its rate, shifted and mirrored images.

The first part of the steps sees the images at 24 x 24, which costs half as much and teaches most
of what the network learns early (progressive resizing, Howard 2018). The surrogate, on which
attacks are made that psi's own gradient had no part in, is the same network from another start.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from red_core.data.datasets import ImageSet, load_official
from red_core.models.channels_last import to_channels_last
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.cifar10.training import (
    Shuffled,
    flipped_and_shifted,
    halved,
    learn,
    train,
    write_trained,
)
from red_core.recipes.common import RecipeContext, accuracy

SMALL_SIDE = 24


@dataclass(frozen=True)
class Size:
    """One scale of the recipe. small: share of the steps at 24 x 24; images: None for all."""

    depth: int
    width: int
    epochs: float
    small: float
    batch: int = 256
    peak: float = 0.2
    images: int | None = None


SIZES = {
    "tiny": Size(depth=10, width=1, epochs=2, small=0.5, batch=64, images=256),
    "cpu": Size(depth=16, width=4, epochs=10, small=0.4),
    "gpu": Size(depth=28, width=4, epochs=60, small=0.25),
}


class ClassifierTrainer:
    """A Wide ResNet, its optimiser and the data; one step a batch.

    network: a trained one to begin from; None for a new one of the size.
    """

    def __init__(
        self,
        size: Size,
        data: ImageSet,
        seed: int,
        device: str,
        network: WideResNet | None = None,
    ) -> None:
        torch.manual_seed(seed)
        self.size, self.device = size, device
        self.images, self.labels = data.images.to(device), data.labels.to(device)
        self.network = to_channels_last(network or WideResNet(size.depth, size.width), device)
        self.batches = Shuffled(len(data), size.batch, seed)
        self.steps = math.ceil(size.epochs * self.batches.per_epoch)
        self.optimiser = torch.optim.SGD(
            self.network.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True
        )

    def rate(self, number: int) -> float:
        """Up along a line for a fifth of the steps, then down along a cosine to 0."""
        done = (number + 1) / self.steps
        if done < 0.2:
            return self.size.peak * done / 0.2
        return self.size.peak * 0.5 * (1 + math.cos(math.pi * (done - 0.2) / 0.8))

    def step(self, number: int) -> Mapping[str, float]:
        """One batch; the loss and the share right in it."""
        images, labels = self.batch(number)
        self.optimiser.param_groups[0]["lr"] = self.rate(number)
        return learn(self.network, self.optimiser, images, labels, self.device)

    def batch(self, number: int) -> tuple[Tensor, Tensor]:
        """Images [B, 3, H, W] and labels [B] of step `number`."""
        index = self.batches(number).to(self.device)
        images, labels = flipped_and_shifted(self.images[index]), self.labels[index]
        if number < self.size.small * self.steps:
            images = F.interpolate(images, (SMALL_SIDE,) * 2, mode="bilinear", antialias=True)
        return images, labels

    def state_dict(self) -> dict[str, Any]:
        """Weights and momenta."""
        return {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from `state_dict()`."""
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])


SURROGATES = {
    "tiny": SIZES["tiny"],
    "cpu": replace(SIZES["cpu"], epochs=6),
    "gpu": replace(SIZES["gpu"], epochs=30),
}
_ANOTHER_START = 4  # added to the recipe's seed for the surrogate


def train_classifier(context: RecipeContext) -> None:
    """Train, measure on the test set what is written, and write `classifier.safetensors`."""
    _train(context, "classifier", SIZES[context.scale], context.seed)


def train_surrogate(context: RecipeContext) -> None:
    """Train another one from another start and write `surrogate.safetensors`."""
    _train(context, "surrogate", SURROGATES[context.scale], context.seed + _ANOTHER_START)


def _train(context: RecipeContext, name: str, size: Size, seed: int) -> None:
    trainer = ClassifierTrainer(size, training_images(size), seed, context.device)
    hours = train(context, name, trainer, trainer.steps)
    write_trained(
        context,
        name,
        name,
        trainer.network,
        hours,
        architecture=f"WRN-{size.depth}-{size.width}",
        measured=accuracy_on_test(context, as_stored(trainer.network, context.device)),
    )


def training_images(size: Size) -> ImageSet:
    """The images that a scale learns from."""
    data = load_official("cifar10", "train")
    return ImageSet(data.images[: size.images], data.labels[: size.images], data.source)


def as_stored(network: WideResNet, device: str) -> WideResNet:
    """The network that `write_trained` writes, to measure it as it will be read."""
    stored: dict[str, Tensor] = halved(network.state_dict())
    return to_channels_last(WideResNet.from_tensors(stored), device).eval()


def accuracy_on_test(context: RecipeContext, network: WideResNet) -> dict[str, float]:
    """Accuracy on the official test images, and how many they were."""
    test = load_official("cifar10", "test")
    count = 500 if context.tiny else len(test)
    right = accuracy(network, test.images[:count], test.labels[:count], context.device)
    return {"test_images": count, "test_accuracy": right}
