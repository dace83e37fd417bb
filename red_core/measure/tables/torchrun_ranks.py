"""The processes that measure one table together, started by `torchrun`; usually there is one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist

Item = TypeVar("Item")
_PATIENCE = timedelta(days=7)  # the slowest process may be hours behind the first


@dataclass(frozen=True)
class TorchrunRanks:
    """This process's place: rank in [0, size)."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> list[Item]:
        """This process's part of what all of them do."""
        return list(items[self.rank :: self.size])

    def gather(self, part: dict[str, Item]) -> dict[str, Item]:
        """All parts in one, on the process that leads; elsewhere this process's own."""
        if self.size == 1:
            return part
        parts: list[dict[str, Item]] | None = [{}] * self.size if self.leads else None
        dist.gather_object(part, parts, dst=0)
        if parts is None:
            return part
        return {name: value for each in parts for name, value in each.items()}


@contextmanager
def joined() -> Iterator[TorchrunRanks]:
    """The ranks that `torchrun` describes in the environment, over gloo; alone without it.

    Each process of a machine takes a CUDA device of its own where there are several.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield TorchrunRanks()
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    dist.init_process_group("gloo", timeout=_PATIENCE)
    try:
        yield TorchrunRanks(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
