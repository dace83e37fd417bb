"""What a tab's later session gets of the page's workers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pages.ui.landscape.landscape_registry import LandscapeRegistry
from pages.ui.landscape.landscape_request import LandscapeRequest
from pages.ui.undo.undo_registry import RunContext
from red_core.synthetic import InstanceSettings

FLAT = LandscapeRequest(
    settings=InstanceSettings(family="example15", d=2, examples=1), starts=((0.4, 0.3),)
)


@pytest.fixture
def registries():
    made = [LandscapeRegistry(), LandscapeRegistry()]
    yield made
    for registry in made:
        registry.clear()


@pytest.fixture
def walked(registries) -> LandscapeRegistry:
    """The earlier one, with a path that is paused."""
    before = registries[0]
    scan = before.scan(FLAT)
    scan.wait(60)
    before.paths(FLAT, scan.view().base, None).pause()
    return before


def test_the_scan_and_its_paths_are_taken_over(registries, walked) -> None:
    after, scan, paths = registries[1], walked.scan(FLAT), walked.present
    mine = after.scan(FLAT)
    after.take_over(walked)
    assert after.scan(FLAT) is scan
    assert after.paths(FLAT, scan.view().base, None) is paths
    assert paths.view().paused
    assert set(after.workers()) == {scan, paths}
    assert walked.workers() == ()
    mine._thread.join(60)
    assert not mine._thread.is_alive(), "its own has ended"


def test_those_on_another_landscape_stay(registries, walked) -> None:
    other = replace(FLAT, settings=replace(FLAT.settings, seed=FLAT.settings.seed + 1))
    after = registries[1]
    mine = after.scan(other)
    after.take_over(walked)
    assert after.scan(other) is mine
    assert after.present is None
    assert len(walked.workers()) == 2


def test_a_run_is_taken_over_with_its_slice(registries, parts, settings) -> None:
    before, after = registries
    made = before.runs.craft(parts, settings, None, lambda place: None)
    context = RunContext(settings, parts, made, (settings, ""))
    runner = before.runs.start(context, paused=True)
    cut = before.slice(parts, lambda: None, "pca", (runner, 1))
    own = after.runs.start(context, paused=True)
    after.take_over(before)
    assert after.runs.runner(context) is runner
    assert after.find_slice("pca", (runner, 1)) is cut
    assert set(after.workers()) == {runner, cut}
    own._thread.join(60)
    assert not own._thread.is_alive()
