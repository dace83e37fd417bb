"""The comparison's iterates are those of the two runs alone, from one x'."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch

from pages.ui.live.live_run import LIVE_RUNS, LiveRun
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.live.origin import NoStartError, Origin, start_in_class
from pages.ui.pair.pair_request import PairRequest
from pages.ui.undo.undo_registry import MAIN, RunRegistry
from pages.ui.undo.undo_request import Request
from red_core.algorithm.algorithm1 import begin
from red_core.run.experiment import begin_run, craft_example, make_starts, start_seeds
from red_core.run.settings import RunSettings
from tests.red_core.stepping import Run


@pytest.fixture
def side_by_side(parts: LoadedModels):
    """Begin both runs of a request at once, and wait for both."""
    registry, made = RunRegistry(), []

    def of(request: PairRequest) -> tuple[LiveRun, LiveRun]:
        runs = [
            registry.prepare(parts, settings, None, place=place, origin=origin)
            for place, settings, origin in zip(
                (MAIN, "other"), request.settings, request.origins, strict=True
            )
        ]
        made.extend(runs)
        for run in runs:
            run.begin()
        until = time.monotonic() + 240
        while any(run.status()["busy"] for run in runs):
            assert time.monotonic() < until, [run.status() for run in runs]
            time.sleep(0.02)
        return runs[0], runs[1]

    yield of
    for run in made:
        LIVE_RUNS.remove(run)


def same(run: LiveRun, expected: Run) -> None:
    assert run.runner is not None
    frames = run.runner.view().frames
    assert len(frames) > 5
    for frame, iterate in zip(frames, expected.path(), strict=True):
        assert frame.k == iterate.k
        torch.testing.assert_close(frame.z, iterate.z, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(frame.c_a, iterate.c_a, rtol=1e-4, atol=1e-5)


def test_each_run_is_as_it_is_alone(parts, settings: RunSettings, side_by_side) -> None:
    """Another lambda, z-step and seed of the solver: the x' of both is the first one's."""
    changed = {**dict(settings.solver), "lambda_fraction": 0.3, "signal_step": "gradient"}
    other = replace(settings, seed=5, solver=tuple(changed.items()))
    request = PairRequest(Request(settings), other)
    first, second = side_by_side(request)
    made = craft_example(parts.bundle, request.settings[0])
    for run, own in zip((first, second), request.settings, strict=True):
        assert torch.equal(run.runner.example.attacked, made.attacked)
        options = own.solver_options()
        begun = begin_run(parts.bundle, made.attacked, options, start_seeds(own))
        same(run, Run.of(*begun, options))
    one, two = (run.runner.view().frames[0] for run in (first, second))
    assert not torch.allclose(one.z, two.z), "another seed begins elsewhere"


def test_a_start_of_a_class_begins_there(parts, settings: RunSettings, side_by_side) -> None:
    bundle = parts.bundle
    with torch.no_grad():
        z = bundle.prior.draw([torch.Generator().manual_seed(1)], 100)[0]
        label = int(bundle.psi(bundle.generator(z)).argmax(1)[0])  # G draws it
    request = PairRequest(Request(settings), settings, (None, label))
    _, second = side_by_side(request)
    own = request.settings[1]
    options, seeds = own.solver_options(), start_seeds(own)
    made = craft_example(bundle, settings)
    problem, _ = begin_run(bundle, made.attacked, options, seeds)
    start = start_in_class(bundle, seeds[0], label)
    starts, anchors = make_starts(bundle, made.attacked, options, seeds)
    assert starts.shape[1] == 1
    state = begin(problem, start.expand_as(starts).clone(), options, anchors)
    same(second, Run.of(problem, state, options))
    with torch.no_grad():
        assert int(bundle.psi(bundle.generator(start[None])).argmax(1)) == label
    assert torch.equal(second.runner.view().frames[0].z[0], start)


def test_a_class_that_g_never_draws_is_said(parts) -> None:
    with torch.no_grad():
        z = parts.bundle.prior.draw([torch.Generator().manual_seed(0)], 500)[0]
        drawn = set(parts.bundle.psi(parts.bundle.generator(z)).argmax(1).tolist())
    missing = sorted(set(range(10)) - drawn)
    if not missing:
        pytest.skip("the toy draws every class")
    with pytest.raises(NoStartError, match="choose another start class"):
        start_in_class(parts.bundle, 0, missing[0])


def test_one_run_is_shown_in_both_places_once(parts, settings: RunSettings) -> None:
    """Two runs of the same are one; the first's place is the main page's."""
    registry = RunRegistry()
    main = registry.prepare(parts, settings, None)
    other = registry.prepare(parts, settings, None, place="other")
    assert main is other
    moved = registry.prepare(parts, replace(settings, seed=1), None)
    assert LIVE_RUNS.find(main.key) is main, "it is still shown as the other"
    registry.prepare(parts, replace(settings, seed=2), None, place="other")
    assert LIVE_RUNS.find(main.key) is None
    assert registry.prepare(parts, moved.settings, None, origin=Origin(start_class=1)) is not moved
    for run in (*registry._shown.values(), moved):
        LIVE_RUNS.remove(run)
