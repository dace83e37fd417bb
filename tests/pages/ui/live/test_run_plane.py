"""The slice that a live run is seen on: chosen once, and true to the run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pages.ui.live.compute_queue import FairLock
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.live.run_view import RunView
from pages.ui.live.runner import Runner
from red_core.recording.record_file import read_run
from red_core.recording.run_recorder import RunRecorder
from red_core.recording.slice_plane import SIZES
from red_core.run.settings import RunSettings
from tests.pages.conftest import wait_until


def begun(parts: LoadedModels, settings: RunSettings, *, paused: bool = False) -> Runner:
    recorder = RunRecorder(parts.bundle, settings)
    return Runner(parts, settings, None, recorder=recorder, paused=paused, line=FairLock())


def spots(runner: Runner) -> list[tuple[float, float] | None]:
    """Where the recorded iterates are seen, None for those before the plane."""
    records = read_run(runner.recorder.file()).records
    return [
        None if np.isnan(one["spot_x"]) else (float(one["spot_x"]), float(one["spot_y"]))
        for one in records[records["phase"] > 0]
    ]


@pytest.fixture
def runner(parts: LoadedModels, settings: RunSettings):
    made = begun(parts, settings, paused=True)
    yield made
    made.close()


@pytest.fixture
def view(runner: Runner) -> RunView:
    runner.resume()
    return wait_until(runner, lambda view: not view.busy)


def test_it_is_chosen_as_the_alternation_begins_and_stays(runner: Runner) -> None:
    wait_until(runner, lambda view: not view.busy)
    for _ in range(4):
        runner.step("both", wait=30)
    assert runner.view().k == 4
    assert runner.recorder.plane is None
    assert set(spots(runner)) == {None}
    runner.step("both", wait=30)
    chosen = runner.recorder.plane
    assert chosen is not None
    assert chosen.begun == 5
    runner.resume()
    wait_until(runner, lambda view: not view.busy)
    assert runner.recorder.plane is chosen
    assert [spot is None for spot in spots(runner)] == [True] * 5 + [False] * 13


def test_without_a_start_phase_it_is_there_at_once(
    parts: LoadedModels, settings: RunSettings
) -> None:
    solver = tuple({**dict(settings.solver), "start_steps": 0}.items())
    chosen = replace(settings, solver=solver)
    made = begun(parts, chosen, paused=True)
    wait_until(made, lambda view: not view.busy)
    made.close()
    assert made.recorder.plane is not None
    assert spots(made)[0] is not None


def test_spots_are_the_iterates_projected(runner: Runner, view: RunView) -> None:
    plane, seen = runner.recorder.plane.plane, spots(runner)
    for frame, spot in zip(view.frames[5:], seen[5:], strict=True):
        away = frame.z[0].double() - plane.origin
        assert spot == pytest.approx((plane.axes @ away).tolist(), rel=1e-5, abs=1e-6)  # float32
    assert seen[5] == pytest.approx((0, 0), abs=1e-6), "the plane goes through the first"


def test_the_landscape_holds_the_iterates_own_height(runner: Runner, view: RunView) -> None:
    """At the alternation's first iterate, which lies in the plane."""
    first = view.frames[5]
    surface = runner.recorder.plane.surface(first)
    height = float(surface.height(torch.tensor(spots(runner)[5], dtype=torch.float64)))
    # twice the loss: c_a is zero, so there is no penalty
    assert height == pytest.approx(2 * float(first.loss[0]), rel=0.02)


def test_the_landscape_changes_as_c_a_learns(runner: Runner, view: RunView) -> None:
    first, last = (runner.recorder.plane.surface(view.frames[i]).values for i in (5, -1))
    assert float(view.frames[-1].c_a.abs().max()) > 0
    assert not torch.allclose(first, last, rtol=1e-3)


def test_z_of_two_dimensions_is_seen_on_a_plane_too(
    colour: LoadedModels, in_colour: RunSettings
) -> None:
    """And the landscape there has the height of the iterate it goes through."""
    made = begun(colour, in_colour)
    view = wait_until(made, lambda view: not view.busy)
    made.close()
    assert view.state == "finished", view.error
    assert view.frames[-1].z.shape == (1, 9, 16)
    plane = made.recorder.plane
    assert plane is not None
    assert plane.sheet.sizes == SIZES[3]
    assert spots(made)[5] == pytest.approx((0, 0), abs=1e-6)
    first = view.frames[5]
    surface = plane.surface(first)
    height = float(surface.height(torch.tensor(spots(made)[5], dtype=torch.float64)))
    assert height == pytest.approx(2 * float(first.loss[0]), rel=0.02)
