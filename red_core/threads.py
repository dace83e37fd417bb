"""How many threads torch computes on.

One image alone is bound by reading D_a: on a quiet machine it takes as long on one thread as on
two, and beside other work two threads, which wait for each other, take three to six times as long.
So a single run computes on one thread, and a batch of BATCH images or more on all cores.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

BATCH = 8  # images together from which more threads pay


def threads_for(items: int) -> int:
    """The threads for a batch of so many items: 1, or every core that this process may use."""
    return 1 if items < BATCH else cores()


@contextmanager
def computing_on(threads: int) -> Iterator[None]:
    """Compute on so many threads in the calling thread, then on as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def cores() -> int:
    """The cores that this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):  # Linux: respects taskset and containers' cpusets
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
