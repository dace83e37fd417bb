"""The game of the style generator: relativistic pairs, gradient penalties, recoloured images."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def paired_loss(better: Tensor, worse: Tensor) -> Tensor:
    """Mean softplus of -(better - worse), over pairs of one class [B] (Jolicoeur-Martineau 2019).

    For D, better are its scores of real images and worse of drawn ones; for G the other way.
    """
    return F.softplus(worse - better).mean()


def gradient_penalty(critic: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Mean squared norm of the score's gradient at images [B, ...]: R1 at real ones, R2 at drawn.

    In float32: bf16 is too coarse for a gradient of gradients.
    """
    images = images.detach().float().requires_grad_(True)
    score = critic(images, labels).sum()
    (slope,) = torch.autograd.grad(score, images, create_graph=True)
    return slope.square().sum((1, 2, 3)).mean()


def recoloured(images: Tensor) -> Tensor:
    """Images [B, 3, H, W] with brightness, saturation and contrast changed at random.

    The colour part of differentiable augmentation (Zhao et al. 2020), an image at a time. Values
    may leave [0, 1].
    """
    draws = torch.rand(3, len(images), 1, 1, 1).to(images)
    brightness, saturation, contrast = draws[0] - 0.5, 2 * draws[1], draws[2] + 0.5
    images = images + 0.5 * brightness
    grey = images.mean(1, keepdim=True)
    images = grey + saturation * (images - grey)
    middle = images.mean((1, 2, 3), keepdim=True)
    return middle + contrast * (images - middle)
