"""An adversarial patch: a small square whose pixels are free, the rest of the image untouched."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from red_core.attacks.losses import attack_loss

SIDE = 7  # pixels: a sixteenth of a 28 x 28 image
BORDER = 4  # pixels at every edge that no patch covers: the official digits leave them empty
STEPS, STEP = 100, 0.05


def places(shape: tuple[int, int], seeds: Sequence[int], side: int = SIDE) -> Tensor:
    """Masks [B, 1, H, W] of one square each, 1 inside; where, an item's seed decides."""
    masks = torch.zeros(len(seeds), 1, *shape)
    for mask, seed in zip(masks, seeds, strict=True):
        draw = torch.Generator().manual_seed(seed)
        top, left = (
            int(torch.randint(BORDER, extent - BORDER - side + 1, (), generator=draw))
            for extent in shape
        )
        mask[:, top : top + side, left : left + side] = 1
    return masks


def patch(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    seeds: Sequence[int],
    steps: int = STEPS,
) -> Tensor:
    """x' of images [B, C, H, W] in [0, 1], each with its own patch (as Karmon et al. 2018).

    The patch's pixels start at random and follow the sign of the gradient of `attack_loss`
    of `network` anywhere in [0, 1]; of all steps the one of largest loss is kept. network:
    frozen; labels [B], the true classes; seeds: one per image, of the place and the start.
    """
    mask = places((images.shape[-2], images.shape[-1]), seeds).to(images)
    begun = [
        torch.rand(image.shape, generator=torch.Generator().manual_seed(seed + 1))
        for image, seed in zip(images, seeds, strict=True)
    ]
    now = torch.where(mask > 0, torch.stack(begun).to(images), images)
    best, highest = now, images.new_full((len(images),), -torch.inf)
    for step in range(steps + 1):
        with torch.enable_grad():
            leaf = now.detach().requires_grad_()
            loss = attack_loss(network(leaf), labels)
            (gradient,) = torch.autograd.grad(loss.sum(), leaf)
        better = loss.detach() > highest
        best = torch.where(better[:, None, None, None], now, best)
        highest = torch.where(better, loss.detach(), highest)
        if step < steps:
            now = (now + STEP * mask * gradient.sign()).clamp(0, 1)
    return best
