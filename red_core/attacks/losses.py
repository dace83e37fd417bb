"""The losses that attacks climb."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Loss = Callable[[Tensor, Tensor], Tensor]
"""Logits [B, classes] and classes [B] to a loss an image, [B]."""


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """-log p_y, p = softmax(logits): logits [B, classes], labels [B] -> [B]."""
    return nn.functional.cross_entropy(logits, labels, reduction="none")


def log_odds(logits: Tensor, labels: Tensor) -> Tensor:
    """log((1 - p_y) / p_y), p = softmax(logits): logits [B, classes], labels [B] -> [B].

    Its gradient is that of the cross-entropy over 1 - p_y: the same direction, at any scale.
    """
    true = labels[:, None]
    others = torch.logsumexp(logits.scatter(1, true, -torch.inf), dim=1)
    return others - logits.gather(1, true)[:, 0]


def attack_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """The cross-entropy, and the log-odds where it is zero: logits [B, classes], labels [B] -> [B].

    Where a network is so sure that p_y rounds to 1, the cross-entropy has no gradient left, and
    AdverTorch's l2 step divides what there is by at least 1e-6. The log-odds keep its direction,
    which is all that a PGD step takes. An image that grows less sure goes up in both, so a larger
    value is always the worse one for the network.
    """
    loss = cross_entropy(logits, labels)
    return torch.where(loss > 0, loss, log_odds(logits, labels))
