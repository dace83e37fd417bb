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
from pages.ui.live.slice_plane import SIZES
from pages.ui.undo import section_landscape
from pages.ui.undo.section_landscape import DRAWN, trail_of
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


def test_the_trail_ends_where_one_looks(view: RunView) -> None:
    trail = trail_of(view, view.slice_plane, 9)
    assert trail.ks.tolist() == [5, 6, 7, 8, 9]
    assert (trail.x[-1], trail.y[-1]) == pytest.approx(view.spots[9])
    assert trail_of(view, view.slice_plane, 3).ks.tolist() == []


def test_another_leader_breaks_the_trail(view: RunView) -> None:
    frames = list(view.frames)
    frames[8:] = [replace(frame, leader=frame.leader + 1) for frame in frames[8:]]
    trail = trail_of(replace(view, frames=tuple(frames)), view.slice_plane, 10)
    assert np.isnan(trail.x).nonzero()[0].tolist() == [3]
    assert trail.ks.tolist() == [5, 6, 7, 8, 8, 9, 10]


def test_a_start_beyond_the_window_is_told_of(view: RunView, monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr(section_landscape, "live_chart", lambda figure, **_: drawn.append(figure))
    section_landscape.landscape(view, 9)
    far = replace(view, spots=(*view.spots[:9], (1e3, 1e3), *view.spots[10:]))
    section_landscape.landscape(far, 9)
    near, away = (figure.layout.annotations[0].text for figure in drawn)
    assert "with c_a of step 9" in near
    assert "beyond this window" in away
    assert drawn[0].layout.xaxis.range == drawn[1].layout.xaxis.range


def test_an_update_is_small(view: RunView, monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr(section_landscape, "live_chart", lambda figure, **_: drawn.append(figure))
    long = replace(
        view,
        frames=tuple(replace(view.frames[-1], k=k) for k in range(500)),
        spots=tuple((0.001 * k, 0.0) for k in range(500)),
    )
    section_landscape.landscape(long, 499)
    assert len(drawn[0].to_json(validate=False)) < 16_000


def test_a_long_trail_is_thinned_and_keeps_its_ends(view: RunView) -> None:
    long = replace(
        view,
        frames=tuple(replace(view.frames[-1], k=k) for k in range(900)),
        spots=tuple((0.001 * k, 0.0) for k in range(900)),
    )
    trail = trail_of(long, view.slice_plane, 899)
    assert len(trail.ks) <= DRAWN + 1
    assert (trail.ks[0], trail.ks[-1]) == (0, 899)
    assert (np.diff(trail.ks) > 0).all()


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


def test_an_iterate_that_is_not_located_yet_shows_the_one_before(view, monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr(section_landscape, "live_chart", lambda figure, **_: drawn.append(figure))
    section_landscape.landscape(replace(view, spots=(*view.spots[:9], None)), 9)
    section_landscape.landscape(view, 2)
    late, early = (figure.layout.annotations[0].text for figure in drawn)
    assert "with c_a of step 8" in late
    assert "with c_a of step 5" in early, "before the alternation its first iterate stands in"
