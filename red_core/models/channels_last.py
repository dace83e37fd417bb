"""A network on its device, in the memory order in which its convolutions are fast."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

M = TypeVar("M", bound=nn.Module)


def to_channels_last(module: M, device: str | torch.device) -> M:
    """Move a network to a device, channels last: small convolutions are half again as fast so."""
    return module.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
