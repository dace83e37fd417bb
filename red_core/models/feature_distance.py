"""A distance of images in a network's features, as a loss beside the pixels' (perceptual loss)."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

# Given a batch of targets x [B, 3, 32, 32], a function of G(w) [B, 3, 32, 32] -> [B]: what is
# computed of x alone (its features, say) is then computed once and not at every step.
ExtraLoss = Callable[[Tensor], Callable[[Tensor], Tensor]]


def feature_distance(features: Callable[[Tensor], Tensor], weight: float = 1.0) -> ExtraLoss:
    """An extra loss: weight/2 times the squared distance of a network's features of x and G(w).

    features: images [B, 3, 32, 32] -> [B, ...], of a network in eval mode. Raises ValueError for
    a weight that is negative or not finite.
    """
    if not (math.isfinite(weight) and weight >= 0):
        raise ValueError(f"the weight of a feature distance must not be {weight}")

    def of(target: Tensor) -> Callable[[Tensor], Tensor]:
        with torch.no_grad():
            wanted = features(target).flatten(1)
        return lambda made: 0.5 * weight * (features(made).flatten(1) - wanted).square().sum(1)

    return of
