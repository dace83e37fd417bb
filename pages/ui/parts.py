"""What the runs on a data set share."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from red_core.bundle import Bundle


@dataclass(frozen=True)
class Parts:
    """What runs share, frozen: the trained parts, and a basis of D_a's row space [k, rank]."""

    bundle: Bundle
    basis: Tensor
