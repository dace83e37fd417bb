"""Operations and memory of one step, counted on the real modules rather than guessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.module_tracker import ModuleTracker


@dataclass(frozen=True)
class Counted:
    """Of one step: floating-point operations, and bytes kept from forward to backward pass."""

    operations: float
    kept: float

    def at(self, other: Counted, batch: int, batches: tuple[int, int]) -> Counted:
        """This one counted on batches[0], `other` on batches[1]: the line through both at `batch`.

        Convolutions and products grow with the batch, what a step does with weights alone does not.
        """
        along = (batch - batches[0]) / (batches[1] - batches[0])
        return Counted(
            self.operations + along * (other.operations - self.operations),
            self.kept + along * (other.kept - self.kept),
        )


class _OneModule:
    """Counts all under one name: torch's own tracker fails where gradients are differentiated."""

    parents: ClassVar[set[str]] = {"Global"}

    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def counted(step: Callable[[], object]) -> Counted:
    """Run a step and count. A multiplication and the addition after it are two operations.

    Convolutions and matrix products are counted, forwards and backwards; what works entry by entry
    (norms, rectifiers, the optimiser) is not: it is bound by memory, and is part of why no device
    reaches its full rate. Memory counts a tensor once that several operations keep.
    """
    kept: dict[int, Tensor] = {}  # holding them keeps an address from being used twice

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.detach()
        return tensor

    counter = FlopCounterMode(display=False)
    counter.mod_tracker = cast(ModuleTracker, _OneModule())
    with (
        counter,
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
    ):
        step()
    held = sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
    return Counted(float(counter.get_total_flops()), float(held))


def weight_bytes(*modules: nn.Module, copies: int) -> int:
    """Of the modules' parameters, `copies` times: with gradients and moments, say."""
    return copies * sum(p.numel() * p.element_size() for m in modules for p in m.parameters())
