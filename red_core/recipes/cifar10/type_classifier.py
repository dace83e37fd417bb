"""Train the network that reads the attack off x' itself, of CIFAR-10.

D_a's attacks on most of its images at mixed strength, beside clean training images. A part of the
images are pictures that the generator drew, with the same perturbations: they are smoother than
photographs, and the app offers them where the photographs have not been downloaded. Half of all
images get noise of half a grey level: clean images are whole numbers of grey levels and attacked
ones are not, which would otherwise be all that the network looks at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from red_core.attacks.pgd import ATTACKS
from red_core.data.datasets import ImageSet, load_official
from red_core.measure.intervals import share
from red_core.models.channels_last import to_channels_last
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.cifar10.attacked import StoredAttacks, stored_attacks
from red_core.recipes.cifar10.examples import drawn_pictures
from red_core.recipes.cifar10.held_out import held_out_runs
from red_core.recipes.cifar10.training import (
    flipped_and_shifted,
    halved,
    learn,
    train,
    write_trained,
)
from red_core.recipes.common import RecipeContext, accuracy

NONE = len(ATTACKS)
GREY_LEVEL = 1 / 255
DRAWN_FROM = 1_000_000  # seed of the first picture: none of those that the app offers


@dataclass(frozen=True)
class Size:
    """One scale of the recipe.

    clean: share of clean images in a batch; drawn: pictures that the generator draws of each
    class; of_drawn: their share in a batch.
    """

    depth: int
    width: int
    steps: int
    batch: int = 128
    peak: float = 0.1
    clean: float = 0.25
    drawn: int = 40
    of_drawn: float = 0.25


SIZES = {
    "tiny": Size(10, 1, steps=4, batch=16, drawn=2),
    "cpu": Size(10, 2, steps=600),
    "gpu": Size(16, 4, steps=6000),
}


class TypeTrainer:
    """The network, its optimiser and the images; one step a batch."""

    def __init__(
        self,
        size: Size,
        data: ImageSet,
        stored: StoredAttacks,
        drawn: Tensor,
        seed: int,
        device: str,
    ) -> None:
        torch.manual_seed(seed)
        self.drawn = drawn
        self.size, self.device, self.stored, self.steps = size, device, stored, size.steps
        self.images = data.images[~kept_apart(stored, len(data))]
        network = WideResNet(size.depth, size.width, NONE + 1)
        with torch.no_grad():
            network.stem.weight.copy_(second_differences(len(network.stem.weight)))
        self.network = to_channels_last(network, device)
        self.optimiser = torch.optim.SGD(
            self.network.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True
        )

    def batch(self) -> tuple[Tensor, Tensor]:
        """x' [B, 3, 32, 32] and their answers [B], drawn from torch's global generator."""
        stored, clean = self.stored, round(self.size.clean * self.size.batch)
        count = self.size.batch - clean
        label = torch.randint(len(stored.labels), (count,))
        column = torch.randint(stored.learning, (count,))
        attack = torch.randint(NONE, (count,))
        full = torch.rand(count) < 0.5
        strength = torch.where(full, 1.0, 0.4 + 1.2 * torch.rand(count))
        origin = self._some_drawn(stored.images[label, column])
        delta = stored.deltas[label, attack, column].float().view_as(origin)
        attacked = (origin + strength.view(-1, 1, 1, 1) * delta).clamp(0, 1)
        # Half of the clean images are those that are attacked too: the object tells nothing.
        half = clean // 2
        other = self._some_drawn(self.images[torch.randint(len(self.images), (clean - half,))])
        images = torch.cat((attacked, origin[:half], other))
        kinds = torch.cat((attack, torch.full((clean,), NONE)))
        noise = (torch.rand_like(images) - 0.5) * GREY_LEVEL
        noisy = (torch.rand(len(images)) < 0.5).view(-1, 1, 1, 1)
        images = torch.where(noisy, (images + noise).clamp(0, 1), images)
        return flipped_and_shifted(images.to(self.device)), kinds.to(self.device)

    def _some_drawn(self, images: Tensor) -> Tensor:
        """The images, some of them replaced by drawn pictures."""
        chosen = self.drawn[torch.randint(len(self.drawn), (len(images),))]
        replaced = (torch.rand(len(images)) < self.size.of_drawn).view(-1, 1, 1, 1)
        return torch.where(replaced, chosen, images)

    def step(self, number: int) -> Mapping[str, float]:
        """One batch; the loss and the share right in it."""
        done = (number + 1) / self.steps
        rise = min(1.0, done / 0.2)
        fall = 0.5 * (1 + math.cos(math.pi * max(0.0, done - 0.2) / 0.8))
        self.optimiser.param_groups[0]["lr"] = self.size.peak * rise * fall
        images, kinds = self.batch()
        return learn(self.network, self.optimiser, images, kinds, self.device)

    def state_dict(self) -> dict[str, Any]:
        """Weights and momenta."""
        return {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from `state_dict()`."""
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])


def second_differences(count: int) -> Tensor:
    """Kernels [count, 3, 3, 3] to begin with: along rows, columns and both, of colours and mixes.

    They see little of an image and all of a perturbation. From kernels that see the image first
    nothing was learnt in hundreds of steps.
    """
    bend, keep = torch.tensor([1.0, -2.0, 1.0]), torch.tensor([0.0, 1.0, 0.0])
    planes = [torch.outer(a, b) for a, b in ((bend, bend), (keep, bend), (bend, keep))]
    colours = torch.cat((torch.eye(3), torch.randn(count, 3)))
    kernels = [c[:, None, None] * plane for c in colours for plane in planes]
    return torch.stack(kernels[:count])


def kept_apart(stored: StoredAttacks, count: int) -> Tensor:
    """Which of the first `count` training images no type classifier sees, [count] bool."""
    apart = torch.zeros(count, dtype=torch.bool)
    apart[stored.indices[:, stored.learning :].flatten()] = True
    return apart


def train_type_classifier(context: RecipeContext) -> None:
    """Train, measure on held-out images, and write `type-classifier.safetensors`."""
    size, stored = SIZES[context.scale], stored_attacks()
    drawn = drawn_pictures(context.device, range(DRAWN_FROM, DRAWN_FROM + 10 * size.drawn))
    trainer = TypeTrainer(
        size, load_official("cifar10", "train"), stored, drawn, context.seed, context.device
    )
    hours = train(context, "type-classifier", trainer, trainer.steps)
    network = to_channels_last(
        WideResNet.from_tensors(halved(trainer.network.state_dict())), context.device
    ).eval()
    held_out = held_out_runs(context)
    write_trained(
        context,
        "type_classifier",
        "type-classifier",
        trainer.network,
        hours,
        architecture=f"WRN-{size.depth}-{size.width}",
        measured=by_answer(network, held_out.observed, held_out.runs.attack, context.device),
    )


def by_answer(
    network: torch.nn.Module, observed: Tensor, answers: Tensor, device: str
) -> dict[str, object]:
    """Share of held-out images of every answer that a network of x' names rightly."""
    found: dict[str, object] = {"held_out_images": len(answers)}
    for number, name in enumerate((*ATTACKS, "none")):
        own = answers == number
        right = accuracy(network, observed[own], answers[own], device)
        found[name] = share(round(right * int(own.sum())), int(own.sum()))
    return found
