"""Slices through the latent space of a toy generator along a real run."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from pages.ui.landscape.landscape_headlines import plane_line, slice_headline, slice_line
from pages.ui.landscape.picture_sheets import PictureSheet, grid_sheet, path_sheet
from pages.ui.landscape.slice import (
    COLOUR_LEVELS,
    SIZES,
    Slice,
)
from pages.ui.live.compute_queue import FairLock
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.live.runner import Runner
from red_core.landscape import Trajectory, plane_of, trajectory_of
from red_core.run.experiment import craft_example
from red_core.run.settings import RunSettings
from tests.pages.conftest import make_parts, wait_until

QUICK = (("restarts", 2), ("start_steps", 5), ("steps", 12), ("carry", 2), ("encoder_start", False))
SETTINGS = RunSettings(index=3, attack="linf", attack_steps=3, preset="best", solver=QUICK)


@pytest.fixture(scope="module")
def run():
    parts = make_parts()
    runner = Runner(parts, SETTINGS, craft_example(parts.bundle, SETTINGS), line=FairLock())
    wait_until(runner, lambda view: not view.busy)
    return runner


@pytest.fixture(scope="module")
def trajectory(run: Runner) -> Trajectory:
    frames = run.view().frames
    return trajectory_of(run.parts.bundle, run.settings, run.example.attacked, frames, None)


def finished(run: Runner, trajectory: Trajectory, kind: str = "pca") -> Slice:
    cut = Slice(run.parts, trajectory, kind, line=FairLock())
    cut._thread.join(60)
    assert cut.view().state == "finished", cut.view().error
    return cut


def test_a_course_begins_where_the_start_ends(trajectory: Trajectory) -> None:
    assert trajectory.ks == list(range(5, 18))
    assert trajectory.path.shape == (13, 8)


def test_heights_are_the_objectives_own(run: Runner, trajectory: Trajectory) -> None:
    """Twice the solver's loss, without the penalty on c_a, is f with the tether."""
    for frame, value in zip(trajectory.frames, trajectory.losses(), strict=True):
        energy = float(frame.block_energy.sum() * frame.lam[0])
        assert value == pytest.approx(2 * (float(frame.loss[0]) - energy), rel=1e-4)


def test_the_surface_is_the_iterates_own_height_where_it_lies_in_the_plane(
    run: Runner, trajectory: Trajectory
) -> None:
    cut = finished(run, trajectory)
    view = cut.view()
    assert view.level == len(SIZES) - 1
    surface = cut.surface(len(trajectory.ks) - 1, view.level)  # the plane goes through the last one
    height = float(surface.height(view.plane.coordinates(trajectory.path[-1])))
    assert height == pytest.approx(trajectory.losses()[-1], rel=2e-3)
    # G and f at a grid point, by hand
    z = view.plane.points(torch.stack((surface.x[7], surface.y[30]))).float()
    image = run.parts.bundle.generator(z[None]).flatten()
    weight, anchor = trajectory.latent_penalty
    by_hand = (trajectory.target(-1) - image).square().sum() + weight * (z - anchor).square().sum()
    assert float(surface.values[30, 7]) == pytest.approx(float(by_hand), rel=1e-4)


@pytest.mark.parametrize("kind", ["pca", "hessian", "difference", "random"])
def test_every_plane_says_what_it_shows(run: Runner, trajectory: Trajectory, kind: str) -> None:
    plane = plane_of(run.parts.bundle, trajectory, kind)
    assert plane.explained is not None
    assert 0 <= sum(plane.explained) <= 1 + 1e-9
    told = plane_line(plane, known=False)
    assert "projected away" in told
    assert "stands in for z*" in told
    assert "stands in for z*" not in plane_line(plane, known=True)


def test_pca_shows_the_most_of_the_path(run: Runner, trajectory: Trajectory) -> None:
    shown = {
        kind: sum(plane_of(run.parts.bundle, trajectory, kind).explained or ())
        for kind in ("pca", "hessian", "difference", "random")
    }
    assert max(shown, key=lambda kind: shown[kind]) == "pca"


def test_one_iterate_is_enough_for_a_plane(run: Runner, trajectory: Trajectory) -> None:
    one = replace(trajectory, frames=trajectory.frames[:1], path=trajectory.path[:1], jumps=())
    for kind in ("pca", "hessian", "difference", "random"):
        cut = finished(run, one, kind)
        assert cut.view().level == len(SIZES) - 1


def test_the_known_z_star_is_where_the_difference_leads(
    run: Runner, trajectory: Trajectory
) -> None:
    truth = torch.arange(8.0)
    plane = plane_of(run.parts.bundle, replace(trajectory, truth=truth), "difference")
    assert plane.coordinates(truth).tolist() == pytest.approx([0, 0], abs=1e-6)
    assert plane.coordinates(trajectory.path[0])[1] == pytest.approx(0, abs=1e-6)


def test_another_leader_is_a_jump(run: Runner) -> None:
    frames = list(run.view().frames)
    frames[9] = replace(frames[9], leader=frames[9].leader + 1)
    trajectory = trajectory_of(run.parts.bundle, run.settings, run.example.attacked, frames, None)
    assert trajectory.jumps == (4, 5)


def opened(sheet: PictureSheet) -> np.ndarray:
    data = base64.b64decode(sheet.source.split(",", 1)[1])
    return np.asarray(Image.open(io.BytesIO(data)).convert("L")).astype(float) / 255


def test_sheets_hold_every_picture_in_its_place(run: Runner, trajectory: Trajectory) -> None:
    cut = finished(run, trajectory)
    sheets = cut.sheets
    assert sheets is not None
    assert sheets.ks == tuple(trajectory.ks)
    whole = opened(sheets.frames)
    tile = whole[0:28, 28 * 3 : 28 * 4]
    np.testing.assert_allclose(tile, trajectory.frames[3].image[0, 0].clamp(0, 1), atol=0.003)
    surface = cut.surface(0, 1)
    z = cut.view().plane.points(torch.stack((surface.x[20], surface.y[4]))).float()
    image = run.parts.bundle.generator(z[None])[0, 0].clamp(0, 1)
    grid = opened(sheets.grid)
    assert (sheets.grid.columns, sheets.grid.rows) == (25, 25)
    tile = grid[28 * 4 : 28 * 5, 28 * 20 : 28 * 21]
    assert np.abs(tile - image.numpy()).mean() < 0.05  # its sheet is compressed


def test_a_last_row_of_pictures_may_be_short() -> None:
    images = [torch.full((1, 1, 4, 4), i / 10) for i in range(5)]
    sheet = path_sheet(images, columns=3)
    assert (sheet.columns, sheet.rows) == (3, 2)
    assert opened(sheet)[5, 5] == pytest.approx(0.4, abs=0.01)
    tiles = torch.rand(2, 3, 16)
    assert opened(grid_sheet(tiles, (1, 4, 4))).shape == (8, 12)


def test_sheets_in_colour_hold_every_picture_in_its_place() -> None:
    tiles = torch.rand(2, 3, 3 * 4 * 4)
    images = [tiles[1, i].reshape(1, 3, 4, 4) for i in range(3)]
    for sheet, top in ((grid_sheet(tiles, (3, 4, 4)), 4), (path_sheet(images, columns=3), 0)):
        data = base64.b64decode(sheet.source.split(",", 1)[1])
        whole = np.asarray(Image.open(io.BytesIO(data)))
        assert whole.shape == (4 * sheet.rows, 12, 3)
        if top == 0:  # the grid's own sheet is compressed
            shown = whole[:, 8:12].transpose(2, 0, 1) / 255
            np.testing.assert_allclose(shown, images[2][0], atol=0.003)


@pytest.mark.parametrize("kind", ["pca", "hessian", "difference", "random"])
def test_a_run_in_colour_over_z_of_two_dimensions_is_cut(colour: LoadedModels, kind: str) -> None:
    settings = replace(SETTINGS, dataset="cifar10", source="realizable")
    made = craft_example(colour.bundle, settings)
    runner = Runner(colour, settings, made, line=FairLock())
    wait_until(runner, lambda view: not view.busy)
    run = runner.view()
    assert run.state == "finished", run.error
    trajectory = trajectory_of(colour.bundle, settings, made.attacked, run.frames, made.truth[0])
    assert trajectory.path.shape == (13, 9 * 16)
    assert trajectory.truth is not None
    cut = finished(runner, trajectory, kind)
    assert cut.view().level == COLOUR_LEVELS - 1
    surface = cut.surface(len(trajectory.ks) - 1, cut.view().level)
    z = cut.view().plane.points(torch.stack((surface.x[3], surface.y[20]))).float()
    image = colour.bundle.generator(z.view(1, 9, 16)).flatten()
    weight, anchor = trajectory.latent_penalty
    by_hand = (trajectory.target(-1) - image).square().sum() + weight * (z - anchor).square().sum()
    assert float(surface.values[20, 3]) == pytest.approx(float(by_hand), rel=1e-4)
    assert cut.sheets is not None
    assert (cut.sheets.grid.columns, cut.sheets.grid.rows) == (25, 25)


def test_what_is_said_while_nothing_is_known(run: Runner, trajectory: Trajectory) -> None:
    assert slice_headline(None, None) == "There is no run to cut through yet."
    assert slice_headline(run, None).startswith("Waiting for the run: step 17 of 17")
    assert "will be stated" in slice_line(None)
    view = finished(run, trajectory).view()
    assert slice_headline(run, view).startswith("This plane shows")
    assert "3 ahead" in slice_line(replace(view, place=3))
    assert slice_line(replace(view, error="It failed.")) == "It failed."
