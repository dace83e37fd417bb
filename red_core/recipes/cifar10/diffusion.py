"""Train the denoiser of CIFAR-10 for the noise that purification uses (Section B.8).

First on clean images, with EDM's loss (Karras et al. 2022, equation 8): the squared error of
D(y + n; sigma), weighted so that every sigma counts alike. Then on attacked images, judged by psi's
features too (`guided.py`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.data.datasets import ImageSet, load_official
from red_core.models.channels_last import to_channels_last
from red_core.models.denoiser import SIGMA_DATA, SIGMA_MAX, SIGMA_MIN, Denoiser
from red_core.recipes.cifar10.guided import Guidance, GuidedTrainer
from red_core.recipes.cifar10.pool import attacked_pool
from red_core.recipes.cifar10.training import (
    AveragedTrainer,
    Shuffled,
    chunks,
    flipped_and_shifted,
    halved,
    lowered,
    train,
    write_trained,
)
from red_core.recipes.common import RecipeContext
from red_core.run.cifar10_parts import load_psi

WARM_UP = 0.04  # share of the steps in which the rate rises
MEMORY = 0.03  # share of the steps over which the weights are averaged
MEASURED_AT = (0.05, 0.1, 0.2, 0.35)


@dataclass(frozen=True)
class Size:
    """One scale of the recipe.

    guidance: of the second training; images: of the data set, None for all; tested: held-out
    images.
    """

    widths: tuple[int, ...]
    blocks: int
    embedding: int
    epochs: float
    guidance: Guidance
    batch: int = 128
    peak: float = 0.01
    images: int | None = None
    tested: int = 2000


SIZES = {
    "tiny": Size(
        (8, 8), 1, 16, 2, Guidance(2, batch=16), batch=64, peak=0.1, images=256, tested=64
    ),
    "cpu": Size((32, 64, 128), 1, 128, 16, Guidance(600)),
    "gpu": Size((96, 192, 256), 2, 256, 60, Guidance(10_000, batch=512), batch=512),
}


def drawn_sigma(share: Tensor) -> Tensor:
    """Noise levels of uniform `share` in [0, 1]: dense where sigma is small, up to SIGMA_MAX.

    The cube root is uniform, as over the steps of the reverse process (equation 5 of Karras et
    al. 2022 with rho = 3).
    """
    low, high = SIGMA_MIN ** (1 / 3), SIGMA_MAX ** (1 / 3)
    return (low + share * (high - low)) ** 3


def weighted_loss(denoised: Tensor, images: Tensor, sigma: Tensor) -> Tensor:
    """EDM's lambda(sigma) ||D - y||^2 per image [B], as a mean over its pixels."""
    weight = (sigma.square() + SIGMA_DATA**2) / (sigma * SIGMA_DATA).square()
    return weight * (denoised - images).square().mean((1, 2, 3))


class DiffusionTrainer(AveragedTrainer):
    """A denoiser and the data; one step a batch."""

    network: Denoiser

    def __init__(self, size: Size, data: ImageSet, seed: int, device: str) -> None:
        torch.manual_seed(seed)
        self.device, self.images = device, data.images.to(device)
        self.batches = Shuffled(len(data), size.batch, seed)
        steps = math.ceil(size.epochs * self.batches.per_epoch)
        network = to_channels_last(Denoiser(size.widths, size.blocks, size.embedding), device)
        super().__init__(network, steps, size.peak, WARM_UP, MEMORY)

    def step(self, number: int) -> Mapping[str, float]:
        """One batch; its loss. Noise and levels come from the CPU's generator."""
        index = self.batches(number).to(self.device)
        images = 2 * flipped_and_shifted(self.images[index], margin=0) - 1
        count = len(images)
        sigma = drawn_sigma(torch.rand(count)).to(self.device)
        noise = torch.randn(images.shape).to(self.device)
        with lowered(self.device):
            denoised = self.network(images + sigma.view(-1, 1, 1, 1) * noise, sigma)
        loss = weighted_loss(denoised, images, sigma).mean()
        self.descend(number, loss)
        return {"loss": loss.item()}


@torch.no_grad()
def denoising_errors(
    denoiser: Denoiser, data: ImageSet, seed: int, device: str
) -> dict[str, float]:
    """Root mean squared errors of D at each level of MEASURED_AT, on the [-1, 1] scale.

    {sigma: error}; the noise's own error is sigma.
    """
    errors = {}
    for number, sigma in enumerate(MEASURED_AT):
        generator = torch.Generator().manual_seed(seed + number)
        noise = sigma * torch.randn(data.images.shape, generator=generator)
        total = 0.0
        for part in chunks(len(data), 250):
            images = (2 * data.images[part] - 1).to(device)
            levels = torch.full((len(images),), sigma, device=device)
            with lowered(device):
                denoised = denoiser(images + noise[part].to(device), levels)
            total += float((denoised - images).square().sum())
        errors[f"{sigma:g}"] = round((total / data.images.numel()) ** 0.5, 5)
    return errors


def train_diffusion(context: RecipeContext) -> None:
    """Train twice, measure what is written on held-out images; write `diffusion.safetensors`."""
    size = SIZES[context.scale]
    data, held_out = load_official("cifar10", "train"), load_official("cifar10", "held_out")
    data = ImageSet(data.images[: size.images], data.labels[: size.images], data.source)
    held_out = ImageSet(
        held_out.images[: size.tested], held_out.labels[: size.tested], held_out.source
    )
    trainer = DiffusionTrainer(size, data, context.seed, context.device)
    hours = train(context, "diffusion", trainer, trainer.steps)
    first = Denoiser.from_tensors(halved(trainer.average.module.state_dict()))
    psi, pool = load_psi(context.device), attacked_pool(context)
    guided = GuidedTrainer(size.guidance, first, psi, pool, context.seed, context.device)
    hours += train(context, "guided", guided, size.guidance.steps)
    stored = halved(guided.average.module.state_dict())
    denoiser = to_channels_last(Denoiser.from_tensors(stored), context.device).eval()
    write_trained(
        context,
        "diffusion",
        "diffusion",
        guided.average.module,
        hours,
        architecture=f"U-Net {'-'.join(map(str, size.widths))} x {size.blocks}, EDM",
        noise=[SIGMA_MIN, SIGMA_MAX],
        measured={
            "held_out_images": len(held_out),
            "pool": {"images": len(pool.labels), "fooled": pool.fooled},
            "denoising_error": denoising_errors(denoiser, held_out, context.seed, context.device),
        },
    )
