"""How SBSC and SBSAD answer from a decomposition."""

from __future__ import annotations

import torch
from torch import Tensor

from red_core.sbsc.rounds import Decomposition


def decide(target: Tensor, found: Decomposition) -> tuple[Tensor, Tensor]:
    """The class and the attack type of x' [B, n]: indices [B] each.

    SBSC: the active class i of the smallest ||x' - D_s[i] c_s[i] - D_a c_a||. SBSAD: given it, the
    active attack j of the smallest ||x' - D_s c_s - D_a[i][j] c_a[i][j]||. As in the
    authors' code, all of D_s c_s is subtracted in the second, not D_s[i] c_s[i] alone. Neither
    ever answers that there was no attack.
    """
    unexplained = (target - found.perturbation)[:, None] - found.signal
    signal = _smallest(unexplained, found.classes)
    every = torch.arange(len(target), device=target.device)
    unexplained = (target - found.clean)[:, None] - found.attack[every, signal]
    return signal, _smallest(unexplained, found.attacks)


def _smallest(vectors: Tensor, allowed: Tensor) -> Tensor:
    """The index of the shortest allowed vector: [B, m, n], [B, m] -> [B]."""
    lengths = torch.linalg.vector_norm(vectors, dim=2)
    return lengths.masked_fill(~allowed, torch.inf).argmin(1)
