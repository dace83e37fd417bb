"""What the preset `best` reads its answers with: evidence about the attack's type."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class EvidenceModel(nn.Module):
    """Features of the residual [B, F] -> logits over (attack types ..., none), [B, A + 1].

    A standardised two-layer perceptron, trained on attacked training images; `temperature`
    is fitted on other training images, so that its probabilities are calibrated.
    """

    mean: Tensor
    scale: Tensor
    temperature: Tensor

    def __init__(self, features: int, answers: int, width: int = 32) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        self.register_buffer("temperature", torch.ones(()))
        self.net = nn.Sequential(nn.Linear(features, width), nn.ReLU(), nn.Linear(width, answers))

    def forward(self, features: Tensor) -> Tensor:
        """Calibrated logits [B, answers]."""
        logits: Tensor = self.net((features - self.mean) / self.scale)
        return logits / self.temperature
