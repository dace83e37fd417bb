"""What the three trainings on CIFAR-10 share: steps that resume exactly, bf16, batches.

Everything random in step k is drawn from a seed made of the recipe's seed and k alone, so that a
run that was killed and goes on from a checkpoint ends with the same weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from red_core.data.assets import read_tensors, write_tensors
from red_core.models.channels_last import to_channels_last
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.common import RecipeContext, load_checkpoint, save_checkpoint

SAVED_EVERY = 120.0  # seconds between two checkpoints


class Trainer(Protocol):
    """Networks and optimisers, and one step of their training."""

    def step(self, number: int) -> Mapping[str, float]:
        """Step `number`, counted from 0; figures for the progress bar."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Everything that a resumed run needs, tensors and plain values only."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from `state_dict()`."""
        ...


def train(
    context: RecipeContext, name: str, trainer: Trainer, steps: int, every: float = SAVED_EVERY
) -> float:
    """Take steps 0 to `steps` - 1, from the checkpoint `name` where there is one; hours taken.

    every: seconds between checkpoints; the last step is always kept.
    """
    path = context.checkpoint(name)
    first, seconds = 0, 0.0
    if state := load_checkpoint(path):
        trainer.load_state_dict(state["trainer"])
        first, seconds = state["step"], state["seconds"]
    begun = saved = time.monotonic()
    bar = tqdm(range(first, steps), desc=name, initial=first, total=steps, mininterval=5)
    for number in bar:
        torch.manual_seed(context.seed * 1_000_003 + number)
        figures = trainer.step(number)
        now = time.monotonic()
        if now - saved >= every or number == steps - 1:
            saved = now
            bar.set_postfix({key: f"{value:.3f}" for key, value in figures.items()})
            save_checkpoint(
                path,
                trainer=trainer.state_dict(),
                step=number + 1,
                seconds=seconds + now - begun,
            )
    return (seconds + time.monotonic() - begun) / 3600


def learn(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    device: str,
    smoothing: float = 0.0,
    reduction: str = "mean",
) -> dict[str, float]:
    """One step on the cross-entropy of a batch; the mean loss and the share right in it.

    smoothing, reduction: of the labels and of the loss that is descended, as `cross_entropy` takes
    them.
    """
    with lowered(device):
        logits = network(images)
    loss = F.cross_entropy(logits.float(), labels, label_smoothing=smoothing, reduction=reduction)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    mean = loss.item() / (len(labels) if reduction == "sum" else 1)
    return {"loss": mean, "right": (logits.argmax(1) == labels).float().mean().item()}


class AveragedTrainer:
    """Adam on a network, and the average of its weights, which is what is kept in the end.

    The rate rises along a line for `warm_up` of the steps, then falls along a cosine to 0; memory:
    share of the steps over which the weights are averaged.
    """

    def __init__(
        self, network: nn.Module, steps: int, peak: float, warm_up: float, memory: float
    ) -> None:
        self.network, self.steps, self.peak, self.warm_up = network, steps, peak, warm_up
        decay = 1 - 1 / max(2.0, memory * steps)
        self.average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay))
        self.optimiser = torch.optim.Adam(network.parameters(), betas=(0.9, 0.99))

    def rate(self, number: int) -> float:
        """Of step `number`, counted from 0."""
        done = (number + 1) / self.steps
        if done < self.warm_up:
            return self.peak * done / self.warm_up
        return (
            self.peak * 0.5 * (1 + math.cos(math.pi * (done - self.warm_up) / (1 - self.warm_up)))
        )

    def descend(self, number: int, loss: Tensor) -> None:
        """Step `number` on a loss, at its rate."""
        self.optimiser.param_groups[0]["lr"] = self.rate(number)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.average.update_parameters(self.network)

    def state_dict(self) -> dict[str, Any]:
        """Weights, their average, moments."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from `state_dict()`."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])


class Shuffled:
    """Batches without end: every epoch is a new order of 0 to `count` - 1, from the seed alone."""

    def __init__(self, count: int, size: int, seed: int) -> None:
        self.count, self.size, self.seed = count, min(size, count), seed
        self.per_epoch = count // self.size
        self._epoch, self._order = -1, torch.empty(0)

    def __call__(self, step: int) -> Tensor:
        """The indices [size] of step `step`; what is left over at an epoch's end is left out."""
        epoch, place = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(self.seed * 100_003 + epoch)
            self._epoch, self._order = epoch, torch.randperm(self.count, generator=generator)
        return self._order[place * self.size : (place + 1) * self.size]


def lowered(device: str) -> AbstractContextManager[None]:
    """bf16 where the device computes it faster than float32, else nothing."""
    kind = device.split(":")[0]
    fast = kind == "cuda" or (kind == "cpu" and torch.cpu._is_avx512_bf16_supported())
    return torch.autocast(kind, torch.bfloat16, enabled=fast)


def halved(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights for a file: matrices and kernels in fp16, vectors (norms, biases) as they are."""
    return {
        name: t.half() if t.is_floating_point() and t.dim() > 1 else t
        for name, t in state.items()
        if not name.endswith("num_batches_tracked")
    }


def write_trained(
    context: RecipeContext, part: str, name: str, network: nn.Module, hours: float, **entry: object
) -> None:
    """Write `name`.safetensors, `halved`, with what every trained file's entry tells and `entry`.

    part: of the recipe, the one that makes the file.
    """
    write_tensors(
        "cifar10",
        f"{name}.safetensors",
        halved(network.state_dict()),
        command=context.command(part),
        scale=context.scale,
        seed=context.seed,
        device=context.device,
        hours=round(hours, 3),
        parameters=sum(p.numel() for p in network.parameters()),
        licence="MIT",
        **entry,
    )


def flipped_and_shifted(images: Tensor, margin: int = 4, mirror: bool = True) -> Tensor:
    """Images [B, C, H, W] mirrored by a coin's toss and moved by up to `margin` pixels, reflected.

    One toss and one shift an image, drawn from torch's global generator on the CPU; without
    `mirror` no toss counts.
    """
    count, _, height, width = images.shape
    device = images.device
    padded = torch.nn.functional.pad(images, (margin,) * 4, mode="reflect")
    shift = torch.randint(0, 2 * margin + 1, (count, 2)).to(device)
    flip = torch.rand(count).to(device) < (0.5 if mirror else 0.0)
    rows = shift[:, :1] + torch.arange(height, device=device)
    columns = torch.arange(width, device=device)
    columns = shift[:, 1:] + torch.where(flip[:, None], columns.flip(0), columns)
    item = torch.arange(count, device=device)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[item, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)  # channels last in memory


def chunks(count: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` that cover 0 to `count` - 1."""
    for first in range(0, count, size):
        yield slice(first, min(first + size, count))


def load_psi_of(context: RecipeContext) -> WideResNet:
    """The trained psi, frozen and folded, on the recipe's device; AssetError without it."""
    network = WideResNet.from_tensors(read_tensors("cifar10", "classifier.safetensors"))
    return to_channels_last(network.eval().fold_norms(), context.device).requires_grad_(False)
