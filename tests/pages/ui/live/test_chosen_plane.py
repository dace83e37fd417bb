"""The planes that a visitor chooses: their axes, what they show, and why some cannot be."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from pages.ui.live.compute_queue import FairLock
from pages.ui.live.live_run import MOST_PLANES, LiveRun
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.live.run_plane import AXES, NoPlaneError, plane_event
from red_core.landscape import pca_plane
from red_core.recording.record_file import read_run
from red_core.run.settings import RunSettings


def numbers(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4")


def until(what, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def ended(parts: LoadedModels, settings: RunSettings) -> LiveRun:
    run = LiveRun(parts, settings, None, "planes")
    run.begin()
    until(lambda: not run.status()["busy"])
    assert run.status()["state"] == "finished", run.status()
    return run


def events(run: LiveRun) -> list[dict[str, Any]]:
    found = [json.loads(item) for item in run.items if isinstance(item, str)]
    return [event for event in found if event["event"] == "plane"]


@pytest.fixture(scope="module")
def made(parts: LoadedModels):
    solver = {"restarts": 2, "start_steps": 5, "steps": 12, "carry": 2, "encoder_start": False}
    settings = RunSettings(source="realizable", attack="l2", seed=3, solver=tuple(solver.items()))
    run = ended(parts, settings)
    yield run
    run.close()


def test_the_paths_own_axes_are_its_principal_components(made: LiveRun) -> None:
    event = plane_event(made.runner, "path", FairLock())
    frames = made.runner.view().frames
    first = next(i for i, frame in enumerate(frames) if frame.phase == "joint")
    path = torch.cat([frame.z for frame in frames[first:]]).flatten(1)
    wanted = pca_plane(path).coordinates(path)
    assert numbers(event["k"]).tolist() == [frame.k for frame in frames[first:]]
    np.testing.assert_allclose(numbers(event["spot_x"]), wanted[:, 0], atol=1e-4)
    np.testing.assert_allclose(numbers(event["spot_y"]), wanted[:, 1], atol=1e-4)
    assert event["names"] == ["first principal component", "second principal component"]
    assert "of the path's variance" in event["words"].lower()
    rows, columns = event["size"]
    assert 2 <= len(event["surfaces"]) <= 10
    last = event["surfaces"][-1]
    assert last["k"] == frames[-1].k
    values = numbers(last["values"]).reshape(rows, columns)
    # The plane goes through the last iterate, and f there is without lambda's term.
    x, y = (np.linspace(*event[name], size) for name, size in (("x", columns), ("y", rows)))
    near = values[np.abs(y).argmin(), np.abs(x).argmin()]
    end, weight = frames[-1], made.settings.solver_options().latent_weight
    f = float(end.residual.square().sum() + weight * end.z.square().sum())
    assert near == pytest.approx(f, rel=0.2)


def test_the_difference_plane_has_z_star_at_its_origin(made: LiveRun) -> None:
    event = plane_event(made.runner, "difference", FairLock())
    star = made.runner.example.truth[0][0].flatten()
    frames = made.runner.view().frames
    begun = next(frame for frame in frames if frame.phase == "joint")
    away = float((star - begun.z[0].flatten()).norm())
    assert numbers(event["spot_x"])[0] == pytest.approx(-away, rel=1e-3)
    assert numbers(event["spot_y"])[0] == pytest.approx(0, abs=1e-3 * away)
    assert event["names"][0].startswith("z*")


def test_the_curvature_plane_names_its_eigenvalues(made: LiveRun) -> None:
    event = plane_event(made.runner, "curvature", FairLock())
    assert event["names"][0].startswith("largest curvature")
    assert "Hessian" in event["words"]


def test_what_is_not_known_is_refused_in_words(
    parts: LoadedModels, settings: RunSettings, made: LiveRun
) -> None:
    run = ended(parts, settings)
    with pytest.raises(NoPlaneError, match=r"z\* is not known"):
        plane_event(run.runner, "difference", FairLock())
    run.close()
    paused = LiveRun(parts, settings, None, "early")
    paused.begin(paused=True)
    with pytest.raises(NoPlaneError, match="no path yet"):
        plane_event(paused.runner, "path", FairLock())
    paused.close()


def test_a_plane_is_ordered_over_the_socket_and_kept_in_the_file(
    parts: LoadedModels, settings: RunSettings
) -> None:
    run = ended(parts, settings)
    count = len(run.items)
    for axes in ("path", "difference"):
        run.order({"order": "plane", "axes": axes})
    until(lambda: len(run.items) == count + 2)
    by = {event["axes"]: event for event in events(run)}
    assert by["path"]["surfaces"]
    assert by["difference"]["refused"].startswith("z* is not known")
    assert len(json.dumps(by["path"])) < 100_000
    kept = [event for event in read_run(run.file()).events if event["event"] == "plane"]
    assert {event["axes"] for event in kept} == {"path", "difference"}
    for _ in range(MOST_PLANES + 4):
        run.order({"order": "plane", "axes": "difference"})
        time.sleep(0.05)
    assert len(events(run)) <= MOST_PLANES
    run.close()


@pytest.mark.parametrize("axes", [None, "", "random", ["path"], 3])
def test_other_axes_are_no_order(parts: LoadedModels, settings: RunSettings, axes) -> None:
    run = LiveRun(parts, settings, None, "axes")
    with pytest.raises(ValueError, match="a plane has the axes"):
        run.order({"order": "plane", "axes": axes})
    run.order({"order": "plane", "axes": "path"})  # before it has begun there is nothing to draw
    assert len(run.items) == 1
    assert set(AXES) == {"path", "difference", "curvature"}


def test_without_a_latent_space_there_is_no_plane(
    colour: LoadedModels, in_colour: RunSettings
) -> None:
    solver = (("steps", 2),)
    run = ended(colour, replace(in_colour, preset="bsd-dp", solver=solver))
    with pytest.raises(NoPlaneError, match="no z"):
        plane_event(run.runner, "path", FairLock())
    run.close()
