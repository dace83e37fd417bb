from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from pages.ui.error_bound import error_bound_headlines as words
from pages.ui.error_bound import findings
from pages.ui.error_bound import view_model as reading
from pages.ui.error_bound.error_bound_export import numbers
from pages.ui.error_bound.error_bound_request import ErrorBoundRequest
from pages.ui.error_bound.findings import measured
from pages.ui.error_bound.number_tables import constants_table, lemma_table, plain
from red_core.synthetic import make_instances
from red_core.theory import guarantee, proximal_guarantee
from red_core.theory.descent import DescentOptions, descend
from red_core.theory.verification import Verification, report, verify
from tests.pages.ui.error_bound.conftest import settled, small

SMOOTH = small(activation="softplus", start="near")
KERNEL = small(m=12, d=2, activation="softplus", attack=True, training=20, start="near")


@pytest.mark.parametrize("settings", [SMOOTH, KERNEL, small(layers=2)])
def test_guarantees_of_parts_are_those_of_the_whole(settings, monkeypatch):
    monkeypatch.setattr(findings, "_SLICE", 1.0)  # one instance at a time
    made = make_instances(settings)
    method = "alternating" if settings.attack else "inversion"
    path = descend(made, DescentOptions(method=method, steps=40))
    parts = list(measured(made, path))
    assert [len(part.guarantee) for part in parts] == list(range(1, len(made) + 1))
    whole = guarantee(made, path, findings.SAMPLES)
    for name in ("mu", "rho", "epsilon", "predicted", "observed", "observed_mean", "applies"):
        ours = getattr(parts[-1].guarantee, name)
        expected = getattr(whole.row_space or whole, name)
        torch.testing.assert_close(ours, expected, equal_nan=True)
    assert parts[-1].plain.why == whole.why
    assert (parts[-1].plain.row_space is None) == (whole.row_space is None)
    assert parts[-1].guarantee.steps.mu.shape[1] == len(made)


def test_theorem_8_of_parts_is_that_of_the_whole(monkeypatch):
    monkeypatch.setattr(findings, "_SLICE", 1.0)
    settings = replace(KERNEL, training=4)
    made = make_instances(settings)
    path = descend(made, DescentOptions(method="proximal", steps=60))
    *_, last = measured(made, path)
    whole = proximal_guarantee(made, path, findings.SAMPLES)
    torch.testing.assert_close(last.mu, whole.mu)
    torch.testing.assert_close(last.mu_steps, whole.mu_steps, equal_nan=True)
    assert last.why == whole.why


def test_no_instance_crosses_a_line_that_is_drawn_as_a_bound(start):
    for settings in (SMOOTH, small(), small(activation="linear")):
        request = ErrorBoundRequest(settings=settings, steps=300, eta="theorem")
        run = start(request)
        view = settled(run)
        lines = reading.distance_bounds(run.instances, view)
        assert lines
        for name, bound in lines:
            farthest = view.path.distance.amax(1).numpy()
            assert (farthest <= np.array(bound) * (1 + 1e-9)).all(), name


def test_a_kinked_layer_has_a_floor_under_mu(start):
    run = start(ErrorBoundRequest(settings=small(), steps=300))
    view = settled(run)
    floor, name = reading.floor_of(run.instances, view.path)
    assert "α²" in name
    known = reading.until_arrival(view.path, view.path.mu)
    assert np.nanmin(known) >= floor * (1 - 1e-9)
    assert reading.floor_of(make_instances(SMOOTH), None) is None
    linear = reading.floor_of(make_instances(small(activation="linear")), None)
    assert linear is not None
    assert linear[1] == "2 σ_min(W)²"


def test_the_value_of_a_regularised_run_lies_under_theorem_8(start):
    settings = replace(KERNEL, training=4)
    run = start(ErrorBoundRequest(settings=settings, method="proximal", steps=200))
    view = settled(run)
    values, lines = reading.value_lines(view)
    assert (values >= 0).all()
    ((name, bound),) = lines
    assert name == "bound of Theorem 8"
    assert (values.max(1) <= np.array(bound) * (1 + 1e-6) + 1e-12).all()


def test_the_outcome_counts_and_gives_the_reason(start):
    run = start(ErrorBoundRequest(settings=small(), steps=200))
    assert reading.outcome_of(run.instances, None) is None
    outcome = reading.outcome_of(run.instances, settled(run))
    assert (outcome.applies, outcome.count, outcome.smooth) == (0, 6, False)
    assert outcome.promised is None
    assert "leaky ReLU has a kink" in outcome.reason
    assert outcome.one_layer is not None


def test_letters_of_the_core_become_the_papers():
    said = "mu^2 = 3 is not above 32/9 rho epsilon (eta = 2), leaky_relu; rhodium, mumble"
    expected = "μ² = 3 is not above 32/9 ρ ε (η = 2), leaky ReLU; rhodium, mumble"
    assert reading.pretty(said) == expected


def test_what_is_not_measured_yet_is_padded():
    class View:
        path = None
        findings = None

    assert reading.step_sizes_of(None, 3) is None
    assert reading.rates_of(None, 3) is None
    assert reading.distance_bounds(make_instances(SMOOTH), View()) == []


def test_tables_say_dashes_before_and_numbers_after(start):
    assert "–" in constants_table(None)
    assert "–" in lemma_table(None)
    view = settled(start(ErrorBoundRequest(settings=SMOOTH, steps=50)))
    table = constants_table(view.findings)
    assert f"{float(view.findings.guarantee.rho.median()):.3g}" in table
    assert "holds" in lemma_table(view.lemma)
    kinked = settled(start(ErrorBoundRequest(settings=small(), steps=50)))
    assert "says nothing" in lemma_table(kinked.lemma)


def test_the_numbers_to_save_are_those_of_the_command_line(start):
    request = ErrorBoundRequest(settings=SMOOTH, steps=300, eta="local")
    run = start(request)
    saved = numbers(request, run.instances, settled(run))
    assert json.loads(json.dumps(saved, allow_nan=False)) == saved
    asked = Verification(SMOOTH, request.options(), "local")
    expected = report(asked, verify(asked))
    for name in ("mu", "rho", "epsilon", "predicted_rate", "observed_rate", "mu_mean"):
        assert saved[name] == pytest.approx(expected[name], rel=1e-9), name
    assert saved["applies"] == expected["applies"]
    assert saved["instances"][0]["why"] == expected["instances"][0]["why"]
    assert len(saved["path"]["k"]) == len(saved["path"]["distance_z"])


def test_json_has_no_nan():
    assert plain(torch.tensor([[1.0, torch.nan], [torch.inf, 2.0]])) == [[1.0, None], [None, 2.0]]
    assert plain(float("nan")) is None


def test_lemma_9_is_shown_at_the_examined_steps_and_holds_there(start):
    view = settled(start(ErrorBoundRequest(settings=SMOOTH, steps=60)))
    made = make_instances(SMOOTH)
    found = reading.cocoercivity_of(made, view)
    assert found is not None
    ks, sides = found
    assert set(ks.tolist()) <= set(view.path.k.tolist())
    known = torch.isfinite(sides.left)
    assert bool(known.any())
    assert bool((sides.left - sides.right)[known].ge(-1e-9).all())
    said = words.cocoercivity_line(sides)
    assert said.startswith(f"The left side is never below the bound, at {int(known.sum())} steps")
    below = replace(sides, right=sides.left + 1)
    assert "is below the bound at" in words.cocoercivity_line(below)
    assert reading.cocoercivity_of(made, replace(view, busy=True)) is None


def test_the_dependence_is_taken_at_the_medians(start):
    view = settled(start(ErrorBoundRequest(settings=SMOOTH, steps=60)))
    found = reading.dependence_of(view)
    result = view.findings.guarantee
    assert found is not None
    assert found.limit == pytest.approx(
        9 * float(result.mu.median()) ** 2 / (32 * float(result.rho.median()))
    )
    assert "of the most that the theorem admits" in words.dependence_line(found)
    too_bent = replace(found, share=3.0)
    assert words.dependence_line(too_bent).startswith("ε is 3 times the most")
    assert reading.dependence_of(replace(view, findings=None)) is None
