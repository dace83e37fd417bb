"""Classifiers psi: [B, 1, 28, 28] in [0, 1] -> logits [B, 10]."""

from __future__ import annotations

from torch import Tensor, nn


class Table3CNN(nn.Module):
    """The CNN of Table 3 (B.2), the network that is attacked on MNIST and Fashion-MNIST.

    Convolutions are unpadded, as in Carlini & Wagner (2017), whose architecture this is; the
    "ReLU" that Table 3 lists after the ten logits is a misprint (a cross-entropy on rectified
    logits could not push a wrong class below zero) and is left out.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, 3),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(64 * 4 * 4, 200),
            nn.ReLU(),
            nn.Linear(200, 200),
            nn.ReLU(),
            nn.Linear(200, classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Logits [B, classes] of images [B, 1, 28, 28] with values in [0, 1]."""
        logits: Tensor = self.head(self.features(images))
        return logits
