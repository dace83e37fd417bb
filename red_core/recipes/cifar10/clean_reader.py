"""The reader's first training, on clean images: airbench's recipe (Jordan 2024).

Nesterov SGD on the summed loss, large rates that rise and fall along lines, biases that learn 64
times as fast as weights, smoothed labels, images mirrored in every other epoch and moved by up to
two pixels, and a slow average of the weights that takes their place every few steps (Lookahead).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from red_core.data.datasets import ImageSet
from red_core.models.airbench import AirbenchNet
from red_core.models.channels_last import to_channels_last
from red_core.recipes.cifar10.training import Shuffled, flipped_and_shifted, learn

BATCH = 1024
MOMENTUM, SMOOTHING = 0.85, 0.2
BIAS_FASTER = 64
WHITENING_EPOCHS = 3  # in which the first layer's bias learns
_KILO = 1024 * (1 + 1 / (1 - MOMENTUM))  # what airbench's rates are for
RATE, WEIGHT_DECAY = 11.5 / _KILO, 0.0153 * BATCH / _KILO
AVERAGED_EVERY = 5
READ_TOGETHER = 250


def along(points: tuple[tuple[float, float], ...], done: float) -> float:
    """The piecewise linear function through `points` (where, value) at `done`."""
    for (a, low), (b, high) in pairwise(points):
        if done <= b:
            return low + (high - low) * (done - a) / (b - a)
    return points[-1][1]


def airbench_optimiser(network: AirbenchNet) -> tuple[torch.optim.SGD, list[float]]:
    """Nesterov SGD with airbench's two groups, and each group's highest rate."""
    learned = {n: p for n, p in network.named_parameters() if p.requires_grad}
    norms = [p for n, p in learned.items() if "norm" in n]
    rest = [p for n, p in learned.items() if "norm" not in n]
    fast = BIAS_FASTER * RATE
    optimiser = torch.optim.SGD(
        [
            {"params": norms, "lr": fast, "weight_decay": WEIGHT_DECAY / fast},
            {"params": rest, "lr": RATE, "weight_decay": WEIGHT_DECAY / RATE},
        ],
        lr=RATE,
        momentum=MOMENTUM,
        nesterov=True,
    )
    return optimiser, [fast, RATE]


class CleanTrainer:
    """The network, its optimiser, the slow average of its weights and the data; a step a batch."""

    def __init__(
        self, network: AirbenchNet, data: ImageSet, epochs: float, seed: int, device: str
    ) -> None:
        torch.manual_seed(seed)
        network.fit_whitening(data.images[:5000])
        self.network, self.device = to_channels_last(network, device), device
        self.images, self.labels = data.images.to(device), data.labels.to(device)
        self.batches = Shuffled(len(data), BATCH, seed)
        self.steps = math.ceil(epochs * self.batches.per_epoch)
        self.optimiser, self.peaks = airbench_optimiser(self.network)
        self.slow = {n: t.clone() for n, t in self._averaged()}
        # Which images are mirrored in even epochs; the others are in odd ones.
        self.mirrored = torch.rand(len(data), generator=torch.Generator().manual_seed(seed)) < 0.5

    def _averaged(self) -> list[tuple[str, Tensor]]:
        state = self.network.state_dict()
        return [(n, t) for n, t in state.items() if t.is_floating_point()]

    def _average(self, decay: float) -> None:
        """slow <- decay slow + (1 - decay) fast, and fast <- slow."""
        for name, tensor in self._averaged():
            self.slow[name].lerp_(tensor, 1 - decay)
            tensor.copy_(self.slow[name])

    def step(self, number: int) -> Mapping[str, float]:
        """One batch; the loss and the share right in it."""
        index, epoch = self.batches(number), number // self.batches.per_epoch
        flip = (self.mirrored[index] ^ bool(epoch % 2)).to(self.device).view(-1, 1, 1, 1)
        images = self.images[index.to(self.device)]
        images = shifted(torch.where(flip, images.flip(3), images))
        labels = self.labels[index.to(self.device)]
        rate = along(((0, 0.2), (0.23, 1), (1, 0.07)), number / self.steps)
        for group, peak in zip(self.optimiser.param_groups, self.peaks, strict=True):
            group["lr"] = rate * peak
        bias = self.network.whiten.bias
        assert bias is not None
        bias.requires_grad_(epoch < WHITENING_EPOCHS)
        figures = learn(
            *(self.network, self.optimiser, images, labels, self.device, SMOOTHING), reduction="sum"
        )
        if number % AVERAGED_EVERY == AVERAGED_EVERY - 1:
            self._average(0.95**AVERAGED_EVERY * (number / self.steps) ** 3)
        if number == self.steps - 1:
            self._average(1.0)
        return figures

    def state_dict(self) -> dict[str, Any]:
        """Weights, their slow average, momenta."""
        return {
            "network": self.network.state_dict(),
            "slow": self.slow,
            "optimiser": self.optimiser.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from `state_dict()`."""
        self.network.load_state_dict(state["network"])
        self.slow = {n: t.clone() for n, t in state["slow"].items()}
        self.optimiser.load_state_dict(state["optimiser"])


def shifted(images: Tensor) -> Tensor:
    """Images [B, 3, 32, 32] moved by up to two pixels, reflected at the border."""
    return flipped_and_shifted(images, margin=2, mirror=False)


@torch.no_grad()
def log_probabilities(network: nn.Module, pictures: Tensor, device: str) -> Tensor:
    """Log of the mean class probabilities [N, classes] of pictures [N, n, 3, 32, 32]."""
    parts = []
    for part in pictures.split(READ_TOGETHER):
        read = network(part.flatten(0, 1).to(device)).softmax(1).cpu()
        parts.append(read.unflatten(0, part.shape[:2]).mean(1))
    return torch.cat(parts).clamp_min(1e-8).log()
