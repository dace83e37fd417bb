"""What a session holds belongs to the images it was made of."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch

from pages.ui.live.live_run import LIVE_RUNS, LiveRun
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.undo.undo_registry import KEPT, RunContext, RunRegistry
from red_core.run.settings import RunSettings


def after_a_download(parts: LoadedModels) -> LoadedModels:
    """The same networks, and other images under the same numbers."""
    images = torch.flip(parts.bundle.examples.images, (-1,))
    examples = replace(parts.bundle.examples, images=images, source="the official test set")
    return replace(parts, bundle=replace(parts.bundle, examples=examples))


def test_after_a_download_the_same_number_is_another_image(
    parts: LoadedModels, settings: RunSettings
) -> None:
    registry, later = RunRegistry(), after_a_download(parts)
    first = registry.craft(parts, settings, None, lambda _: None)
    assert registry.craft(parts, settings, None, lambda _: None) is first
    second = registry.craft(later, settings, None, lambda _: None)
    assert torch.equal(second.clean, later.bundle.examples.images[[settings.index]])
    assert not torch.equal(second.clean, first.clean)


def test_a_run_of_the_images_before_a_download_is_ended(
    parts: LoadedModels, settings: RunSettings
) -> None:
    registry, later = RunRegistry(), after_a_download(parts)
    made = registry.craft(parts, settings, None, lambda _: None)
    context = RunContext(settings, parts, made, (settings, ""))
    runner = registry.start(context, paused=True)
    assert registry.runner(context) is runner
    made = registry.craft(later, settings, None, lambda _: None)
    assert registry.runner(RunContext(settings, later, made, (settings, ""))) is None
    runner._thread.join(30)
    assert not runner._thread.is_alive()


@pytest.fixture
def prepare(parts: LoadedModels, settings: RunSettings):
    """Prepare the run of a seed in one session, ended afterwards."""
    made, own = RunRegistry(), []

    def of(seed: int) -> LiveRun:
        own.append(made.prepare(parts, replace(settings, seed=seed), None))
        return own[-1]

    yield of
    for run in own:
        LIVE_RUNS.remove(run)


def run_to_the_end(run: LiveRun) -> None:
    run.begin()
    until = time.monotonic() + 240
    while run.status()["busy"] or run.status()["state"] == "running":
        assert time.monotonic() < until, run.status()
        time.sleep(0.02)


def test_a_run_that_has_ended_is_taken_up_again_and_not_computed_anew(prepare) -> None:
    first = prepare(0)
    run_to_the_end(first)
    second = prepare(1)
    assert LIVE_RUNS.find(first.key) is first
    assert prepare(0) is first
    assert first.epoch == 1
    assert LIVE_RUNS.find(second.key) is None, "it had not ended: nothing to come back to"
    LIVE_RUNS.remove(first)
    assert prepare(0) is not first, "nobody came back in time"


def test_few_ended_runs_are_kept(prepare) -> None:
    runs = []
    for seed in range(KEPT + 3):
        runs.append(prepare(seed))
        run_to_the_end(runs[-1])
    kept = [LIVE_RUNS.find(run.key) is run for run in runs]
    assert kept == [False, False, *[True] * (KEPT + 1)], "KEPT, and the one that is shown"
