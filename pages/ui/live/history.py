"""What a run leaves behind: its iterates, bounded, and the numbers of every step."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import torch

from red_core.algorithm.observe import Iterate

MAX_FRAMES = 1000  # 31 kB each for MNIST, 58 for CIFAR-10: one run holds 58 MB at most
GRID = 25  # frames of Figure 4


def moved(iterate: Iterate, device: str | torch.device) -> Iterate:
    """The iterate with its tensors on a device, without what they were slices of."""
    values = {
        name: _own(value.detach().to(device))
        for name, value in vars(iterate).items()
        if torch.is_tensor(value)
    }
    return Iterate(**{**vars(iterate), **values})


def _own(value: torch.Tensor) -> torch.Tensor:
    """The tensor alone: one item of a batch would keep the whole batch in memory."""
    return value.clone() if value.untyped_storage().nbytes() > value.nbytes else value


class History:
    """Iterates of one item in order of k: all of them, then every 2nd, 4th ... of a long run.

    The first and the last are always kept.
    """

    def __init__(self) -> None:
        self.frames: list[Iterate] = []
        self._stride = 1

    def add(self, iterate: Iterate) -> None:
        """Record one more iterate; the one before it goes where it falls between the strides."""
        if len(self.frames) > 1 and self.frames[-1].k % self._stride:
            self.frames.pop()
        self.frames.append(moved(iterate, "cpu"))
        if len(self.frames) > MAX_FRAMES:
            self._stride *= 2
            last = self.frames[-1]
            self.frames = [frame for frame in self.frames if frame.k % self._stride == 0]
            if self.frames[-1] is not last:
                self.frames.append(last)


def nearest(ks: Sequence[int], k: int) -> int:
    """The position in ascending `ks` of the value nearest to k (of two, the lower)."""
    right = bisect_left(ks, k)
    if right == 0:
        return 0
    if right == len(ks) or k - ks[right - 1] <= ks[right] - k:
        return right - 1
    return right


def grid_ks(total: int, slots: int = GRID) -> list[int]:
    """The k of Figure 4's frames: evenly over the whole run, Defense-GAN's start included.

    Fewer than `slots` where the run has fewer steps.
    """
    count = min(slots, total + 1)
    if count == 1:
        return [0]
    return [round(place * total / (count - 1)) for place in range(count)]
