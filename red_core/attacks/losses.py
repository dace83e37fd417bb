"""The losses that attacks climb."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Loss = Callable[[Tensor, Tensor], Tensor]
"""Logits [B, classes] and classes [B] to a loss an image, [B]."""


def log_odds(logits: Tensor, labels: Tensor) -> Tensor:
    """log((1 - p_y) / p_y), p = softmax(logits): logits [B, classes], labels [B] -> [B].

    An image's gradient is that of its cross-entropy over 1 - p_y, so an attack that takes only the
    gradient's direction takes the same steps. Cross-entropy loses that direction where a network
    is sure: in float32 p_y rounds to 1, and AdverTorch's l2 step divides by at least 1e-6.
    """
    true = labels[:, None]
    others = torch.logsumexp(logits.scatter(1, true, -torch.inf), dim=1)
    return others - logits.gather(1, true)[:, 0]


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """-log p_y, p = softmax(logits): logits [B, classes], labels [B] -> [B]."""
    return nn.functional.cross_entropy(logits, labels, reduction="none")
