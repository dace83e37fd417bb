"""DiffPure (Nie et al. 2022), the D(x') of Section B.8: drown the attack in noise, then denoise.

An image x' in [0, 1] is taken to [-1, 1], noise of deviation sigma is added, and the reverse
process of the diffusion model leads from sigma back to 0: along the probability flow
dx / d sigma = (x - D(x; sigma)) / sigma by Heun's method (Karras et al. 2022, Algorithm 1), or,
stochastic, by ancestral sampling, which takes fresh noise at every step.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from red_core.models.denoiser import SIGMA_MAX, SIGMA_MIN

RHO = 3.0  # of the schedule: larger spends more of the steps on small sigma
BATCH = 64  # noisy images at a time


class Denoises(Protocol):
    """D(x; sigma), as `Denoiser` is: x [B, 3, H, W] on [-1, 1], sigma [B]."""

    def __call__(self, images: Tensor, sigma: Tensor) -> Tensor:
        """The mean of the clean images behind `images`, of their shape."""
        ...


def schedule(sigma: float, steps: int) -> tuple[float, ...]:
    """`steps` levels from sigma down to SIGMA_MIN, and 0 (Karras et al. 2022, equation 5).

    One step goes from sigma to 0 at once.
    """
    if steps == 1:
        return sigma, 0.0
    high, low = sigma ** (1 / RHO), SIGMA_MIN ** (1 / RHO)
    levels = [(high + (low - high) * i / (steps - 1)) ** RHO for i in range(steps)]
    return (*levels, 0.0)


def evaluations(sigma: float, steps: int, stochastic: bool, draws: int) -> int:
    """How often a `Purifier` of these numbers calls its denoiser for one image."""
    if sigma == 0:
        return 0
    return draws * (steps if stochastic else 2 * steps - 1)


@dataclass(frozen=True)
class Purifier:
    """Images [B, 3, H, W] in [0, 1] -> purified images [B, 3, H, W] in [0, 1].

    denoiser: frozen and in eval mode; sigma: the noise's deviation on the [-1, 1] scale, 0 (the
    identity) or SIGMA_MIN to SIGMA_MAX; steps: noise levels on the way back; with 1 the answer is
    D's first guess, the mean of all images that could have been; stochastic: ancestral sampling
    instead of the probability flow; draws: purifications, each from its own noise, that are
    averaged. Raises ValueError for a value out of range.
    """

    denoiser: Denoises
    sigma: float
    steps: int = 5
    stochastic: bool = False
    draws: int = 1

    def __post_init__(self) -> None:
        if not (self.sigma == 0 or SIGMA_MIN <= self.sigma <= SIGMA_MAX):
            raise ValueError(
                f"sigma must be 0 or lie between {SIGMA_MIN:g} and {SIGMA_MAX:g}, not {self.sigma}"
            )
        for name, value in (("steps", self.steps), ("draws", self.draws)):
            if value < 1:
                raise ValueError(f"{name} must be 1 or more, not {value}")

    @property
    def evaluations(self) -> int:
        """How often the denoiser is called for one image."""
        return evaluations(self.sigma, self.steps, self.stochastic, self.draws)

    @torch.no_grad()
    def __call__(self, images: Tensor, seeds: Sequence[int]) -> Tensor:
        """D(x') of images x' [B, 3, H, W]; the noise of each comes from its own seed.

        Raises ValueError where images and seeds do not belong together or pixels leave [0, 1].
        """
        parts = [drawn.mean(1) for drawn in self._parts(images, seeds)]
        return torch.cat(parts) if parts else images.clone()

    def each(self, images: Tensor, seeds: Sequence[int]) -> Tensor:
        """The `draws` purifications themselves, [B, draws, 3, H, W], whose mean is D(x').

        Differentiable in the images where gradients are on. Raises ValueError as D(x') does.
        """
        parts = list(self._parts(images, seeds))
        return torch.cat(parts) if parts else images[:, None].expand(-1, self.draws, -1, -1, -1)

    def _parts(self, images: Tensor, seeds: Sequence[int]) -> Iterator[Tensor]:
        """The purifications [b, draws, 3, H, W] of some images after the other."""
        _check(images, seeds)
        if self.sigma == 0:
            yield images[:, None].repeat(1, self.draws, 1, 1, 1)
            return
        together = max(1, BATCH // self.draws)
        for first in range(0, len(images), together):
            part = slice(first, first + together)
            yield self._purified(images[part], seeds[part])

    def _purified(self, images: Tensor, seeds: Sequence[int]) -> Tensor:
        noise = self._noise(images, seeds)
        x = (2 * images - 1).repeat_interleave(self.draws, 0) + self.sigma * next(noise)
        x = x.contiguous(memory_format=torch.channels_last)
        for level, lower in pairwise(schedule(self.sigma, self.steps)):
            if lower == 0:
                x = self._denoised(x, level)
            elif self.stochastic:
                kept = lower**2 / level  # noise left, to which as much fresh is added as lacks
                x = x + (kept - level) * self._slope(x, level)
                x = x + math.sqrt(lower**2 - kept**2) * next(noise)
            else:
                slope = self._slope(x, level)
                ahead = self._slope(x + (lower - level) * slope, lower)
                x = x + (lower - level) * (slope + ahead) / 2
        return ((x + 1) / 2).clamp(0, 1).unflatten(0, (-1, self.draws))

    def _denoised(self, x: Tensor, level: float) -> Tensor:
        return self.denoiser(x, torch.full((len(x),), level, device=x.device))

    def _slope(self, x: Tensor, level: float) -> Tensor:
        """dx / d sigma along the probability flow."""
        return (x - self._denoised(x, level)) / level

    def _noise(self, images: Tensor, seeds: Sequence[int]) -> Iterator[Tensor]:
        """Standard normal noise [B * draws, 3, H, W], time after time; CPU noise on any device."""
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        shape = (self.draws, *images.shape[1:])
        while True:
            drawn = [torch.randn(shape, generator=generator) for generator in generators]
            yield torch.cat(drawn).to(images.device)


def _check(images: Tensor, seeds: Sequence[int]) -> None:
    if images.dim() != 4:
        raise ValueError(f"images must be [B, 3, H, W], not {list(images.shape)}")
    if len(seeds) != len(images):
        raise ValueError(f"{len(images)} images need as many seeds, not {len(seeds)}")
    if not bool(((images >= 0) & (images <= 1)).all()):
        raise ValueError("images must be finite, with pixels in [0, 1]")
