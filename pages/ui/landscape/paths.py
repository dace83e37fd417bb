"""Live paths of gradient descent over a landscape with d = 2: a worker that starts are added to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pages.ui.charts.landscape import Trail
from pages.ui.landscape.landscape_request import Start
from pages.ui.live.compute_queue import COMPUTE_QUEUE, FairLock
from pages.ui.live.worker import State, Worker
from red_core.landscape import Inversion

STEPS = 5000  # of one path, at most
STILL = 1e-7  # of ||z*||: a path whose step is shorter has come to rest
FAR = 1e3  # of the plane: a path that leaves further has diverged
DRAWN = 120  # points of one path's loss that are drawn
STRIDE = 0.004  # of the plane's width: iterates nearer to each other are drawn as one


Losses = tuple[NDArray[np.int64], NDArray[np.float64]]  # k and f


@dataclass(frozen=True)
class PathsView:
    """The paths at one moment.

    trails: for drawing, thinned; losses: for each path some k and its f there; ends: how each
    ends: "moving", "at rest", "diverged" or "out of steps"; k: of the longest path; paused:
    whether a person has paused them.
    """

    state: State
    trails: tuple[Trail, ...]
    losses: tuple[Losses, ...]
    ends: tuple[str, ...]
    k: int
    paused: bool
    place: int
    error: str

    @property
    def moving(self) -> int:
        """How many paths still move."""
        return self.ends.count("moving")

    @property
    def running(self) -> bool:
        """Whether what is drawn will change by itself."""
        return self.state == "running" and self.moving > 0


def _thinned(losses: list[float]) -> Losses:
    """About DRAWN of the steps, evenly, and the last."""
    ks = np.unique(np.linspace(0, len(losses) - 1, DRAWN).round().astype(np.int64))
    return ks, np.array(losses)[ks]


class _Path:
    """One path, its drawn points thinned as it goes."""

    def __init__(self, start: Tensor, value: float) -> None:
        self.points = [start.tolist()]
        self.values = [value]
        self.ks = [0]
        self.losses = [value]  # of every step
        self.k = 0
        self.end = "moving"
        self._drawn = start  # the last point that stays

    def add(self, z: Tensor, value: float, stride: float) -> None:
        """One more iterate; the one before it goes where it is near the last that stays."""
        self.k += 1
        self.losses.append(value)
        before = torch.tensor(self.points[-1], dtype=torch.float64)
        if len(self.points) > 1 and float((before - self._drawn).abs().max()) < stride:
            for kept in (self.points, self.values, self.ks):
                kept.pop()
        else:
            self._drawn = before
        self.points.append(z.tolist())
        self.values.append(value)
        self.ks.append(self.k)

    def trail(self) -> Trail:
        points = np.array(self.points)
        return Trail(points[:, 0], points[:, 1], np.array(self.values), np.array(self.ks))


class Paths(Worker[str]):
    """z - eta grad f from every start, all at once; a start added later begins at its own k = 0.

    width: of the plane that is drawn. The worker has no end of its own: when every path rests it
    waits, paused, for more starts.
    """

    def __init__(
        self,
        inversion: Inversion,
        eta: float,
        width: float,
        *,
        speed: float | None = None,
        line: FairLock = COMPUTE_QUEUE,
    ) -> None:
        self.inversion, self.eta, self.width = inversion, eta, width
        self._size = float(inversion.z_star.norm())
        self._paths: list[_Path] = []
        self._z = torch.zeros(0, 2, dtype=torch.float64)
        self._paused = False  # whether a person has paused it
        super().__init__("step", paused=True, speed=speed, line=line)

    def add(self, starts: Sequence[Start]) -> None:
        """More starts; they go at once, unless a person has paused the paths."""
        new = torch.tensor(list(starts), dtype=torch.float64).reshape(-1, 2)
        values = self.inversion.value(new).tolist()
        with self._changed:
            self._paths += [_Path(z, value) for z, value in zip(new, values, strict=True)]
            self._z = torch.cat((self._z, new))
        if len(new) and not self._paused:
            super().resume()

    def pause(self) -> None:
        self._paused = True
        super().pause()

    def resume(self) -> None:
        self._paused = False
        super().resume()

    def view(self) -> PathsView:
        """The paths as they are."""
        with self._changed:
            ends = tuple(path.end for path in self._paths)
            return PathsView(
                state=self._state,
                trails=tuple(path.trail() for path in self._paths),
                losses=tuple(_thinned(path.losses) for path in self._paths),
                ends=ends,
                k=max((path.k for path in self._paths), default=0),
                paused=self._paused,
                place=self._place,
                error=self.message,
            )

    def _begin(self) -> None:
        pass

    @property
    def _done(self) -> bool:
        return False

    def _take(self, order: str) -> None:
        with self._changed:
            going = [i for i, path in enumerate(self._paths) if path.end == "moving"]
            if not going:  # decided under the lock, or a start added meanwhile would wait for ever
                super().pause()
                return
            z = self._z[going]
        step = self.eta * self.inversion.gradient(z)
        moved = z - step
        values, lengths = self.inversion.value(moved).tolist(), step.norm(dim=1).tolist()
        far = ~(moved.abs().amax(1) < FAR * self.width)  # also where it is not a number
        with self._changed:
            self._z[going] = moved
            for row, i in enumerate(going):
                path = self._paths[i]
                if bool(far[row]):
                    path.end = "diverged"
                    continue
                path.add(moved[row], values[row], STRIDE * self.width)
                if lengths[row] < STILL * self._size:
                    path.end = "at rest"
                elif path.k >= STEPS:
                    path.end = "out of steps"
