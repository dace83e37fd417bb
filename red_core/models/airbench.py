"""A classifier of 32 x 32 colour images that is trained fast: airbench's (Jordan 2024).

A fixed whitening of 2 x 2 patches, then groups of two convolutions whose maps are halved at once,
so that nearly all work is done at 15 x 15 and below. It shares neither architecture nor weights
with psi, so psi's weak directions are not its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_PATCH = 2  # side of the whitened patches
_MEAN, _STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of CIFAR-10's channels
_LOGITS = 1 / 9  # on the head's output, as published


class _Norm(nn.BatchNorm2d):
    """Batch normalisation without a learned scale: the convolution before it has one."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=1e-12, momentum=0.4)
        self.weight.requires_grad_(False)


class _Group(nn.Module):
    """Two 3 x 3 convolutions; the maps are halved between the first and its normalisation."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm1, self.norm2 = _Norm(outputs), _Norm(outputs)
        for conv in (self.conv1, self.conv2):
            nn.init.dirac_(conv.weight[: conv.in_channels])

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.norm1(F.max_pool2d(self.conv1(x), 2)))
        return F.gelu(self.norm2(self.conv2(x)))


class AirbenchNet(nn.Module):
    """Images [B, 3, 32, 32] in [0, 1] -> logits [B, classes].

    widths: channels of the three groups. In eval mode the logits are the mean of those of an image
    and of its mirror image, as in airbench.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, widths: Sequence[int] = (64, 256, 256), classes: int = 10) -> None:
        super().__init__()
        patches = 2 * 3 * _PATCH**2
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)
        self.whiten = nn.Conv2d(3, patches, _PATCH)
        self.whiten.weight.requires_grad_(False)
        inputs = (patches, *widths[:-1])
        self.groups = nn.ModuleList(_Group(a, b) for a, b in zip(inputs, widths, strict=True))
        self.head = nn.Linear(widths[-1], classes, bias=False)

    @classmethod
    def from_tensors(cls, stored: Mapping[str, Tensor]) -> AirbenchNet:
        """The network of a stored file, which tells its widths itself; in float32."""
        groups = {name.split(".")[1] for name in stored if name.startswith("groups.")}
        widths = [len(stored[f"groups.{number}.conv1.weight"]) for number in range(len(groups))]
        network = cls(widths, len(stored["head.weight"]))
        network.load_state_dict(
            {name: t.float() if t.is_floating_point() else t for name, t in stored.items()}
        )
        return network

    @torch.no_grad()
    def fit_whitening(self, images: Tensor, ridge: float = 5e-4) -> None:
        """Set the first layer to whiten 2 x 2 patches of images [N, 3, 32, 32] in [0, 1]."""
        patches = F.unfold((images - self.mean) / self.std, _PATCH)
        flat = patches.transpose(1, 2).flatten(0, 1)
        values, vectors = torch.linalg.eigh(flat.T @ flat / len(flat))
        kernels = (vectors.T / (values + ridge).sqrt()[:, None]).flip(0)
        kernels = kernels.view(-1, 3, _PATCH, _PATCH)
        self.whiten.weight.copy_(torch.cat((kernels, -kernels)))
        if self.whiten.bias is not None:
            self.whiten.bias.zero_()

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            return self._logits(images)
        return (self._logits(images) + self._logits(images.flip(3))) / 2

    def _logits(self, images: Tensor) -> Tensor:
        x = F.gelu(self.whiten((images - self.mean) / self.std))
        for group in self.groups:
            x = group(x)
        logits: Tensor = self.head(x.amax((2, 3))) * _LOGITS
        return logits
