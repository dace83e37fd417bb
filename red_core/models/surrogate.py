"""Another network of another architecture, on which attacks are made that ψ has never seen."""

from __future__ import annotations

from torch import Tensor, nn

FILE = "surrogate.safetensors"


class Surrogate(nn.Module):
    """LeNet-5's shape (LeCun et al. 1998): 5 x 5 filters, averages, two small dense layers.

    ψ has 3 x 3 filters, maxima and four convolutions: the two share the data and nothing else.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(1, 12, 5, padding=2), nn.ReLU(), nn.AvgPool2d(2)),
            *(nn.Conv2d(12, 32, 5), nn.ReLU(), nn.AvgPool2d(2)),
        )
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(32 * 5 * 5, 100), nn.ReLU(), nn.Linear(100, classes)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Logits [B, classes] of images [B, 1, 28, 28] in [0, 1]."""
        logits: Tensor = self.head(self.features(images))
        return logits
