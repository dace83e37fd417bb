"""Where z is likely: what the starts of an inversion are drawn from, and what pulls them back.

A DCGAN's z is N(0, I). A style generator is inverted in W+ (Section 5.2.2), where the mapping
network says what is likely. A diffusion model has no latent space: its "z" is the image itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from red_core.algorithm.problem import Generator
from red_core.models.generator_interface import StyleLike

CHUNK = 100  # images that G makes at once while draws are compared
Losses = Callable[[Tensor], Tensor]
"""Images [R, C, H, W] -> the loss of each beside every x' of a batch, [B, R]."""


class Prior(Protocol):
    """What is known of z before x' is seen."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one z."""
        ...

    def draw(self, streams: Sequence[torch.Generator], count: int) -> Tensor:
        """`count` likely z's from each of B streams of random numbers, [B, count, *shape]."""
        ...

    def centre(self) -> Tensor:
        """The middle of what is likely, [*shape]: the anchor of starts that have none."""
        ...

    def guess(self, images: Tensor) -> Tensor | None:
        """What an encoder makes of images [B, C, H, W], [B, *shape]; None where there is none."""
        ...


class GaussianPrior:
    """z ~ N(0, I) of d dimensions; its centre is the origin."""

    def __init__(self, latent: int, encoder: nn.Module | None, device: torch.device) -> None:
        self.latent, self.encoder, self.device = latent, encoder, device

    @property
    def shape(self) -> tuple[int]:
        """(d,)."""
        return (self.latent,)

    def draw(self, streams: Sequence[torch.Generator], count: int) -> Tensor:
        """Standard normal z [B, count, d]."""
        drawn = [torch.randn(count, self.latent, generator=stream) for stream in streams]
        return torch.stack(drawn).to(self.device)

    def centre(self) -> Tensor:
        """The origin [d]."""
        return torch.zeros(self.latent, device=self.device)

    @torch.no_grad()
    def guess(self, images: Tensor) -> Tensor | None:
        """The encoder's mean z [B, d]."""
        return None if self.encoder is None else self.encoder(images)[0]


class StylePrior:
    """W+ of a style generator: w = mapping(z, y), one copy a layer; its centre is the mean w."""

    def __init__(
        self, generator: StyleLike, encoder: nn.Module | None, device: torch.device
    ) -> None:
        self.generator, self.encoder, self.device = generator, encoder, device

    @property
    def shape(self) -> tuple[int, int]:
        """(layers, width)."""
        return (self.generator.layers, self.generator.width)

    @torch.no_grad()
    def draw(self, streams: Sequence[torch.Generator], count: int) -> Tensor:
        """w of random z and random classes (B.2), [B, count, layers, width]."""
        z = [torch.randn(count, self.generator.latent, generator=each) for each in streams]
        y = [torch.randint(self.generator.classes, (count,), generator=each) for each in streams]
        w = self.generator.mapping(torch.cat(z).to(self.device), torch.cat(y).to(self.device))
        return self._every_layer(w).unflatten(0, (len(streams), count))

    def centre(self) -> Tensor:
        """The mean w of all classes, in every layer: [layers, width]."""
        return self._every_layer(self.generator.mean_w())[0]

    def class_centres(self) -> Tensor:
        """The mean w of each class, in every layer: [classes, layers, width]."""
        labels = torch.arange(self.generator.classes, device=self.device)
        return self._every_layer(self.generator.mean_w(labels))

    @torch.no_grad()
    def guess(self, images: Tensor) -> Tensor | None:
        """The encoder's point of W+ [B, layers, width]."""
        return None if self.encoder is None else self.encoder(images)

    def _every_layer(self, w: Tensor) -> Tensor:
        """[R, width] -> [R, layers, width]."""
        return w[:, None].expand(-1, self.generator.layers, -1).clone()


def starts_from(
    prior: Prior,
    observed: Tensor,
    seeds: Sequence[int],
    *,
    restarts: int,
    mean: bool = False,
    encoder: bool = False,
    draws: int = 0,
    generator: Generator | None = None,
    class_losses: Losses | None = None,
) -> tuple[Tensor, Tensor]:
    """Starts z [B, S, *shape] for x' [B, C, H, W], and their anchors, of the same shape.

    encoder: the encoder's guess, which is its own anchor, comes first, where there is an encoder;
    mean: the prior's centre is a start; class_losses: the mean w of the class that it finds nearest
    is one, its own anchor (see `nearest_class`, which needs G: generator); restarts: draws of the
    prior, where `draws` is not 0 the nearest of so many (see `nearest_draws`, which needs G too).
    The mean and the draws are anchored at the centre. What is drawn for an item comes from its seed
    alone. Raises ValueError where that makes no start at all, or the prior knows no classes.
    """
    centre = prior.centre()
    starts: list[Tensor] = []
    anchors: list[Tensor] = []
    guess = prior.guess(observed) if encoder else None
    if guess is not None:
        starts.append(guess[:, None])
        anchors.append(guess[:, None])
    if mean:
        starts.append(centre.expand(len(observed), 1, *prior.shape))
        anchors.append(starts[-1])
    if class_losses is not None:
        assert generator is not None
        starts.append(nearest_class(prior, generator, class_losses)[:, None])
        anchors.append(starts[-1])
    if restarts:
        streams = [torch.Generator().manual_seed(seed) for seed in seeds]
        if draws:
            assert generator is not None
            starts.append(nearest_draws(prior, generator, observed, streams, draws, restarts))
        else:
            starts.append(prior.draw(streams, restarts))
        anchors.append(centre.expand_as(starts[-1]))
    if not starts:
        raise ValueError("this data set has no encoder: ask for restarts, at least 1")
    return torch.cat(starts, dim=1), torch.cat(anchors, dim=1)


@torch.no_grad()
def nearest_class(prior: Prior, generator: Generator, losses: Losses) -> Tensor:
    """The class's mean w whose G(w) has the smallest loss beside each x', [B, *shape].

    All classes are compared, whatever class an image has or is read as. Raises ValueError for a
    prior without classes.
    """
    if not isinstance(prior, StylePrior):
        raise ValueError("class_start needs a generator that is given the class, in W+")
    centres = prior.class_centres()
    return centres[losses(generator(centres)).argmin(1)]


@torch.no_grad()
def nearest_draws(
    prior: Prior,
    generator: Generator,
    observed: Tensor,
    streams: Sequence[torch.Generator],
    draws: int,
    keep: int,
) -> Tensor:
    """Of `draws` draws of the prior the `keep` with the smallest ||x' - G(z)||, nearest first.

    observed: x' [B, C, H, W]; streams: one an item; returns z [B, keep, *shape]. The published
    code starts so, with the best of 100 draws.
    """
    kept = []
    for image, stream in zip(observed, streams, strict=True):  # alone: no neighbour counts
        z = prior.draw([stream], draws)[0]
        made = torch.cat([generator(part) for part in z.split(CHUNK)])
        error = (made - image).flatten(1).square().sum(1)
        kept.append(z[error.topk(keep, largest=False).indices])
    return torch.stack(kept)
