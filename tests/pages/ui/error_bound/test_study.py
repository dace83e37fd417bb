from __future__ import annotations

from dataclasses import replace

import pytest

from pages.ui.error_bound.error_bound_presets import (
    ATTACKED,
    EXAMPLE_TITLES,
    PRESETS,
    models_of,
    paper_mu,
    preset_of,
)
from pages.ui.error_bound.error_bound_request import ErrorBoundRequest
from pages.ui.error_bound.study import StudyRun, parts_of_axis
from pages.ui.live.compute_queue import FairLock
from red_core.measure.studies import EXAMPLES, FIGURE_1, Study, expansiveness
from red_core.synthetic import InstanceSettings, make_instances
from red_core.theory.descent import DescentOptions
from tests.pages.ui.error_bound.conftest import settled, small

QUICK = Study(
    small(examples=3), DescentOptions(steps=3000), networks=2, sizes=(10, 20, 40), every=10
)


@pytest.fixture
def start():
    runs = []

    def begin(study: Study, **kwargs) -> StudyRun:
        runs.append(StudyRun(parts_of_axis(study), **{"line": FairLock(), **kwargs}))
        return runs[-1]

    yield begin
    for run in runs:
        run.close()
        run._thread.join(20)
        assert not run._thread.is_alive()


def test_a_study_gives_the_rows_of_the_core(start):
    view = settled(start(QUICK))
    assert view.state == "finished"
    assert view.names == ("10", "20", "40")
    for m, row, expected in zip(QUICK.sizes, view.rows, expansiveness(QUICK), strict=True):
        assert expected["m"] == m
        assert row == pytest.approx({name: expected[name] for name in row}, rel=1e-12)


def test_rows_come_one_by_one_and_a_stopped_study_keeps_them(start):
    slow = replace(QUICK, options=DescentOptions(steps=100_000, eta=1e-7), sizes=(10, 20))
    run = start(replace(slow, sizes=(10,)))
    settled(run, lambda view: view.k > 0)
    run.stop()
    view = settled(run)
    assert (view.state, view.rows) == ("stopped", ())
    run = start(QUICK)
    view = settled(run, lambda view: len(view.rows) >= 1)
    assert view.rows[0]["instances"] == 6


def test_every_example_without_an_attack_has_one_with_it():
    names = [preset.name.removesuffix(", attacked") for preset in ATTACKED]
    assert names == ["Example 15", "Example 16", "Example 16, noisy", "Example 17"]
    for preset in ATTACKED:
        request = preset.request
        assert request.settings.attack
        assert (request.method, request.steps, request.run) == ("alternating", 40_000, True)
        assert paper_mu(request) is None, "the paper states it without an attack"
        made = make_instances(request.settings)
        assert int(made.ranks.max()) + made.d <= made.n, "one solution: mu need not go to 0"


def test_every_example_has_a_preset_with_the_papers_value():
    for name, study in EXAMPLES.items():
        preset = next(p for p in PRESETS if p.name == EXAMPLE_TITLES[name])
        assert preset.request.settings == study.settings
        assert paper_mu(preset.request) == (EXAMPLE_TITLES[name], study.paper_mu)
        assert preset_of(preset.request) == PRESETS.index(preset)
    assert paper_mu(ErrorBoundRequest()) is None


def test_a_study_of_the_page_is_the_cores_own_unless_a_control_says_otherwise():
    figure = next(p.request for p in PRESETS if p.name == "Figure 1")
    parts = models_of(figure)
    assert [part.study.settings.m for part in parts] == list(FIGURE_1.sizes)
    assert parts[0].study == replace(
        FIGURE_1, settings=replace(FIGURE_1.settings, m=FIGURE_1.sizes[0]), sizes=()
    )
    steeper = replace(figure, settings=replace(figure.settings, parameter=0.5), eta=0.1)
    assert {part.study.settings.parameter for part in models_of(steeper)} == {0.5}
    assert {part.study.options.eta for part in models_of(steeper)} == {0.1}
    examples = next(p.request for p in PRESETS if p.request.show == "examples")
    assert [part.study for part in models_of(examples)] == list(EXAMPLES.values())
    with pytest.raises(ValueError, match="not a study"):
        models_of(ErrorBoundRequest(settings=InstanceSettings()))
