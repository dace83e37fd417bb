"""What a style generator is trained beside: a discriminator, and an encoder into W+."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LARGEST = 4.0


class StyleDiscriminator(nn.Module):
    """D: images [B, 3, 32, 32] in [0, 1] and labels [B] -> scores [B], large where it looks real.

    Strided convolutions without norms (the gradient penalties keep it smooth); the label enters
    by its embedding's product with the features (projection, Miyato & Koyama 2018).
    """

    def __init__(self, width: int = 32, classes: int = 10, deep: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.LeakyReLU(0.2)]
        for factor in (1, 2, 4):
            count = width * factor
            if deep:
                layers += [nn.Conv2d(count, count, 3, padding=1), nn.LeakyReLU(0.2)]
            layers += [nn.Conv2d(count, 2 * count, 4, 2, 1), nn.LeakyReLU(0.2)]
        last = 8 * width
        self.net = nn.Sequential(*layers)
        self.mix = nn.Conv2d(last + 1, last, 3, padding=1)
        # Without biases: they would cancel, because scores are compared within a class.
        self.score = nn.Linear(last * 16, 1, bias=False)
        self.project = nn.Linear(last * 16, last, bias=False)
        self.embed = nn.Embedding(classes, last)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Scores [B]."""
        x = self.net(2 * images - 1)
        # One map tells how much the images of a batch differ (Karras et al. 2018).
        spread = x.float().var(0, unbiased=False).add(1e-8).sqrt().mean()
        x = torch.cat((x, spread.to(x.dtype).expand(len(x), 1, *x.shape[2:])), dim=1)
        x = F.leaky_relu(self.mix(x), 0.2).flatten(1)
        matched = (self.project(x) * self.embed(labels)).sum(1) * self.embed.weight.shape[1] ** -0.5
        scores: Tensor = self.score(x).squeeze(1) + matched
        return scores.float()


class StyleEncoder(nn.Module):
    """E: images [B, 3, 32, 32] in [0, 1] -> W+ [B, layers, width].

    One w for all layers and a small offset for each, as in e4e (Tov et al. 2021); the entries of
    both lie within +-LARGEST.
    """

    def __init__(self, layers: int, width: int, channels: int = 32, hidden: int = 768) -> None:
        super().__init__()
        self.shape = (layers, width)
        parts: list[nn.Module] = [
            nn.Conv2d(3, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.LeakyReLU(0.2),
        ]
        for factor in (1, 2, 4):
            count = channels * factor
            parts += [
                nn.Conv2d(count, 2 * count, 4, 2, 1, bias=False),
                nn.BatchNorm2d(2 * count),
                nn.LeakyReLU(0.2),
            ]
        parts += [nn.Flatten(), nn.Linear(8 * channels * 16, hidden), nn.LeakyReLU(0.2)]
        self.net = nn.Sequential(*parts)
        self.common = nn.Linear(hidden, width)
        self.offsets = nn.Linear(hidden, layers * width)

    @classmethod
    def from_tensors(cls, stored: Mapping[str, Tensor]) -> StyleEncoder:
        """The encoder of a stored file, which tells every size itself; in float32."""
        width, hidden = stored["common.weight"].shape
        layers = stored["offsets.weight"].shape[0] // width
        network = cls(layers, width, stored["net.0.weight"].shape[0], hidden)
        network.load_state_dict(
            {name: t.float() if t.is_floating_point() else t for name, t in stored.items()}
        )
        return network

    def parts(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The common w [B, width] and the offsets of every layer [B, layers, width]."""
        hidden = self.net(2 * images - 1)
        # Bounded: a code that has run away saturates G, and nothing would bring it back.
        common, offsets = (
            LARGEST * torch.tanh(head(hidden).float() / LARGEST)
            for head in (self.common, self.offsets)
        )
        return common, offsets.unflatten(1, self.shape)

    def forward(self, images: Tensor) -> Tensor:
        """A point of W+ for each image."""
        common, offsets = self.parts(images)
        return common[:, None] + offsets


class StylePosterior(nn.Module):
    """Q: which z the mapping network could have made w [B, width] of class y from.

    Mean and log-variance of z, [B, latent] each: with the mapping network it is a variational
    autoencoder of E's codes (Kingma & Welling 2014), whose z is N(0, I).
    """

    def __init__(self, latent: int, width: int, classes: int = 10) -> None:
        super().__init__()
        self.embed = nn.Embedding(classes, width)
        self.net = nn.Sequential(
            nn.Linear(2 * width, 2 * width),
            nn.LeakyReLU(0.2),
            nn.Linear(2 * width, 2 * width),
            nn.LeakyReLU(0.2),
            nn.Linear(2 * width, 2 * latent),
        )

    def forward(self, w: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance (at most 1) of z."""
        made = self.net(torch.cat((w, self.embed(labels)), dim=1)).float()
        mean, log_variance = made.chunk(2, dim=1)
        return mean, log_variance.clamp(-8, 1)
