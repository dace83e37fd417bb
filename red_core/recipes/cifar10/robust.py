"""Train M_inf of CIFAR-10: psi's network, on one-step l-inf attacks on itself.

Fast adversarial training (Wong, Rice and Kolter 2020): every batch is moved one gradient-sign step
of 1.25 eps from a random start within eps. It begins at psi's weights, which a few epochs turn into
a robust network's (Jeddi et al. 2020), and eps grows to its full size over the first quarter.
"""

from __future__ import annotations

from torch import Tensor

from red_core.attacks.pgd import PAPER_ATTACKS
from red_core.data.assets import read_manifest, read_tensors
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.cifar10.classifier import (
    ClassifierTrainer,
    Size,
    accuracy_on_test,
    as_stored,
    training_images,
)
from red_core.recipes.cifar10.training import lowered, train, write_trained
from red_core.recipes.common import RecipeContext
from red_core.recipes.robust import accuracy_under_attack
from red_core.recipes.steepest import Ball, attack

EPS = PAPER_ATTACKS["cifar10"]["linf"].eps
OVERSHOOT = 1.25  # of eps: the step
RAMP, FIRST = 0.25, 0.2  # share of the steps until eps is whole, and the share of it to begin with

# Depth and width count for the estimate alone: the network is psi's.
SIZES = {
    "tiny": Size(depth=10, width=1, epochs=2, small=0.5, batch=64, peak=0.1, images=256),
    "cpu": Size(depth=16, width=4, epochs=6, small=0.4, peak=0.1),
    "gpu": Size(depth=28, width=4, epochs=30, small=0.25, peak=0.1),
}


class RobustTrainer(ClassifierTrainer):
    """A classifier's training on attacks on itself."""

    def eps(self, number: int) -> float:
        """Of step `number`, counted from 0."""
        done = number / self.steps
        return EPS * min(1.0, FIRST + (1 - FIRST) * done / RAMP)

    def batch(self, number: int) -> tuple[Tensor, Tensor]:
        """Attacked images [B, 3, H, W] and labels [B] of step `number`."""
        images, labels = super().batch(number)
        eps = self.eps(number)
        self.network.requires_grad_(False)
        with lowered(self.device):
            attacked = attack(self.network, images, labels, [Ball("linf", eps, OVERSHOOT * eps)], 1)
        self.network.requires_grad_(True)
        return attacked, labels


def train_robust(context: RecipeContext) -> None:
    """Train, attack it on held-out images, and write `robust-linf.safetensors`."""
    size = SIZES[context.scale]
    psi = WideResNet.from_tensors(read_tensors("cifar10", "classifier.safetensors"))
    data = training_images(size)
    trainer = RobustTrainer(size, data, context.seed, context.device, psi)
    hours = train(context, "robust", trainer, trainer.steps)
    network = as_stored(trainer.network, context.device).requires_grad_(False)
    write_trained(
        context,
        "robust",
        "robust-linf",
        trainer.network,
        hours,
        architecture=read_manifest("cifar10")["classifier.safetensors"]["architecture"],
        measured=accuracy_on_test(context, network) | accuracy_under_attack(context, network),
    )
