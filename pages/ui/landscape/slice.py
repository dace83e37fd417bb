"""A slice through the latent space of a real generator, along a run: a worker's job.

The plane first, then G over a grid in it, coarse to fine. After that the surface of any iterate
costs a millisecond: f depends on c_a through x' - D_a c_a alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from pages.ui.landscape.picture_sheets import PictureSheet, grid_sheet, path_sheet
from pages.ui.live.compute_queue import COMPUTE_QUEUE, FairLock
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.live.worker import State, Worker
from red_core.landscape import Bounds, ImageSheet, Plane, Surface, Trajectory, path_bounds, plane_of

SIZES = (13, 25, 49)
COLOUR_LEVELS = 2  # of SIZES: the finest grid would take 30 MB of images, and 15 s
PICTURED_LEVEL = 1  # of the grid whose pictures a browser gets
PICTURED = 160  # pictures of a path, at most


@dataclass(frozen=True)
class Sheets:
    """Pictures for the browser: G over the grid, and the path's frames, one for each of `ks`."""

    grid: PictureSheet
    frames: PictureSheet
    ks: tuple[int, ...]


@dataclass(frozen=True)
class SliceView:
    """A slice at one moment. plane, bounds: None until they are known; level: of the finest grid
    that is complete, -1 for none; busy; place: in the line.
    """

    state: State
    plane: Plane | None
    bounds: Bounds | None
    level: int
    busy: bool
    place: int
    error: str


class Slice(Worker[str]):
    """Cuts the landscape of a course along a plane of some kind."""

    def __init__(
        self, parts: LoadedModels, trajectory: Trajectory, kind: str, line: FairLock = COMPUTE_QUEUE
    ) -> None:
        self.parts, self.trajectory, self.kind = parts, trajectory, kind
        self._plane: Plane | None = None
        self._sheet: ImageSheet | None = None
        self._sheets: Sheets | None = None
        super().__init__("go", line=line)

    def view(self) -> SliceView:
        """The slice so far."""
        with self._changed:
            sheet = self._sheet
            return SliceView(
                state=self._state,
                plane=self._plane,
                bounds=None if sheet is None else sheet.bounds,
                level=-1 if sheet is None else sheet.level,
                busy=self._busy,
                place=self._place,
                error=self.message,
            )

    def wait(self, seconds: float) -> None:
        """Until a first surface can be drawn, or nothing more will come, or `seconds` are over."""
        with self._changed:
            self._changed.wait_for(
                lambda: not self._busy or (self._sheet is not None and self._sheet.level >= 0),
                seconds,
            )

    def surface(self, place: int, level: int) -> Surface:
        """The surface at a complete grid, with c_a held at the iterate in this place."""
        assert self._sheet is not None
        k = self.trajectory.frames[place].k
        caption = f"with c_a held at step {k}."
        return self._sheet.surface(
            self.trajectory.target(place), caption, level, self.trajectory.latent_penalty
        )

    @property
    def attacked(self) -> Tensor:
        """x' [1, C, H, W]."""
        return self.trajectory.attacked

    @property
    def sheets(self) -> Sheets | None:
        """The pictures, once the slice is finished."""
        with self._changed:
            return self._sheets

    @property
    def _running(self) -> ImageSheet:
        assert self._sheet is not None  # made by `_begin`, before any other hook is called
        return self._sheet

    def _begin(self) -> None:
        plane = plane_of(self.parts.bundle, self.trajectory, self.kind)
        like = self.trajectory.like.to(self.parts.bundle.device)
        bounds = path_bounds(plane, self.trajectory.path)
        sizes = SIZES if self.attacked.shape[1] == 1 else SIZES[:COLOUR_LEVELS]
        sheet = ImageSheet(self.parts.bundle.generator, like, plane, bounds, sizes)
        with self._changed:
            self._plane, self._sheet = plane, sheet

    @property
    def _done(self) -> bool:
        return self._running.done

    def _take(self, order: str) -> None:
        if self._running.advance():
            with self._changed:
                self._changed.notify_all()

    def _finish(self) -> None:
        with self._line.turn(self._tell_place, lambda: self._closed) as mine:
            if not mine or self._sheet is None or self._sheet.level < PICTURED_LEVEL:
                return
            frames = self.trajectory.frames
            count = min(len(frames), PICTURED)
            chosen = np.unique(np.linspace(0, len(frames) - 1, count).round().astype(int))
            sheets = Sheets(
                grid_sheet(self._sheet.stored(PICTURED_LEVEL)[2], self.attacked.shape[1:]),
                path_sheet([frames[i].image for i in chosen]),
                tuple(frames[i].k for i in chosen),
            )
        with self._changed:
            self._sheets = sheets
            self._settle()
