"""FGSM, DDN, and Gaussian noise, which is no attack at all."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from red_core.attacks.losses import attack_loss
from red_core.attacks.pgd import seeded
from red_core.compat import ensure_advertorch

DDN_STEPS = 100
NOISE = 0.3  # standard deviation in pixels: as much as the paper's l-inf attack may add


def fgsm(network: nn.Module, images: Tensor, labels: Tensor, eps: float) -> Tensor:
    """x + eps sign(grad), clipped (Goodfellow et al. 2015): images [B, C, H, W] in [0, 1]."""
    with torch.enable_grad():
        leaf = images.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(attack_loss(network(leaf), labels).sum(), leaf)
    return (images + eps * gradient.sign()).clamp(0, 1)


def ddn(
    network: nn.Module, images: Tensor, labels: Tensor, seed: int, steps: int = DDN_STEPS
) -> Tensor:
    """The smallest l2 perturbation that `network` misreads, by DDN (Rony et al. 2019).

    AdverTorch's own, written by the method's first author; an image that it finds no way out for
    comes back clean. network: frozen; images [B, C, H, W] in [0, 1], labels [B]; seed: for the
    rare pixel-wise zero gradient, which it replaces by noise.
    """
    ensure_advertorch()
    from advertorch.attacks import DDNL2Attack

    attack = DDNL2Attack(network, nb_iter=steps)
    with seeded(seed), torch.enable_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it steps its schedule first, as it means to
        attacked: Tensor = attack.perturb(images, labels)
    return attacked.detach().clamp(0, 1)


def noise(images: Tensor, seeds: Sequence[int], sigma: float = NOISE) -> Tensor:
    """Images [B, C, H, W] with N(0, sigma^2) on every pixel, clipped; an item's from its seed."""
    drawn = [
        torch.randn(image.shape, generator=torch.Generator().manual_seed(seed))
        for image, seed in zip(images, seeds, strict=True)
    ]
    return (images + sigma * torch.stack(drawn).to(images)).clamp(0, 1)
