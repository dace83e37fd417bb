"""The Wide ResNet (Zagoruyko & Komodakis 2016) that is attacked on CIFAR-10 (Section 5.2.2)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

# Of CIFAR-10's training pixels, per channel.
_MEAN, _STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


class _Block(nn.Module):
    """Two 3 x 3 convolutions, each after normalisation and rectifier, beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm2: nn.Module = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        same = inputs == outputs and stride == 1
        self.shortcut = None if same else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.norm1(x))
        kept = x if self.shortcut is None else self.shortcut(hidden)
        changed: Tensor = self.conv2(F.relu(self.norm2(self.conv1(hidden))))
        return changed + kept


class WideResNet(nn.Module):
    """WRN-depth-width: images [B, 3, 32, 32] in [0, 1] -> logits [B, classes].

    depth: 6 n + 4 with n blocks in each of three groups of 16, 32 and 64 times `width` channels.
    The pixels' mean and deviation are taken out inside, so that attacks live in [0, 1].
    Raises ValueError for a depth that is not 6 n + 4.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, depth: int = 16, width: int = 4, classes: int = 10) -> None:
        super().__init__()
        if depth < 10 or (depth - 4) % 6:
            raise ValueError(f"a Wide ResNet's depth is 10, 16, 22, 28, ..., not {depth}")
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(3, 1, 1), persistent=False)
        self.stem = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.groups = nn.ModuleList()
        inputs = 16
        for group in range(3):
            outputs = 16 * width * 2**group
            blocks: list[nn.Module] = [_Block(inputs, outputs, 1 if group == 0 else 2)]
            blocks += [_Block(outputs, outputs, 1) for _ in range((depth - 4) // 6 - 1)]
            self.groups.append(nn.Sequential(*blocks))
            inputs = outputs
        self.norm = nn.BatchNorm2d(inputs)
        self.head = nn.Linear(inputs, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    @classmethod
    def from_tensors(cls, stored: Mapping[str, Tensor]) -> WideResNet:
        """The network of a stored file, which tells depth and width itself; in float32."""
        blocks = {name.split(".")[2] for name in stored if name.startswith("groups.0.")}
        width = stored["groups.0.0.conv1.weight"].shape[0] // 16
        network = cls(6 * len(blocks) + 4, width, len(stored["head.bias"]))
        network.load_state_dict(
            {name: t.float() if t.is_floating_point() else t for name, t in stored.items()}
        )
        return network

    def features(self, images: Tensor, depth: int = 3) -> list[Tensor]:
        """What the first `depth` groups make of images [B, 3, 32, 32]; the others do not run.

        Maps [B, 16 width, 32, 32] and smaller. That of the third group is normalised and rectified;
        its mean over the pixels is what the head reads.
        """
        hidden = self.stem((images - self.mean) / self.std)
        made = []
        for group in self.groups[:depth]:
            hidden = group(hidden)
            made.append(hidden)
        return made if depth < len(self.groups) else [*made[:-1], F.relu(self.norm(hidden))]

    def first_features(self, images: Tensor) -> Tensor:
        """What the first group makes of images, [B, 16 width, 32, 32]."""
        return self.features(images, 1)[0]

    def forward(self, images: Tensor) -> Tensor:
        """Logits [B, classes] of images [B, 3, 32, 32] with values in [0, 1]."""
        logits: Tensor = self.head(self.features(images)[-1].mean((2, 3)))
        return logits

    def fold_norms(self) -> WideResNet:
        """Fold each block's second normalisation into the convolution before it, in place.

        The logits stay the same, and an attack's step is cheaper. Call once, in eval mode.
        """
        for block in self.modules():
            if isinstance(block, _Block) and isinstance(block.norm2, nn.BatchNorm2d):
                block.conv1 = fuse_conv_bn_eval(block.conv1, block.norm2)
                block.norm2 = nn.Identity()
        return self
