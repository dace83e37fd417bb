"""The page "Error bound" without a browser: its logic on small problems."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from pages.ui.error_bound import error_bound_registry as registry
from pages.ui.error_bound.matrix import pack_matrix
from pages.ui.error_bound.run import ErrorBoundRun
from pages.ui.error_bound.study import StudyRun
from pages.ui.live.worker import THREAD_NAME
from tests.pages.conftest import by_label, slots, written

ROOT = Path(__file__).resolve().parents[2]
PAGE = "pages/error_bound.py"
SMALL = {"m": "20", "d": "3", "examples": "4", "steps": "300"}
Runs = list[ErrorBoundRun | StudyRun]


@pytest.fixture
def registries() -> list[registry.ErrorBoundRegistry]:
    """The registries that started runs: AppTest's sessions all share Streamlit's cache."""
    return []


@pytest.fixture(autouse=True)
def runs(monkeypatch, registries):
    """Every run that a page starts; all are ended afterwards."""
    started: Runs = []
    start = registry.ErrorBoundRegistry.start

    def remember(self, current, *, paused=False, speed=None):
        start(self, current, paused=paused, speed=None)  # AppTest has nobody to watch
        registries.append(self)
        started.append(self.worker(current))

    monkeypatch.setattr(registry.ErrorBoundRegistry, "start", remember)
    threads = torch.get_num_threads()
    yield started
    for one in registries:
        one.clear()
    for run in started:
        run._thread.join(30)
    assert not any(thread.name == THREAD_NAME for thread in threading.enumerate())
    torch.set_num_threads(threads)


def open_page(query: dict[str, str] | None = None) -> AppTest:
    app = AppTest.from_file(str(ROOT / PAGE), default_timeout=120)
    for name, value in (SMALL if query is None else query).items():
        app.query_params[name] = value
    return app.run()


def headlines(app: AppTest) -> list[str]:
    """Of the acts or the study; the page's own last one is the trained generators'."""
    live = [f"headline-{act}" for act in (2, 3)]
    said = [written(app, slot) for slot in live if slot in slots(app)]
    return [*(header.value for header in app.header[:-1]), *said]


def finish(app: AppTest, runs: Runs) -> AppTest:
    until = time.monotonic() + 60
    while runs[-1].view().busy:
        assert time.monotonic() < until, headlines(app)
        time.sleep(0.02)
    return app.run()


def texts(app: AppTest) -> str:
    live = [written(app, slot) for slot, shown in slots(app).items() if "html" in shown]
    return " ".join([*(element.value for element in [*app.caption, *app.markdown]), *live])


def test_a_visit_without_a_link_computes_a_case_that_the_theorem_covers(runs):
    app = finish(open_page({}), runs)
    assert not app.exception
    assert not app.error
    assert not app.warning
    first, second, third = headlines(app)
    assert first == "Gaussian: 100 × 5, GELU, no attack."
    assert second.startswith("Finished: all 10 instances have arrived")
    assert third.startswith("Theorem 3 applies and holds: promised × ")
    assert app.query_params["eta"] == "theorem"


def test_a_link_opens_three_acts_and_runs_nothing():
    app = open_page({"seed": "1"})
    assert not app.exception
    first, second, third = headlines(app)
    assert first == "Gaussian: 100 × 10, leaky ReLU of slope 0.2, no attack."
    assert second.startswith("Not run yet")
    assert "when the run ends" in third


@pytest.mark.parametrize(
    "query",
    [{}, {"attack": "true", "method": "proximal", "start": "near"}, {"show": "figure1"}],
)
def test_every_control_has_help_that_teaches(query):
    app = open_page(query)
    controls = [
        *(*app.selectbox, *app.number_input, *app.segmented_control, *app.pills),
        *(*app.button, *app.slider, *app.toggle),
    ]
    assert len(controls) >= 8
    assert [widget.label for widget in controls if not widget.help] == []


def test_a_run_ends_in_words_and_the_link_asks_for_it(runs):
    app = open_page()
    app.button("error-bound-run-button").click().run()
    assert app.query_params["run"] == "1"
    finish(app, runs)
    _, second, third = headlines(app)
    assert second.startswith("Finished: all 4 instances have arrived")
    assert third.startswith("Theorem 3 does not apply here: σ has a kink.")
    assert "leaky ReLU has a kink" in texts(app)
    assert not app.exception


def test_where_the_theorem_applies_it_says_so(runs):
    query = {**SMALL, "activation": "softplus", "start": "near", "eta": "theorem", "run": "1"}
    app = finish(open_page(query), runs)
    assert headlines(app)[2].startswith("Theorem 3 applies and holds: promised × ")


def test_a_link_repeats_the_run_to_the_same_numbers(runs, registries):
    query = {**SMALL, "seed": "3", "attack": "true", "method": "alternating", "run": "1"}
    first = finish(open_page(query), runs)
    link = {name: first.query_params[name] for name in first.query_params}
    assert link["run"] == "1"
    one = runs[-1].view()
    registries[-1].clear()  # as if it were another reader's
    again = finish(open_page(link), runs)
    other = runs[-1].view()
    assert len(runs) == 2
    assert torch.equal(one.path.z, other.path.z)
    assert torch.equal(one.findings.guarantee.observed, other.findings.guarantee.observed)
    assert headlines(again) == headlines(first)


def test_a_changed_control_ends_the_run_and_the_wish_for_it(runs):
    app = finish(open_page({**SMALL, "run": "1"}), runs)
    by_label(app.number_input, "Outputs m").set_value(30).run()
    assert headlines(app)[1].startswith("Not run yet")
    assert "run" not in app.query_params
    assert app.query_params["m"] == "30"
    assert "30 × 3" in headlines(app)[0]


def test_a_family_brings_its_scale_and_fixes_d():
    app = open_page(SMALL)
    by_label(app.selectbox, "Family of W").select("hadamard").run()
    assert "20 × 4" in headlines(app)[0]
    assert by_label(app.number_input, "Latent d").disabled
    assert by_label(app.selectbox, "Variance of W's entries").value == "1"


def test_an_attack_brings_the_method_of_4_2_and_its_ranks():
    app = open_page(SMALL)
    by_label(app.toggle, "Attacked: x' = G(z*) + D_a c_a*").set_value(True).run()
    assert by_label(app.segmented_control, "Method (Section)").value == "alternating"
    assert "rank(D_a) = " in texts(app)
    by_label(app.toggle, "Attacked: x' = G(z*) + D_a c_a*").set_value(False).run()
    assert app.query_params.get("method") is None
    assert not app.exception


def test_an_activation_brings_its_parameter():
    app = open_page(SMALL)
    by_label(app.selectbox, "Activation σ").select("softplus").run()
    assert by_label(app.number_input, "Sharpness β").value == 10
    by_label(app.selectbox, "Activation σ").select("tanh").run()
    assert "tanh" in headlines(app)[0]
    assert not app.exception


def test_what_cannot_be_is_refused_and_the_last_good_state_stays():
    app = open_page({**SMALL, "d": "20"})
    by_label(app.number_input, "Outputs m").set_value(10).run()
    assert "M must be at least 20" in app.error[0].value
    assert "The settings before it still hold." in app.error[0].value
    assert "20 × 20" in headlines(app)[0]


def test_a_bad_link_is_told_and_the_rest_of_it_stands():
    app = open_page({**SMALL, "family": "rembrandt", "eta": "large"})
    assert len(app.warning) == 2
    assert "20 × 3" in headlines(app)[0]


def test_a_link_can_hold_a_matrix(runs):
    matrix = torch.eye(5, 2, dtype=torch.float64) + 0.1
    query = {"family": "own", "W": pack_matrix(matrix), "examples": "3", "run": "1"}
    app = finish(open_page(query), runs)
    assert headlines(app)[0].startswith("Your own matrix: 5 × 2")
    assert torch.equal(runs[-1].instances.network.weights[0][0], matrix)


def test_teach_hides_the_controls():
    app = open_page({**SMALL, "teach": "1"})
    assert not app.number_input
    assert app.button("error-bound-run-button")


def test_pause_step_stop_and_scrub(runs):
    app = open_page({**SMALL, "eta": "1e-05"})
    app.button("error-bound-step").click().run()
    app.button("error-bound-step").click().run()
    assert headlines(app)[1].startswith("Paused: step 2 of 300")
    app.button("error-bound-back").click().run()
    assert headlines(app)[1].startswith("Paused: step 1 of 300")
    app.button("error-bound-stop").click().run()
    finish(app, runs)
    app.session_state["error_bound.at"] = 2  # as the slider does
    app.run()
    assert headlines(app)[1].startswith("Stopped: step 2 of 300")


def test_a_preset_runs_at_one_press_with_the_papers_value_beside_ours(runs):
    app = open_page(SMALL)
    pills = by_label(app.pills, "The paper's experiments")
    pills.set_value(next(i for i, name in enumerate(pills.options) if name == "Example 16")).run()
    assert len(runs) == 1
    assert "Ours comes with the run." in texts(app)
    finish(app, runs)
    assert "the paper states μ = 1.07. Here the mean is " in texts(app)
    assert app.query_params["family"] == "hadamard"
    assert not app.exception


def test_a_study_fills_its_table(runs, monkeypatch):
    from dataclasses import replace

    from pages.ui.error_bound import error_bound_presets as presets
    from red_core.measure.studies import FIGURE_1

    monkeypatch.setitem(presets.STUDIES, "figure1", replace(FIGURE_1, sizes=(40, 60), networks=1))
    app = open_page({"show": "figure1", "examples": "2", "d": "3", "steps": "2000", "run": "1"})
    finish(app, runs)
    assert headlines(app) == ["Finished: μ rises with m, and every run arrived."]
    assert "From m = 40 to m = 60" in texts(app)
    assert "expect its trends here" in texts(app)
    assert not app.exception


def test_the_export_waits_for_the_end_and_then_holds_the_numbers(runs):
    from pages.ui.error_bound.error_bound_export import numbers

    app = open_page()
    assert "can be saved once a run has ended" in texts(app)
    app.button("error-bound-run-button").click().run()
    finish(app, runs)
    assert "can be saved once a run has ended" not in texts(app)
    assert any("theory verify --family gaussian --m 20" in code.value for code in app.code)
    run = runs[-1]
    saved = json.loads(json.dumps(numbers(run.request, run.instances, run.view())))
    assert saved["success_rate"] == 1.0
    assert saved["applies"] is False
