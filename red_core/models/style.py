"""A class-conditional style-based generator for 32 x 32 colour images, small enough to invert live.

The design is StyleGAN2's (Karras et al. 2020) with what inversion in W+ asks for: every layer is
modulated by its own w (scale of what goes in, shift of what comes out) and nothing is random.
W+ also decides where things are: the 4 x 4 input is a linear map of the first w instead of a
learned constant, and what a layer puts out is shifted by a coarse field that its w paints, in the
place of StyleGAN2's noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIDE = 32
_FIRST = 4  # side of the first feature maps
_GAIN = 2**0.5  # of the leaky rectifier, so that variances stay near 1


class _Field(nn.Module):
    """A shift of feature maps that differs from place to place: about as many numbers as w has."""

    def __init__(self, outputs: int, width: int, side: int) -> None:
        super().__init__()
        self.side, self.coarse = side, min(side, 16, math.isqrt(width))
        self.channels = max(1, width // self.coarse**2)
        self.paint = nn.Linear(width, self.channels * self.coarse**2)
        self.mix = nn.Conv2d(self.channels, outputs, 1, bias=False)
        nn.init.normal_(self.mix.weight, std=0.1 * self.channels**-0.5)

    def forward(self, w: Tensor) -> Tensor:
        """w [B, width] -> [B, outputs, side, side]."""
        x: Tensor = self.mix(self.paint(w).view(-1, self.channels, self.coarse, self.coarse))
        if self.coarse != self.side:
            x = F.interpolate(x, size=self.side, mode="bilinear")
        return x


class _Modulated(nn.Module):
    """A convolution whose input channels are scaled and whose output is shifted as w says.

    The output's scale is taken out again (demodulation). Scaling the maps instead of the weights
    is the same thing and needs no convolution of its own for each image.
    """

    def __init__(
        self, inputs: int, outputs: int, width: int, side: int, upsample: bool = False
    ) -> None:
        super().__init__()
        self.scale = nn.Linear(width, inputs)
        self.shift = nn.Linear(width, outputs)
        self.field = _Field(outputs, width, side)
        self.upsample = upsample
        shape = (inputs, outputs, 4, 4) if upsample else (outputs, inputs, 3, 3)
        self.weight = nn.Parameter(torch.randn(shape) * (9 * inputs) ** -0.5)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Feature maps [B, inputs, h, h] and w [B, width] -> [B, outputs, side, side]."""
        style = 1 + self.scale(w)
        power = self.weight.square().sum((2, 3))
        # Of a transposed convolution's 16 taps four meet at each pixel.
        power = power / 4 if self.upsample else power.T
        demodulated = (style.square() @ power + 1e-6).rsqrt()
        x = x * style[:, :, None, None].to(x.dtype)
        if self.upsample:
            x = F.conv_transpose2d(x, self.weight, stride=2, padding=1)
        else:
            x = F.conv2d(x, self.weight, padding=1)
        x = x * demodulated[:, :, None, None].to(x.dtype)
        x = x + self.shift(w)[:, :, None, None].to(x.dtype) + self.field(w).to(x.dtype)
        return F.leaky_relu(x, 0.2) * _GAIN


class _ToColour(nn.Module):
    """Feature maps to three colours, their channels scaled as w says."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.scale = nn.Linear(width, inputs)
        self.weight = nn.Parameter(torch.randn(3, inputs, 1, 1) * 0.3 * inputs**-0.5)
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """[B, inputs, h, h] and w [B, width] -> [B, 3, h, h]."""
        x = x * (1 + self.scale(w))[:, :, None, None].to(x.dtype)
        return F.conv2d(x, self.weight, self.bias)


class StyleGenerator(nn.Module):
    """G: mapping (z, y) -> w, and synthesis of a stack of w's -> images [B, 3, 32, 32] in (0, 1).

    channels: of the maps at 4, 8, 16 and 32 pixels a side; latent: dimension of z; width: of w;
    classes: labels y from 0 to classes - 1. `layers` w's make one point of W+: the input, two
    convolutions a resolution (one at 4 x 4), and the last colours. The colours of a lower
    resolution share the w of the layer after them, as in StyleGAN2.
    """

    class_means: Tensor

    def __init__(
        self,
        channels: Sequence[int] = (256, 256, 128, 64),
        latent: int = 128,
        width: int = 512,
        classes: int = 10,
    ) -> None:
        super().__init__()
        self.channels, self.latent, self.width = tuple(channels), latent, width
        self.classes, self.layers = classes, 2 * len(self.channels) + 1
        self.embed = nn.Embedding(classes, latent)
        self.map = nn.Sequential(
            nn.Linear(2 * latent, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, width),
        )
        first = self.channels[0]
        self.start = nn.Linear(width, first * _FIRST**2)
        self.convolutions = nn.ModuleList([_Modulated(first, first, width, _FIRST)])
        for number, (before, after) in enumerate(pairwise(self.channels), start=1):
            side = _FIRST * 2**number
            self.convolutions.append(_Modulated(before, after, width, side, upsample=True))
            self.convolutions.append(_Modulated(after, after, width, side))
        self.colours = nn.ModuleList(_ToColour(count, width) for count in self.channels)
        self.register_buffer("class_means", torch.zeros(classes, width))

    @classmethod
    def from_tensors(cls, stored: Mapping[str, Tensor]) -> StyleGenerator:
        """The generator of a stored file, which tells every size itself; in float32."""
        count = sum(name.startswith("colours.") and name.endswith(".bias") for name in stored) // 2
        channels = [stored[f"colours.{i}.weight"].shape[1] for i in range(count)]
        classes, latent = stored["embed.weight"].shape
        network = cls(channels, latent, stored["map.0.weight"].shape[0], classes)
        network.load_state_dict({name: t.float() for name, t in stored.items()})
        return network

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Of one image."""
        return (3, SIDE, SIDE)

    def mapping(self, z: Tensor, labels: Tensor) -> Tensor:
        """w [B, width] of z [B, latent] ~ N(0, I) and labels [B].

        Raises ValueError for other shapes and for labels that are no class.
        """
        if z.dim() != 2 or z.shape[1] != self.latent or labels.shape != z.shape[:1]:
            raise ValueError(
                f"mapping needs z [B, {self.latent}] and labels [B], "
                f"not {list(z.shape)} and {list(labels.shape)}"
            )
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < self.classes:
            raise ValueError(f"labels must lie from 0 to {self.classes - 1}")
        # Both at length sqrt(latent): neither drowns the other.
        parts = (z, self.embed(labels))
        w: Tensor = self.map(torch.cat([F.normalize(p) * self.latent**0.5 for p in parts], dim=1))
        return w

    def synthesis(self, w: Tensor) -> Tensor:
        """Images [B, 3, 32, 32] in (0, 1) of w [B, layers, width], or of one w [B, width] for all.

        Raises ValueError for another shape.
        """
        if w.dim() == 2:
            w = w[:, None].expand(-1, self.layers, -1)
        if w.dim() != 3 or w.shape[1:] != (self.layers, self.width):
            raise ValueError(
                f"synthesis needs w [B, {self.layers}, {self.width}] or [B, {self.width}], "
                f"not {list(w.shape)}"
            )
        x = self.start(w[:, 0]).view(-1, self.channels[0], _FIRST, _FIRST)
        x = F.leaky_relu(x, 0.2).contiguous(memory_format=torch.channels_last) * _GAIN
        colours: Tensor | None = None
        for number, convolution in enumerate(self.convolutions):
            x = convolution(x, w[:, number + 1])
            if number % 2 == 0:  # the last map of its resolution
                made = self.colours[number // 2](x, w[:, number + 2])
                if colours is not None:
                    made = made + F.interpolate(colours, scale_factor=2, mode="bilinear")
                colours = made
        assert colours is not None
        return torch.sigmoid(colours.float())

    def forward(self, w: Tensor) -> Tensor:
        """`synthesis`: what is inverted is the map from W+."""
        return self.synthesis(w)

    def draw(self, count: int, seeds: Sequence[int]) -> Tensor:
        """z [count, latent] ~ N(0, I), each from its own seed, on the CPU."""
        if len(seeds) != count:
            raise ValueError(f"{count} images need as many seeds, not {len(seeds)}")
        drawn = [
            torch.randn(self.latent, generator=torch.Generator().manual_seed(s)) for s in seeds
        ]
        return torch.stack(drawn) if drawn else torch.empty(0, self.latent)

    def sample(self, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        """Images [B, 3, 32, 32] of classes `labels` [B], each of its own seed alone."""
        z = self.draw(len(labels), seeds).to(self.class_means.device)
        return self.synthesis(self.mapping(z, labels.to(z.device)))

    def mean_w(self, labels: Tensor | None = None) -> Tensor:
        """The mean w of each label's class [B, width]; of all classes [1, width] for None."""
        if labels is None:
            return self.class_means.mean(0, keepdim=True)
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < self.classes:
            raise ValueError(f"labels must lie from 0 to {self.classes - 1}")
        return self.class_means[labels]

    @torch.no_grad()
    def measure_means(self, count: int = 2000, seed: int = 0) -> None:
        """Fill `class_means` from `count` draws a class of one seed."""
        z = torch.randn(count, self.latent, generator=torch.Generator().manual_seed(seed))
        z = z.to(self.class_means.device)
        for y in range(self.classes):
            labels = torch.full((count,), y, device=z.device)
            self.class_means[y] = self.mapping(z, labels).mean(0)
