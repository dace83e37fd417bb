"""Train the generators of Appendix B.2: a plain DCGAN on MNIST, a Wasserstein GAN on Fashion-MNIST.

A run with generator "dcgan" inverts these, where `generator.py` trains one that inverts better.
Here the loss is adversarial only: the non-saturating cross entropy of the PyTorch DCGAN example,
or WGAN-GP's. The discriminator is half as wide as G and has no batch normalisation, which the
gradient penalty forbids. The weights written are an exponential moving average of G's, the usual
remedy for the oscillation of such a training, in half precision; what is measured is measured on
the written ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from red_core.algorithm.presets import DCGAN, GENERATORS
from red_core.data.assets import write_tensors
from red_core.data.datasets import load_official
from red_core.models.channels_last import to_channels_last
from red_core.models.dcgan import LATENT, DCGANDiscriminator, DCGANGenerator
from red_core.recipes.adversary import Judge, wasserstein
from red_core.recipes.common import (
    RecipeContext,
    load_checkpoint,
    save_checkpoint,
    shuffled_batches,
)
from red_core.recipes.inversion import invert_held_out

FILE = GENERATORS[DCGAN]
BATCH = 64
AVERAGE_DECAY = 0.999


def cross_entropy(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """D's binary cross entropy on images [B, 1, 28, 28], its scores being logits; a scalar."""
    loss: Tensor = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake)).mean()
    return loss


def non_saturating(scores: Tensor) -> Tensor:
    """G's cross entropy, from D's logits [B] of generated images; a scalar."""
    return F.softplus(-scores).mean()


def wasserstein_share(scores: Tensor) -> Tensor:
    """G's part of the Wasserstein loss, from the critic's scores [B]; a scalar."""
    return -scores.mean()


@dataclass(frozen=True)
class Training:
    """How one of the two is trained.

    judge: D's loss; fool: G's loss from D's scores; critic_steps: updates of D for each of G.
    """

    judge: Judge
    fool: Callable[[Tensor], Tensor]
    epochs: int
    betas: tuple[float, float]
    critic_steps: int = 1
    rate: float = 2e-4


TRAININGS = {
    "mnist": Training(cross_entropy, non_saturating, epochs=30, betas=(0.5, 0.999)),
    # Gulrajani et al. take five critic steps and a rate of 1e-4. A training of an hour has too few
    # updates of G for either.
    "fashion": Training(
        wasserstein, wasserstein_share, epochs=25, betas=(0.5, 0.9), critic_steps=2, rate=5e-4
    ),
}


class _Trainer:
    """Both networks, their optimisers and the moving average of G; one `step` per batch."""

    def __init__(self, training: Training, device: str) -> None:
        self.training = training
        self.generator = to_channels_last(DCGANGenerator(), device)
        self.discriminator = to_channels_last(DCGANDiscriminator(32, spectral=False), device)
        decay = get_ema_multi_avg_fn(AVERAGE_DECAY)
        self.average = AveragedModel(self.generator, multi_avg_fn=decay, use_buffers=True)
        self.optimisers = {
            name: torch.optim.Adam(network.parameters(), lr=training.rate, betas=training.betas)
            for name, network in (("G", self.generator), ("D", self.discriminator))
        }

    def step(self, images: Tensor, number: int) -> dict[str, float]:
        """Update D on images [B, 1, 28, 28]; G after every `critic_steps` batches.

        number: of the batch in its epoch. Returns D's loss.
        """
        moves = (number + 1) % self.training.critic_steps == 0
        with torch.set_grad_enabled(moves):
            fake = self.generator(torch.randn(len(images), LATENT, device=images.device))
        judged = self.training.judge(self.discriminator, images, fake.detach())
        self.optimisers["D"].zero_grad()
        judged.backward()
        self.optimisers["D"].step()
        if moves:
            self.discriminator.requires_grad_(False)  # spares the gradients of its weights
            self.optimisers["G"].zero_grad()
            self.training.fool(self.discriminator(fake)).backward()
            self.optimisers["G"].step()
            self.discriminator.requires_grad_(True)
            self.average.update_parameters(self.generator)
        return {"D": judged.item()}

    def state(self) -> dict[str, object]:
        """Everything a resumed run needs."""
        return {
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": {name: opt.state_dict() for name, opt in self.optimisers.items()},
        }

    def load(self, state: dict[str, dict[str, object]]) -> None:
        """Continue from `state()`."""
        self.generator.load_state_dict(state["generator"])
        self.discriminator.load_state_dict(state["discriminator"])
        self.average.load_state_dict(state["average"])
        for name, opt in self.optimisers.items():
            opt.load_state_dict(state["optimisers"][name])  # type: ignore[arg-type]


def train_paper_generator(context: RecipeContext) -> None:
    """Train G, measure how well it inverts held-out images; write `paper-generator.safetensors`."""
    images = load_official(context.dataset, "train").images
    training = TRAININGS[context.dataset]
    epochs = training.epochs
    if context.tiny:
        images, epochs = images[:512], 2
    images = images.to(context.device)
    torch.manual_seed(context.seed)
    trainer = _Trainer(training, context.device)
    path = context.checkpoint("paper_generator")
    first = 0
    if state := load_checkpoint(path):
        trainer.load(state)
        first = state["epoch"]
    bar = tqdm(range(first, epochs), desc="paper_generator", initial=first, total=epochs)
    for epoch in bar:
        torch.manual_seed(context.seed * 7919 + epoch)  # a resumed run draws the same noise
        losses: dict[str, float] = {}
        for number, index in enumerate(shuffled_batches(len(images), BATCH, context.seed, epoch)):
            losses = trainer.step(images[index.to(context.device)], number)
        bar.set_postfix({name: f"{value:.2f}" for name, value in losses.items()})
        save_checkpoint(path, epoch=epoch + 1, **trainer.state())
    weights = {
        name: t.half() if t.is_floating_point() else t
        for name, t in trainer.average.module.state_dict().items()
    }
    written = DCGANGenerator()
    written.load_state_dict(weights)
    written = written.to(context.device).eval().requires_grad_(False)
    write_tensors(
        context.dataset,
        FILE,
        weights,
        command=context.command("paper_generator"),
        seed=context.seed,
        device=context.device,
        latent=LATENT,
        measured={"epochs": epochs, **invert_held_out(context, written)},
        licence="MIT",
    )
