"""Invert G in W+, one w a layer, by plain optimisation (Section 5.2.2, after Abdal et al. 2019).

From the mean w of all classes, Adam walks down

    1/2 ||x - G(w)||^2 + penalty/2 ||w - w_0||^2 + extra(G(w))

with a rate that rises along a line and falls along a cosine. Items do not meet: each has its own
moments, and every term is a sum over the items.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from red_core.models.feature_distance import ExtraLoss
from red_core.models.generator_interface import StyleLike

_BETAS = (0.9, 0.99)

# Called after every step: images done before this batch, the step from 1, distances [B] so far.
Progress = Callable[[int, int, Tensor], object]


@dataclass(frozen=True)
class InversionOptions:
    """How W+ is searched; raises ValueError, in one sentence, for a value that makes no sense.

    steps: of Adam; rate: its highest rate, in units of w; warm_up: share of the steps in which the
    rate rises to it, the rest is the fall to 0; penalty: weight of 1/2 ||w - w_0||^2, which keeps
    w near its start; best: keep each item's w of the smallest objective rather than the last one;
    batch: images at a time.
    """

    steps: int = 300
    rate: float = 0.05
    warm_up: float = 0.05
    penalty: float = 0.0
    best: bool = True
    batch: int = 64

    def __post_init__(self) -> None:
        for name in ("steps", "batch"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number from 1, not {value!r}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "best" and not math.isfinite(value):
                raise ValueError(f"{field.name} must be a finite number, not {value!r}")
        if self.rate <= 0:
            raise ValueError(f"rate must be above 0, not {self.rate}")
        if not 0 <= self.warm_up < 1:
            raise ValueError(f"warm_up must lie from 0 to below 1, not {self.warm_up}")
        if self.penalty < 0:
            raise ValueError(f"penalty must not be negative, not {self.penalty}")

    def rate_at(self, step: int) -> float:
        """The rate of step 0 to `steps` - 1: up along a line, down along a cosine towards 0."""
        rising = self.warm_up * self.steps
        if step + 1 <= rising:
            return self.rate * (step + 1) / rising
        done = (step + 1 - rising) / (self.steps + 1 - rising)
        return self.rate * 0.5 * (1 + math.cos(math.pi * done))


@dataclass(frozen=True)
class Inverted:
    """What an inversion found, detached.

    w: [B, layers, width]; images: G(w) [B, 3, 32, 32] in [0, 1]; distance: ||x - G(w)|| [B].
    """

    w: Tensor
    images: Tensor
    distance: Tensor


def invert(
    generator: StyleLike,
    images: Tensor,
    options: InversionOptions | None = None,
    *,
    start: Tensor | None = None,
    extra: ExtraLoss | None = None,
    progress: Progress | None = None,
) -> Inverted:
    """The points of W+ whose images come nearest to `images` [B, 3, 32, 32] in [0, 1].

    start: w_0 [B, layers, width], or [1, layers, width] or [1, width] for all; None for the mean w
    of all classes. extra: a further loss, see `feature_distance`. progress: see `Progress`.
    The result is on the generator's device. An item's result does not depend on its neighbours or
    on `batch`, up to rounding. Raises ValueError for images or starts of another shape, and for
    images that are not finite.
    """
    options = options or InversionOptions()
    if images.dim() != 4 or tuple(images.shape[1:]) != tuple(generator.image_shape):
        shape = ", ".join(map(str, generator.image_shape))
        raise ValueError(f"images must be [B, {shape}], not {list(images.shape)}")
    if not images.isfinite().all():
        raise ValueError("images must be finite")
    anchor = _start(generator, len(images), start)
    found: list[Inverted] = []
    for first in range(0, len(images), options.batch):
        rows = slice(first, first + options.batch)
        target = images[rows].to(anchor.device, torch.float32)
        target = target.contiguous(memory_format=torch.channels_last)
        loss = extra(target) if extra is not None else None

        def tell(step: int, distance: Tensor, done: int = first) -> None:
            if progress is not None:
                progress(done, step, distance)

        found.append(_descend(generator, target, anchor[rows], options, loss, tell))
    if not found:
        empty = images.to(anchor.device, torch.float32)
        return Inverted(anchor, empty, empty.flatten(1).sum(1))
    return Inverted(
        torch.cat([part.w for part in found]),
        torch.cat([part.images for part in found]),
        torch.cat([part.distance for part in found]),
    )


def _start(generator: StyleLike, count: int, start: Tensor | None) -> Tensor:
    """w_0 [count, layers, width] on the generator's device."""
    mean = generator.mean_w().detach()
    given = mean if start is None else start.detach().to(mean)
    if given.dim() == 2:
        given = given[:, None].expand(-1, generator.layers, -1)
    shape = (generator.layers, generator.width)
    if given.dim() != 3 or given.shape[1:] != shape or len(given) not in (1, count):
        raise ValueError(
            f"start must be [{count}, {shape[0]}, {shape[1]}] or one such row, "
            f"not {list(given.shape)}"
        )
    return given.expand(count, *shape).clone()


def _descend(
    generator: StyleLike,
    target: Tensor,
    anchor: Tensor,
    options: InversionOptions,
    extra: Callable[[Tensor], Tensor] | None,
    tell: Callable[[int, Tensor], None],
) -> Inverted:
    """Adam from `anchor` [B, layers, width] for one batch of targets [B, 3, 32, 32].

    The objective of every visited w comes with its gradient, so that keeping the best costs
    nothing but the last w's own evaluation.
    """
    w = anchor.clone()
    mean, square = torch.zeros_like(w), torch.zeros_like(w)
    kept_w, kept_loss = w, torch.full((len(w),), math.inf, device=w.device)
    kept_images, kept_distance = target, kept_loss
    for step in range(options.steps + 1):
        last = step == options.steps
        with torch.set_grad_enabled(not last):
            moved = w.requires_grad_(not last)
            made = generator.synthesis(moved)
            squared = (made - target).square().sum((1, 2, 3))
            loss = 0.5 * squared
            if options.penalty:
                loss = loss + 0.5 * options.penalty * (moved - anchor).square().sum((1, 2))
            if extra is not None:
                loss = loss + extra(made)
        # Only w is asked for, so no gradient of the network's weights is computed.
        gradient = None if last else torch.autograd.grad(loss.sum(), moved)[0]
        with torch.no_grad():
            w, distance = moved.detach(), squared.detach().sqrt()
            better = loss.detach() < kept_loss if options.best else torch.ones_like(loss).bool()
            kept_w = torch.where(better[:, None, None], w, kept_w)
            kept_images = torch.where(better[:, None, None, None], made.detach(), kept_images)
            kept_distance = torch.where(better, distance, kept_distance)
            kept_loss = torch.where(better, loss.detach(), kept_loss)
            if step:
                tell(step, kept_distance)
            if gradient is not None:
                mean.lerp_(gradient, 1 - _BETAS[0])
                square.lerp_(gradient.square(), 1 - _BETAS[1])
                unbiased = mean / (1 - _BETAS[0] ** (step + 1))
                size = (square / (1 - _BETAS[1] ** (step + 1))).sqrt() + 1e-8
                w = w - options.rate_at(step) * unbiased / size
    return Inverted(kept_w, kept_images, kept_distance)
