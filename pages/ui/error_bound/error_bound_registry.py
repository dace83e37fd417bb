"""What a session of the page "Error bound" has: instances and one run, a descent or a study."""

from __future__ import annotations

import sys
from collections.abc import Callable

import streamlit as st
import torch

from pages.ui.error_bound.error_bound_presets import models_of
from pages.ui.error_bound.error_bound_request import ErrorBoundRequest
from pages.ui.error_bound.run import ErrorBoundRun, ErrorBoundView
from pages.ui.error_bound.study import StudyRun, StudyView
from pages.ui.live.compute_queue import COMPUTE_QUEUE
from pages.ui.live.kept_worker import KeptWorker
from pages.ui.live.visitors import this_visitor
from red_core.synthetic import Instances, make_instances


class ErrorBoundRegistry:
    """A session's own instances and run."""

    def __init__(self) -> None:
        self._made: tuple[tuple[object, ...], Instances] | None = None
        self._run = KeptWorker[ErrorBoundRun | StudyRun]()

    def instances(
        self, request: ErrorBoundRequest, on_place: Callable[[int], None] = lambda place: None
    ) -> Instances:
        """The instances of these settings: made once, in turn. InstanceError."""
        key = request.settings, request.key[-1]
        if self._made is None or self._made[0] != key:
            with COMPUTE_QUEUE.turn(on_place):
                made = make_instances(request.settings, own=request.own)
            self._made = key, made
        return self._made[1]

    def worker(self, request: ErrorBoundRequest) -> ErrorBoundRun | StudyRun | None:
        """The run of this request; one that belongs to another is ended and forgotten."""
        return self._run.on(request.key)

    def descent(self, request: ErrorBoundRequest) -> ErrorBoundView | None:
        """What the descent of this request shows, None where there is none; in any thread."""
        run = self._run.find(request.key)
        return run.view() if isinstance(run, ErrorBoundRun) else None

    def study(self, request: ErrorBoundRequest) -> StudyView | None:
        """The same for a study."""
        run = self._run.find(request.key)
        return run.view() if isinstance(run, StudyRun) else None

    def start(
        self, request: ErrorBoundRequest, *, paused: bool = False, speed: float | None = None
    ) -> None:
        """Begin a run of this request, ending the one before."""

        def made() -> ErrorBoundRun | StudyRun:
            if request.show != "descent":
                return StudyRun(models_of(request), paused=paused)
            return ErrorBoundRun(request, self.instances(request), paused=paused, speed=speed)

        self._run.begin(request.key, made)

    def workers(self) -> tuple[ErrorBoundRun | StudyRun, ...]:
        """The run."""
        return self._run.workers()

    def take_over(self, before: ErrorBoundRegistry) -> None:
        """Take the run of the tab's session before this one."""
        self._run.take_over(before._run)

    def clear(self) -> None:
        """End the run and forget it."""
        self._run.end()


def error_bound_registry() -> ErrorBoundRegistry:
    """This tab's registry."""
    _compute_beside_pages()
    return this_visitor().registry(ErrorBoundRegistry)


@st.cache_resource(show_spinner=False)
def _compute_beside_pages() -> None:
    """Once a process: small matrices gain nothing from threads, and pages want their turn."""
    torch.set_num_threads(1)
    sys.setswitchinterval(0.0005)
