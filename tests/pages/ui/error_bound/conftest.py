from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from pages.ui.error_bound.error_bound_request import ErrorBoundRequest
from pages.ui.error_bound.run import ErrorBoundRun
from pages.ui.live.compute_queue import FairLock
from red_core.synthetic import InstanceSettings, make_instances


def settled(worker, wanted: Callable = lambda view: not view.busy, seconds: float = 60):
    """The first view for which `wanted` holds; fails after `seconds`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        view = worker.view()
        if wanted(view):
            return view
        time.sleep(0.005)
    raise AssertionError(f"still {worker.view().state}, {worker.view()}")


def small(**changed) -> InstanceSettings:
    return InstanceSettings(**{"m": 20, "d": 3, "examples": 6, **changed})


@pytest.fixture
def start() -> Iterator[Callable[..., ErrorBoundRun]]:
    runs: list[ErrorBoundRun] = []

    def begin(request: ErrorBoundRequest, **kwargs) -> ErrorBoundRun:
        made = make_instances(request.settings, own=request.own)
        runs.append(ErrorBoundRun(request, made, **{"line": FairLock(), **kwargs}))
        return runs[-1]

    yield begin
    for run in runs:
        run.close()
        run._thread.join(20)
        assert not run._thread.is_alive()
