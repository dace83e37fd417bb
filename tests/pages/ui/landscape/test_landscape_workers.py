"""The scan and the paths, without a page."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
import torch

from pages.ui.landscape.drawing import basin_of, marks_of, pl_of, rings_of
from pages.ui.landscape.landscape_headlines import balls_line, headline, paths_line, pl_line, place
from pages.ui.landscape.landscape_scan import SIDE, LandscapeScan, SurfaceBase, surface_base_of
from pages.ui.landscape.paths import STEPS, STRIDE, Paths, PathsView
from pages.ui.live.compute_queue import FairLock
from red_core.synthetic import InstanceSettings

TRAP = InstanceSettings(
    family="gaussian", d=2, m=200, layers=2, activation="relu", examples=1
)  # fmt: skip


@pytest.fixture(scope="module")
def ground() -> SurfaceBase:
    return surface_base_of(InstanceSettings(family="example15", d=2, examples=1))


@pytest.fixture
def paths(ground):
    worker = Paths(ground.inversion, ground.eta, 4.0, line=FairLock())
    yield worker
    worker.close()
    worker._thread.join(10)
    assert not worker._thread.is_alive()


def until(paths: Paths, wanted: Callable[[PathsView], bool], seconds: float = 30) -> PathsView:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        view = paths.view()
        if wanted(view):
            return view
        time.sleep(0.01)
    raise AssertionError(paths_line(paths.view()))


def at_rest(view: PathsView) -> bool:
    return bool(view.ends) and not view.moving and view.state == "paused"


def surveyed(settings: InstanceSettings, rate: float = 1.0):
    scan = LandscapeScan(settings, rate, line=FairLock())
    scan._thread.join(120)
    view = scan.view()
    assert view.state == "finished", view.error
    assert view.base is not None
    assert view.basins is not None
    return view


def test_a_path_is_plain_gradient_descent(paths, ground) -> None:
    paths.pause()
    paths.add([(1.5, 1.0)])
    for _ in range(5):
        paths.step("step", wait=30)
    z = torch.tensor([1.5, 1.0], dtype=torch.float64)
    for _ in range(5):
        z = z - ground.eta * ground.inversion.gradient(z)
    (trail,) = paths.view().trails
    assert [trail.x[-1], trail.y[-1]] == pytest.approx(z.tolist(), rel=1e-12)
    assert trail.values[-1] == pytest.approx(float(ground.inversion.value(z)), rel=1e-9)
    assert trail.ks[-1] == 5
    assert paths.view().losses[0][0].tolist() == list(range(6))


def test_paths_arrive_rest_and_more_can_join(paths, ground) -> None:
    paths.add([(1.5, 1.0), (-1.0, -1.0)])
    view = until(paths, at_rest)
    assert view.ends == ("at rest", "at rest")
    first = view.trails[0]
    paths.add([(0.3, 1.9)])
    view = until(paths, lambda v: at_rest(v) and len(v.ends) == 3)
    assert view.trails[2].ks[0] == 0
    assert np.array_equal(view.trails[0].x, first.x), "the old ones have not moved"
    z_star = ground.inversion.z_star.tolist()
    for trail in view.trails:
        assert [trail.x[-1], trail.y[-1]] == pytest.approx(z_star, abs=1e-4)
    assert paths_line(view).startswith("3 paths: 3 at rest.")


def test_a_start_that_joins_while_paths_are_held_waits(paths) -> None:
    paths.pause()
    paths.add([(1.0, 1.0)])
    time.sleep(0.2)
    view = paths.view()
    assert view.paused
    assert not view.running
    assert view.k == 0
    paths.resume()
    until(paths, at_rest)


def test_many_starts_one_by_one_are_never_stranded(paths) -> None:
    for number in range(20):
        paths.add([(0.1 * number - 1, 1.0)])
        time.sleep(0.003)
    assert len(until(paths, at_rest).ends) == 20


def test_drawn_points_lie_apart_but_the_last_is_always_there(paths) -> None:
    paths.add([(1.9, 1.9)])
    view = until(paths, at_rest)
    (trail,) = view.trails
    steps = np.hypot(np.diff(trail.x[:-1]), np.diff(trail.y[:-1]))
    assert (steps[:-1] >= 0.9 * STRIDE * 4.0).all()
    assert trail.ks[-1] == view.k
    assert len(trail.ks) < 150
    assert view.losses[0][0][-1] == view.k


def test_too_large_a_step_flies_away_and_says_so(ground) -> None:
    worker = Paths(ground.inversion, 40 * ground.eta, 4.0, line=FairLock())
    worker.add([(1.0, 1.0)])
    view = until(worker, at_rest)
    worker.close()
    assert view.ends == ("diverged",)
    assert np.isfinite(view.trails[0].x).all()
    assert "flown away" in paths_line(view)


def test_a_path_that_creeps_ends_with_its_steps() -> None:
    slow = surface_base_of(InstanceSettings(family="vandermonde", d=2, examples=1))
    worker = Paths(slow.inversion, 0.05 * slow.eta, 4.0, line=FairLock())
    worker.add([(-1.5, 1.5)])
    view = until(worker, at_rest, 60)
    worker.close()
    assert view.ends == ("out of steps",)
    assert view.k == STEPS


def test_a_benign_landscape_is_called_so() -> None:
    view = surveyed(InstanceSettings(family="two_rows", d=2, examples=1))
    assert headline(view.base, view.basins) == (
        "Every start ends at z*; there is no other stationary point."
    )
    assert [mark.kind for mark in marks_of(view.base, view.basins)] == ["solution"]
    basin = basin_of(view.basins, view.base)
    assert basin.names == ["ends at z*, the global minimum"]
    assert basin.labels.shape == (SIDE, SIDE)


def test_a_trap_is_counted_and_placed() -> None:
    view = surveyed(TRAP)
    sentence = headline(view.base, view.basins)
    solved = round(view.basins.solved * SIDE**2)
    stopped = sum(
        label >= 0 and not view.basins.stationary.points[label].solution
        for label in view.basins.labels.tolist()
    )
    assert 0 < stopped < SIDE**2 - solved + 1
    assert sentence.startswith(f"{stopped} of {SIDE**2} starts end at")
    kinds = [mark.kind for mark in marks_of(view.base, view.basins)]
    assert kinds.count("solution") == 1
    assert kinds[-1] == "predicted"
    assert "minimum" in kinds
    basin = basin_of(view.basins, view.base)
    trap = next(i for i, name in enumerate(basin.names) if "local minimum" in name)
    # Where a start is coloured as trapped, gradient descent really ends there.
    row, column = map(int, np.argwhere(basin.labels == trap)[0])
    z = torch.tensor([basin.x[column], basin.y[row]])
    for _ in range(5000):
        z = z - view.base.eta * view.base.inversion.gradient(z)
    assert float((z - view.base.inversion.z_star).norm()) > 0.5


def test_a_step_too_large_for_the_basins_is_said() -> None:
    view = surveyed(InstanceSettings(family="example15", d=2, examples=1), rate=10)
    assert headline(view.base, view.basins).endswith(": the step is too large.")


def test_a_survey_that_is_not_ready_says_so() -> None:
    assert headline(None, None) == "Surveying the landscape."
    assert paths_line(None).startswith("Click on a chart")


def test_places_are_told_as_multiples_of_z_star_where_they_are() -> None:
    z_star = torch.tensor([1.0, -2.0], dtype=torch.float64)
    assert place(-0.34 * z_star, z_star) == "near -0.34 z*"
    assert place(torch.tensor([2.0, 1.0], dtype=torch.float64), z_star) == "at (2.00, 1.00)"
    assert place(0 * z_star, z_star) == "at the origin"


def test_whether_pl_fails_is_said_and_drawn() -> None:
    trap = InstanceSettings(d=2, examples=1, activation="softplus", layers=2, scale="1/d", seed=2)
    base = surface_base_of(trap)
    assert pl_line(None) == "It comes with the landscape."
    assert pl_line(base).startswith("PL fails on this plane: the slope vanishes, or turns, at")
    relief = pl_of(base)
    assert relief.title == "log₁₀ ‖∇f‖²/(2f)"
    spurious = next(p for p in base.stationary.points if not p.solution and p.value > 1e-6)
    near = np.hypot(relief.x[None] - float(spurious.z[0]), relief.y[:, None] - float(spurious.z[1]))
    assert relief.values[near < 0.15].max() < 0.2 * np.median(relief.values), "dark at a trap"
    benign = surface_base_of(InstanceSettings(d=2, examples=1, family="two_rows"))
    assert pl_line(benign).startswith("PL holds on this grid: ‖∇f‖²/(2f) is nowhere below ")


def test_the_balls_of_corollary_4_are_said_in_lengths_of_z_star() -> None:
    base = surface_base_of(InstanceSettings(d=2, examples=1, activation="relu", layers=2))
    size = float(base.inversion.z_star.norm())
    balls, (near, far) = rings_of(base, 1e-16)
    assert (near.x, near.y) == tuple(base.inversion.z_star.tolist())
    assert near.radius == pytest.approx(8e-4 * size)
    assert far.radius == pytest.approx(0.8192 * size)
    said = balls_line(balls, 1e-16, size)
    assert said.endswith("within 0.0008 ‖z*‖ of z* and within 0.82 ‖z*‖ of -κ z*.")
    assert "z* itself is excluded" in balls_line(rings_of(base, 1e-12)[0], 1e-12, size)
    assert "so it says nothing" in balls_line(rings_of(base, 1e-4)[0], 1e-4, size)
