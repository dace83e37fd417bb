"""Steepest ascent in the three balls, and in their union: the attack of adversarial training.

For one ball this is PGD with few, large steps (Madry et al. 2018); for several it is MSD's (Maini
et al. 2020): every step is tried in every ball, and each image keeps the one that hurts most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PIXELS = (5, 20)  # an l1 step moves between so many pixels, as Maini et al. draw them


@dataclass(frozen=True)
class Ball:
    """kind: linf, l2 or l1; eps: its radius; step: the length of one step in its norm."""

    kind: str
    eps: float
    step: float


def project_l1(delta: Tensor, eps: float) -> Tensor:
    """The nearest points of the l1 ball, [B, n] -> [B, n] (Duchi et al. 2008)."""
    size = delta.abs()
    falling = size.sort(dim=1, descending=True).values
    count = torch.arange(1, delta.shape[1] + 1, device=delta.device)
    excess = (falling.cumsum(1) - eps) / count
    last = (falling > excess).sum(1, keepdim=True) - 1
    threshold = excess.gather(1, last).clamp_min(0)
    return delta.sign() * (size - threshold).clamp_min(0)


def project(delta: Tensor, ball: Ball) -> Tensor:
    """The nearest points of a ball, [B, n] -> [B, n]."""
    if ball.kind == "linf":
        return delta.clamp(-ball.eps, ball.eps)
    if ball.kind == "l2":
        return delta * (ball.eps / delta.norm(dim=1, keepdim=True).clamp_min(1e-12)).clamp_max(1)
    return project_l1(delta, ball.eps)


def ascend(delta: Tensor, gradient: Tensor, images: Tensor, ball: Ball) -> Tensor:
    """One step of steepest ascent in a ball, projected on it and on the pixel range; [B, n]."""
    if ball.kind == "linf":
        move = gradient.sign()
    elif ball.kind == "l2":
        move = gradient / gradient.norm(dim=1, keepdim=True).clamp_min(1e-12)
    else:
        # Pixels that can still move the way the gradient wants; the strongest of them.
        point = images + delta
        free = ((gradient > 0) & (point < 1)) | ((gradient < 0) & (point > 0))
        count = int(torch.randint(PIXELS[0], PIXELS[1] + 1, ()))
        weakest = (gradient.abs() * free).topk(count, dim=1).values[:, -1:]
        chosen = (gradient.abs() >= weakest) & free
        move = gradient.sign() * chosen / count
    moved = project(delta + ball.step * move, ball)
    return (images + moved).clamp(0, 1) - images


def random_start(images: Tensor, ball: Ball) -> Tensor:
    """Perturbations [B, n] drawn within a ball and the pixel range."""
    if ball.kind == "linf":
        delta = torch.empty_like(images).uniform_(-ball.eps, ball.eps)
    else:
        delta = project(torch.randn_like(images), ball) * torch.rand(len(images), 1).to(images)
    return (images + delta).clamp(0, 1) - images


def attack(
    network: nn.Module, images: Tensor, labels: Tensor, balls: Sequence[Ball], steps: int
) -> Tensor:
    """x' of images [B, C, H, W] in [0, 1] and labels [B]: `steps` steps from a random start."""
    flat = images.flatten(1)
    delta = random_start(flat, balls[0])
    for _ in range(steps):
        delta.requires_grad_()
        loss = F.cross_entropy(network((flat + delta).view_as(images)), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, delta)
        with torch.no_grad():
            delta = delta.detach()
            moved = [ascend(delta, gradient, flat, ball) for ball in balls]
            delta = moved[0] if len(moved) == 1 else _worst(network, flat, labels, moved, images)
    return (flat + delta.detach()).view_as(images)


def _worst(
    network: nn.Module, flat: Tensor, labels: Tensor, moved: list[Tensor], images: Tensor
) -> Tensor:
    """Of several perturbations [B, n], each image's own with the largest loss."""
    every = torch.stack(moved)
    points = (flat + every).flatten(0, 1).view(-1, *images.shape[1:])
    logits = network(points)
    losses = F.cross_entropy(logits, labels.repeat(len(moved)), reduction="none")
    worst = losses.view(len(moved), -1).argmax(0)
    return every[worst, torch.arange(len(labels), device=worst.device)]
