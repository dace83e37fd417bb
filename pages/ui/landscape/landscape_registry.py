"""What a session of the page "Landscape" holds: a scan and paths, a run and a slice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pages.ui.landscape.landscape_request import LandscapeRequest, Start
from pages.ui.landscape.landscape_scan import LandscapeScan, SurfaceBase
from pages.ui.landscape.paths import Paths
from pages.ui.landscape.slice import Slice
from pages.ui.live.kept_worker import KeptWorker
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.live.visitors import this_visitor
from pages.ui.live.worker import Worker
from pages.ui.undo.undo_registry import RunRegistry
from red_core.landscape import Trajectory


class LandscapeRegistry:
    """A session's own workers; each belongs to a request, and ends with it.

    runs: the run of an image of this page's own, apart from the main page's.
    """

    def __init__(self) -> None:
        self.runs = RunRegistry()
        self._slice = KeptWorker[Slice]()
        self._slice_key: tuple[object, ...] = ()
        self._scan = KeptWorker[LandscapeScan]()
        self._paths: Paths | None = None
        self._begun: tuple[Start, ...] = ()

    def scan(self, request: LandscapeRequest) -> LandscapeScan:
        """The scan of this request's landscape, begun where there is none yet."""
        wanted = request.settings, request.rate
        scan = self._scan.on(wanted)
        if scan is None:
            self.drop_paths()
            scan = self._scan.begin(wanted, lambda: LandscapeScan(*wanted))
        return scan

    def paths(self, request: LandscapeRequest, base: SurfaceBase, speed: float | None) -> Paths:
        """The paths from the request's starts. New ones join; without the old, all begin anew."""
        fresh = self._paths is None or request.starts[: len(self._begun)] != self._begun
        if self._paths is None or fresh:
            paused = self._paths is not None and self._paths.view().paused
            self.drop_paths()
            surface = base.surface
            width = float(surface.x[-1] - surface.x[0])
            self._paths = Paths(base.inversion, request.rate * base.eta, width, speed=speed)
            if paused:
                self._paths.pause()
        self._paths.add(request.starts[len(self._begun) :])
        self._begun = request.starts
        return self._paths

    @property
    def present(self) -> Paths | None:
        """The paths as they are; for any thread."""
        return self._paths

    def drop_paths(self) -> None:
        """End the paths; the next look begins them anew."""
        if self._paths is not None:
            self._paths.close()
        self._paths, self._begun = None, ()

    def slice(
        self,
        parts: LoadedModels,
        make: Callable[[], Trajectory],
        kind: str,
        key: tuple[object, ...],
    ) -> Slice:
        """The slice of this key, cut where there is none yet; make: the course it follows."""
        before = self._slice.present if self._slice_key == key else None
        cut = self._slice.on((key, kind))
        if cut is None:
            trajectory = make() if before is None else before.trajectory
            cut = self._slice.begin((key, kind), lambda: Slice(parts, trajectory, kind))
            self._slice_key = key
        return cut

    def find_slice(self, kind: str, key: tuple[object, ...]) -> Slice | None:
        """The slice of this key, None where there is none; for any thread."""
        return self._slice.find((key, kind))

    def workers(self) -> tuple[Worker[Any], ...]:
        """The scan, the paths on it, the run and its slice."""
        paths = () if self._paths is None else (self._paths,)
        return *self._scan.workers(), *paths, *self.runs.workers(), *self._slice.workers()

    def take_over(self, before: LandscapeRegistry) -> None:
        """Take the workers of the tab's session before this one."""
        if self._scan.take_over(before._scan):
            self.drop_paths()
            self._paths, self._begun = before._paths, before._begun
            before._paths = None
        if self.runs.take_over(before.runs):
            self._slice.end()
            self._slice.take_over(before._slice)
            self._slice_key = before._slice_key

    def clear(self) -> None:
        """End everything."""
        self._slice.end()
        self.runs.clear()
        self.drop_paths()
        self._scan.end()


def landscape_registry() -> LandscapeRegistry:
    """This tab's registry."""
    return this_visitor().registry(LandscapeRegistry)
