"""A DCGAN-style generator for 28 x 28 grey images, its discriminator and its encoder.

Radford et al. 2015, scaled to 28 x 28: a linear layer to 7 x 7, then transposed convolutions
to 14 x 14 and 28 x 28, batch normalisation and (leaky) rectifiers between them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

LATENT = 100  # the latent dimension d of the paper's DCGAN


class DCGANGenerator(nn.Module):
    """G: z [B, latent] -> images [B, 1, 28, 28] in (0, 1)."""

    def __init__(self, latent: int = LATENT, width: int = 64) -> None:
        super().__init__()
        self.latent = latent
        self.project = nn.Linear(latent, 2 * width * 7 * 7, bias=False)
        self.norm1: nn.Module = nn.BatchNorm1d(2 * width * 7 * 7)
        self.up1 = nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False)
        self.norm2: nn.Module = nn.BatchNorm2d(width)
        self.up2 = nn.ConvTranspose2d(width, 1, 4, 2, 1)
        self.width = width
        self.activation: nn.Module = nn.ReLU()

    def forward(self, z: Tensor) -> Tensor:
        """Images [B, 1, 28, 28] of latents z [B, latent] (eq. 4 with convolutional W_i)."""
        hidden = self.activation(self.norm1(self.project(z)))
        hidden = hidden.unflatten(1, (2 * self.width, 7, 7))
        hidden = self.activation(self.norm2(self.up1(hidden)))
        return torch.sigmoid(self.up2(hidden))

    def fold_norms(self) -> DCGANGenerator:
        """Fold the normalisations of a trained G into its weights; G(z) stays the same.

        The W_i of eq. 4 are then plain matrices, and every step of the solver is a third cheaper.
        In place; call once, in eval mode.
        """
        if isinstance(self.norm1, nn.BatchNorm1d) and isinstance(self.norm2, nn.BatchNorm2d):
            self.project = fuse_linear_bn_eval(self.project, self.norm1)
            self.up1 = fuse_conv_bn_eval(self.up1, self.norm2, transpose=True)
            self.norm1, self.norm2 = nn.Identity(), nn.Identity()
        return self


class DCGANDiscriminator(nn.Module):
    """D: images [B, 1, 28, 28] -> one score [B]; spectral norms keep it 1-Lipschitz-like.

    spectral: False for a Wasserstein critic, whose gradient penalty does that instead.
    """

    def __init__(self, width: int = 64, spectral: bool = True) -> None:
        super().__init__()
        norm = nn.utils.parametrizations.spectral_norm if spectral else nn.Identity()
        self.net = nn.Sequential(
            norm(nn.Conv2d(1, width, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            norm(nn.Conv2d(width, 2 * width, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            norm(nn.Linear(2 * width * 7 * 7, 1)),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Scores [B]: large where an image looks real."""
        scores: Tensor = self.net(images)
        return scores.squeeze(1)


class Encoder(nn.Module):
    """E: images [B, 1, 28, 28] -> mean and log-variance of z, [B, latent] each."""

    def __init__(self, latent: int = LATENT, width: int = 64) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, width, 4, 2, 1),
            nn.BatchNorm2d(width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, 2, 1),
            nn.BatchNorm2d(2 * width),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(2 * width * 7 * 7, 512),
            nn.LeakyReLU(0.2),
            nn.Linear(512, 2 * latent),
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the latent code, [B, latent] each."""
        mean, log_variance = self.net(images).chunk(2, dim=1)
        return mean, log_variance
