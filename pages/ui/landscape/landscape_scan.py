"""The scan of a synthetic landscape: surface, stationary points, basins; a worker's job.

The surface and the stationary points take milliseconds, the basins seconds: a page draws what
there is and asks again.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from pages.ui.landscape.paths import STEPS
from pages.ui.live.compute_queue import COMPUTE_QUEUE, FairLock
from pages.ui.live.worker import State, Worker
from red_core.landscape import (
    Basins,
    Bounds,
    Flow,
    Inversion,
    Stationary,
    Surface,
    coordinate_plane,
    predicted_spurious,
    refine,
    safe_eta,
    stationary_points,
)
from red_core.landscape.conditions import pl_quotient
from red_core.synthetic import InstanceSettings, make_instances

SIDE = 25  # starts a side, whose ends colour the basins
SIZES = (49,)
LEAST = 2.0  # the plane reaches at least so far from the origin
ROOM = 1.35  # and so many times as far as z*
CHUNK = 50  # steps of the basins at once


@dataclass(frozen=True)
class SurfaceBase:
    """What is known at once of a landscape.

    inversion: f; surface: its heights; stationary: its stationary points; eta: the safe step size
    for starts anywhere in the surface's bounds; predicted: -kappa z* [2], or None; quotients: of
    the PL condition, over the same grid, NaN where f is 0.
    """

    inversion: Inversion
    surface: Surface
    stationary: Stationary
    eta: float
    predicted: torch.Tensor | None
    quotients: torch.Tensor


@dataclass(frozen=True)
class LandscapeScanView:
    """A scan at one moment: base and basins are None until they are known.

    basins: a first picture of them while `busy`; then where every start ended.
    """

    state: State
    base: SurfaceBase | None
    basins: Basins | None
    busy: bool
    place: int
    error: str


class LandscapeScan(Worker[str]):
    """Scans the landscape of `settings` (d = 2) with `rate` times the safe step size."""

    def __init__(
        self, settings: InstanceSettings, rate: float, line: FairLock = COMPUTE_QUEUE
    ) -> None:
        self.settings, self.rate = settings, rate
        self._base: SurfaceBase | None = None
        self._flow: Flow | None = None
        self._basins: Basins | None = None
        super().__init__("go", line=line)

    def view(self) -> LandscapeScanView:
        """The current state of the scan."""
        with self._changed:
            return LandscapeScanView(
                self._state, self._base, self._basins, self._busy, self._place, self.message
            )

    def wait(self, seconds: float) -> None:
        """Until the base is known, or nothing more will be, or `seconds` have passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._base is not None or not self._busy, seconds)

    def _begin(self) -> None:
        base = surface_base_of(self.settings)
        with self._changed:
            self._base = base
            self._changed.notify_all()
        starts = base.surface.bounds.points(SIDE)
        eta = self.rate * base.eta
        self._flow = Flow(base.inversion, starts, base.stationary, eta, STEPS)

    @property
    def _running(self) -> Flow:
        assert self._flow is not None  # made by `_begin`, before any other hook is called
        return self._flow

    @property
    def _done(self) -> bool:
        return self._running.done

    def _take(self, order: str) -> None:
        self._running.advance(CHUNK)

    def _finish(self) -> None:
        basins = self._running.view()
        with self._changed:
            self._basins = basins
            self._settle()


def surface_base_of(settings: InstanceSettings) -> SurfaceBase:
    """Surface, stationary points and step size of one instance with d = 2."""
    inversion = Inversion.of(make_instances(settings))
    reach = max(LEAST, ROOM * float(inversion.z_star.abs().max()))
    bounds = Bounds(-reach, reach, -reach, reach)
    plane = coordinate_plane()
    (surface,) = refine(inversion.value, plane, bounds, inversion.caption, sizes=SIZES)
    return SurfaceBase(
        inversion,
        surface,
        stationary_points(inversion),
        safe_eta(inversion, bounds.points(SIDE)),
        predicted_spurious(inversion),
        pl_quotient(inversion, bounds.points(surface.size)).unflatten(0, (surface.size,) * 2),
    )
