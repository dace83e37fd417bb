"""The denoiser that purifies CIFAR-10 images (Section B.8): a small U-Net.

It is preconditioned as in EDM (Karras et al. 2022, Section 5) and keeps the size of its
activations by unit kernels (Karras et al. 2024), without normalisation layers: on a CPU those cost
as much as the convolutions between them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIGMA_DATA = 0.5  # the deviation of CIFAR-10's pixels on [-1, 1]
SIGMA_MIN, SIGMA_MAX = 0.01, 0.4  # the noise it is trained for: what purification adds
_FREQUENCIES = 16  # of ln(sigma) / 4, as sine and cosine
_HEAD = 32  # channels of one attention head


_SILU = 1 / 0.596  # brings SiLU of a normal input back to size 1 (its second moment)
# (1 - t) a + t b of size 1 for independent a and b of size 1: t = 0.3 in a block, 0.5 at a joint.
_OLD, _NEW = 0.7 / math.hypot(0.7, 0.3), 0.3 / math.hypot(0.7, 0.3)
_HALF = math.sqrt(0.5)


class _Conv(nn.Module):
    """A convolution without bias whose kernels have length `size`, one for each output channel."""

    def __init__(self, inputs: int, outputs: int, side: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, side, side))
        self.stride, self.padding = stride, side // 2 if stride == 1 else 0

    def forward(self, x: Tensor, size: float = 1.0) -> Tensor:
        # Whatever scales the input or the output is scaled here, where it costs nothing.
        kernel = size * F.normalize(self.weight.flatten(1)).view_as(self.weight)
        return F.conv2d(x, kernel, None, self.stride, self.padding)


class _Block(nn.Module):
    """Two 3 x 3 convolutions beside the input; the embedding scales the channels between them."""

    def __init__(self, width: int, embedding: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = _Conv(width, width, 3), _Conv(width, width, 3)
        self.modulation = _Conv(embedding, width)
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        scale = 1 + self.gain * self.modulation(embedding)
        hidden = F.silu(self.conv1(F.silu(x), _SILU) * scale)
        return torch.add(self.conv2(hidden, _SILU * _NEW), x, alpha=_OLD)


class _Side(nn.ModuleList):
    """The blocks of one side of the images, one after the other."""

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        for block in self:
            x = block(x, embedding)
        return x


class _Attention(nn.Module):
    """Self-attention over the pixels, by the cosine of queries and keys."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = max(1, width // _HEAD)
        self.read, self.write = _Conv(width, 3 * width), _Conv(width, width)

    def forward(self, x: Tensor) -> Tensor:
        count, _, height, width = x.shape
        read = self.read(x).reshape(count, 3, self.heads, -1, height * width).transpose(3, 4)
        query, key, value = F.normalize(read, dim=-1).unbind(1)
        near = (query @ key.transpose(2, 3)) * math.sqrt(read.shape[-1])
        mixed = near.softmax(-1) @ value * math.sqrt(read.shape[-1])
        mixed = mixed.transpose(2, 3).reshape(x.shape)
        mixed = mixed.contiguous(memory_format=torch.channels_last)
        return torch.add(self.write(mixed, _NEW), x, alpha=_OLD)


class Denoiser(nn.Module):
    """D(x; sigma): the mean of the images that noise of deviation sigma can have turned into x.

    widths: channels at each side of the U, from 32 x 32 on, halving; blocks: residual blocks of
    each side on the way down and again on the way up; embedding: width of what the noise level is
    turned into. It is not given a class: at the noise of purification a class changed no error
    (equal to four digits), and the class of an attacked image is not known.
    """

    frequencies: Tensor

    def __init__(
        self,
        widths: Sequence[int] = (32, 64, 128),
        blocks: int = 1,
        embedding: int = 128,
    ) -> None:
        super().__init__()
        self.register_buffer(
            "frequencies", 2 * math.pi * 2.0 ** torch.linspace(-2, 3, _FREQUENCIES), False
        )
        self.noise = _Conv(2 * _FREQUENCIES, embedding)
        self.offset = nn.Parameter(torch.randn(embedding))
        self.stem = _Conv(4, widths[0], 3)

        def side(width: int) -> _Side:
            return _Side(_Block(width, embedding) for _ in range(blocks))

        steps = list(pairwise(widths))
        self.down = nn.ModuleList(side(width) for width in widths)
        self.up = nn.ModuleList(side(width) for width in widths)
        self.shrink = nn.ModuleList(_Conv(fine, coarse, 2, 2) for fine, coarse in steps)
        self.grow = nn.ModuleList(_Conv(coarse, fine) for fine, coarse in steps)
        self.attention = _Attention(widths[-1])
        self.head = _Conv(widths[0], 3, 3)
        self.gain = nn.Parameter(torch.zeros(()))

    @classmethod
    def from_tensors(cls, stored: Mapping[str, Tensor]) -> Denoiser:
        """The network of a stored file, which tells its own shape; in float32."""
        sides = {int(name.split(".")[1]) for name in stored if name.startswith("down.")}
        blocks = {name.split(".")[2] for name in stored if name.startswith("down.0.")}
        embedding = len(stored["offset"])
        widths = [stored[f"down.{side}.0.conv1.weight"].shape[0] for side in sorted(sides)]
        network = cls(widths, len(blocks), embedding)
        network.load_state_dict({name: t.float() for name, t in stored.items()})
        return network

    def forward(self, images: Tensor, sigma: Tensor) -> Tensor:
        """The denoised images [B, 3, H, W], about [-1, 1], in float32.

        images: noisy, on the [-1, 1] scale, sides divisible by 2 ** (sides of the U - 1);
        sigma: [B], the noise's deviation, SIGMA_MIN to SIGMA_MAX.
        """
        level = sigma.float().view(-1, 1, 1, 1)
        total = (level.square() + SIGMA_DATA**2).sqrt()
        raw = self._raw(images / total, level.log() / 4)
        kept = (SIGMA_DATA / total).square() * images
        return kept + (level * SIGMA_DATA / total) * raw.float()

    def _embedding(self, level: Tensor) -> Tensor:
        """[B, embedding, 1, 1] of ln(sigma) / 4."""
        phase = level * self.frequencies.view(1, -1, 1, 1)
        noise = self.noise(math.sqrt(2) * torch.cat([phase.cos(), phase.sin()], 1))
        offset = F.normalize(self.offset, dim=0) * math.sqrt(len(self.offset))
        return _SILU * F.silu(_HALF * (noise + offset[:, None, None]))

    def _raw(self, x: Tensor, level: Tensor) -> Tensor:
        """F of EDM's equation 7: the U-Net itself; inputs and outputs of size about 1."""
        embedding = self._embedding(level)
        x = self.stem(torch.cat([x, torch.ones_like(x[:, :1])], 1))
        fine: list[Tensor] = []
        for number, side in enumerate(self.down):
            if number:
                x = self.shrink[number - 1](x)
            x = side(x, embedding)
            fine.append(x)
        x = self.attention(x)
        for number in reversed(range(len(self.up))):
            x = self.up[number](x, embedding)
            if number:
                x = F.interpolate(self.grow[number - 1](x, _HALF), scale_factor=2.0)
                x = torch.add(x, fine[number - 1], alpha=_HALF)
        raw: Tensor = self.gain * self.head(x)
        return raw
