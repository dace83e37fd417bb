"""What the discriminator learns from: hinge loss, or Wasserstein with a gradient penalty.

Both leave it nearly 1-Lipschitz, by spectral norms (Miyato et al. 2018) or by the penalty
(Gulrajani et al. 2017), so that G's share of either is -D(G(z)) at the same weight.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from red_core.models.dcgan import DCGANDiscriminator

PENALTY = 10.0  # Gulrajani's lambda
Judge = Callable[[nn.Module, Tensor, Tensor], Tensor]


def hinge(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """The hinge loss of D on images [B, 1, 28, 28]; a scalar."""
    loss: Tensor = F.relu(1 - discriminator(real)).mean() + F.relu(1 + discriminator(fake)).mean()
    return loss


def wasserstein(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """WGAN-GP's loss of the critic D on images [B, 1, 28, 28]; a scalar.

    E D(fake) - E D(real) + 10 E (||grad D(between)|| - 1)^2, between on the segments from real
    to fake.
    """
    share = torch.rand(len(real), 1, 1, 1).to(real)
    between = torch.lerp(fake, real, share).requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(between).sum(), between, create_graph=True)
    penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
    loss: Tensor = discriminator(fake).mean() - discriminator(real).mean() + PENALTY * penalty
    return loss


# The paper has a DCGAN for MNIST and a Wasserstein GAN for Fashion-MNIST (Section 5.2).
JUDGES: dict[str, Judge] = {"mnist": hinge, "fashion": wasserstein}


def make_discriminator(dataset: str, width: int = 32) -> DCGANDiscriminator:
    """D of a data set: with spectral norms where its loss has no penalty."""
    return DCGANDiscriminator(width, spectral=JUDGES[dataset] is hinge)
