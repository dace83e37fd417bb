"""What a session of the page "Landscape" holds: a survey and paths, a run and a slice."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.ui.landscape.landscape_request import LandscapeRequest, Start
from pages.ui.landscape.landscape_scan import Ground, Survey
from pages.ui.landscape.paths import Paths
from pages.ui.landscape.slice import Course, Slice
from pages.ui.live.loaded_models import Parts
from pages.ui.undo.undo_registry import Desk


class LandscapeDesk:
    """A session's own workers; each belongs to a request, and ends with it.

    runs: the run of an image of this page's own, apart from the main page's.
    """

    def __init__(self) -> None:
        self.runs = Desk()
        self._slice: Slice | None = None
        self._slice_key: tuple[object, ...] | None = None
        self._survey: Survey | None = None
        self._paths: Paths | None = None
        self._begun: tuple[Start, ...] = ()

    def survey(self, request: LandscapeRequest) -> Survey:
        """The survey of this request's landscape, begun where there is none yet."""
        wanted = request.settings, request.rate
        if self._survey is None or (self._survey.settings, self._survey.rate) != wanted:
            self._drop_survey()
            self._survey = Survey(*wanted)
        return self._survey

    def paths(self, request: LandscapeRequest, ground: Ground, speed: float | None) -> Paths:
        """The paths from the request's starts. New ones join; without the old, all begin anew."""
        fresh = self._paths is None or request.starts[: len(self._begun)] != self._begun
        if self._paths is None or fresh:
            held = self._paths is not None and self._paths.view().held
            self.drop_paths()
            surface = ground.surface
            width = float(surface.x[-1] - surface.x[0])
            self._paths = Paths(ground.inversion, request.rate * ground.eta, width, speed=speed)
            if held:
                self._paths.pause()
        self._paths.add(request.starts[len(self._begun) :])
        self._begun = request.starts
        return self._paths

    @property
    def present(self) -> Paths | None:
        """The paths as they are, for the buttons."""
        return self._paths

    def drop_paths(self) -> None:
        """End the paths; the next look begins them anew."""
        if self._paths is not None:
            self._paths.close()
        self._paths, self._begun = None, ()

    def slice(
        self, parts: Parts, make: Callable[[], Course], kind: str, key: tuple[object, ...]
    ) -> Slice:
        """The slice of this key, cut where there is none yet; make: the course it follows."""
        if self._slice is None or self._slice_key != (key, kind):
            again = self._slice is not None and (self._slice_key or ((),))[0] == key
            course = self._slice.course if again and self._slice is not None else make()
            self.drop_slice()
            self._slice, self._slice_key = Slice(parts, course, kind), (key, kind)
        return self._slice

    def drop_slice(self) -> None:
        """End the slice."""
        if self._slice is not None:
            self._slice.close()
        self._slice = self._slice_key = None

    def clear(self) -> None:
        """End everything."""
        self.drop_slice()
        self.runs.clear()
        self._drop_survey()

    def _drop_survey(self) -> None:
        self.drop_paths()
        if self._survey is not None:
            self._survey.close()
        self._survey = None


@st.cache_resource(scope="session", on_release=LandscapeDesk.clear, show_spinner=False)
def landscape_desk() -> LandscapeDesk:
    """This session's desk; released, and its workers ended, when the tab closes."""
    return LandscapeDesk()
