"""The slice that a live run is seen on: chosen once, and true to the run."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pages.ui.live.compute_queue import FairLock
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.live.run_view import RunView
from pages.ui.live.runner import Runner
from red_core.recording.slice_plane import SIZES
from red_core.run.experiment import craft_example
from red_core.run.settings import RunSettings
from tests.pages.conftest import wait_until


@pytest.fixture
def runner(parts: LoadedModels, settings: RunSettings):
    made = Runner(
        parts, settings, craft_example(parts.bundle, settings), paused=True, line=FairLock()
    )
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
    view = runner.view()
    assert view.k == 4
    assert view.slice_plane is None
    assert set(view.spots) == {None}
    runner.step("both", wait=30)
    chosen = runner.view().slice_plane
    assert chosen is not None
    assert chosen.begun == 5
    runner.resume()
    view = wait_until(runner, lambda view: not view.busy)
    assert view.slice_plane is chosen
    assert [spot is None for spot in view.spots] == [True] * 5 + [False] * 13


def test_without_a_start_phase_it_is_there_at_once(
    parts: LoadedModels, settings: RunSettings
) -> None:
    solver = tuple({**dict(settings.solver), "start_steps": 0}.items())
    chosen = replace(settings, solver=solver)
    made = Runner(parts, chosen, craft_example(parts.bundle, chosen), paused=True, line=FairLock())
    view = wait_until(made, lambda view: not view.busy)
    made.close()
    assert view.slice_plane is not None
    assert view.spots[0] is not None


def test_spots_are_the_iterates_projected(view: RunView) -> None:
    plane = view.slice_plane.plane
    for frame, spot in zip(view.frames[5:], view.spots[5:], strict=True):
        away = frame.z[0].double() - plane.origin
        assert spot == pytest.approx((plane.axes @ away).tolist(), abs=1e-6)
    assert view.spots[5] == pytest.approx((0, 0), abs=1e-6), "the plane goes through the first"


def test_the_landscape_holds_the_iterates_own_height(view: RunView) -> None:
    """At the alternation's first iterate, which lies in the plane."""
    first = view.frames[5]
    surface = view.slice_plane.surface(first)
    height = float(surface.height(torch.tensor(view.spots[5], dtype=torch.float64)))
    # twice the loss: c_a is zero, so there is no penalty
    assert height == pytest.approx(2 * float(first.loss[0]), rel=0.02)


def test_the_landscape_changes_as_c_a_learns(view: RunView) -> None:
    first, last = (view.slice_plane.surface(view.frames[i]).values for i in (5, -1))
    assert float(view.frames[-1].c_a.abs().max()) > 0
    assert not torch.allclose(first, last, rtol=1e-3)


def test_z_of_two_dimensions_is_seen_on_a_plane_too(
    colour: LoadedModels, in_colour: RunSettings
) -> None:
    """And the landscape there has the height of the iterate it goes through."""
    made = Runner(colour, in_colour, craft_example(colour.bundle, in_colour), line=FairLock())
    view = wait_until(made, lambda view: not view.busy)
    made.close()
    assert view.state == "finished", view.error
    assert view.frames[-1].z.shape == (1, 9, 16)
    assert view.slice_plane is not None
    assert view.slice_plane.sheet.sizes == SIZES[3]
    assert view.spots[5] == pytest.approx((0, 0), abs=1e-6)
    first = view.frames[5]
    surface = view.slice_plane.surface(first)
    height = float(surface.height(torch.tensor(view.spots[5], dtype=torch.float64)))
    assert height == pytest.approx(2 * float(first.loss[0]), rel=0.02)
