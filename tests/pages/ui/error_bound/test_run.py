from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from pages.ui.error_bound.error_bound_request import ErrorBoundRequest
from pages.ui.live.compute_queue import FairLock
from red_core.synthetic import make_instances
from red_core.theory import ProximalGuarantee, guarantee, theorem_step
from red_core.theory.descent import descend, step_sizes
from red_core.theory.verification import Found
from tests.pages.ui.error_bound.conftest import settled, small

SMOOTH = small(activation="softplus", start="near")


def test_a_run_gives_the_cores_path_and_guarantee(start):
    request = ErrorBoundRequest(settings=SMOOTH, steps=400)
    view = settled(start(request))
    assert (view.state, view.phase) == ("finished", "done")
    made = make_instances(SMOOTH)
    path = descend(made, request.options())
    assert view.path.k.tolist() == path.k.tolist()
    # The page computes on one thread, this test on all: other kernels, other rounding.
    torch.testing.assert_close(view.path.z, path.z)
    torch.testing.assert_close(view.mu_mean, path.mu_mean)
    expected = guarantee(made, path, 5, 100)
    assert isinstance(view.findings, Found)
    torch.testing.assert_close(view.findings.guarantee.mu, expected.mu)
    torch.testing.assert_close(view.findings.guarantee.rho, expected.rho)
    assert view.findings.guarantee.why == expected.why


@pytest.mark.parametrize("eta", ["safe", "local", 0.05])
def test_the_step_size_is_the_one_asked_for(eta, start):
    request = ErrorBoundRequest(settings=SMOOTH, steps=5, eta=eta)
    view = settled(start(request))
    sizes = step_sizes(make_instances(SMOOTH), True)
    expected = sizes[eta] if isinstance(eta, str) else torch.full((6,), eta, dtype=torch.float64)
    torch.testing.assert_close(view.path.eta, expected)


def test_the_theorems_step_is_looked_for_and_the_local_one_takes_its_place(start):
    request = ErrorBoundRequest(settings=SMOOTH, steps=200, eta="theorem")
    view = settled(start(request))
    assert view.searched == 6
    expected = theorem_step(make_instances(SMOOTH), request.options())
    torch.testing.assert_close(view.path.eta, expected, rtol=1e-6, atol=0)
    assert bool(view.findings.guarantee.applies.all())

    kinked = replace(request, settings=small(start="near"))  # Assumption 1 fails: there is none
    view = settled(start(kinked))
    local = step_sizes(make_instances(kinked.settings), True)["local"]
    torch.testing.assert_close(view.path.eta, local)
    assert not bool(view.findings.guarantee.applies.any())


def test_a_paused_run_takes_single_steps_and_goes_on(start):
    run = start(ErrorBoundRequest(settings=small(), steps=300), paused=True)
    view = settled(run)
    assert (view.state, view.k) == ("paused", 0)
    for _ in range(3):
        run.step("one", wait=30)
    view = run.view()
    assert (view.state, view.k, view.path.k.tolist()) == ("paused", 3, [0, 1, 2, 3])
    run.resume()
    assert settled(run).state == "finished"


def test_a_watched_run_begins_step_by_step_and_then_goes_faster(start):
    request = ErrorBoundRequest(settings=small(), steps=4000, eta=1e-4)
    run = start(request, paused=True, speed=100.0)
    settled(run)
    ks = [0]
    for _ in range(120):
        run.step("go", wait=30)
        ks.append(run.view().k)
    strides = [after - before for before, after in pairwise(ks)]
    assert strides[:50] == [1] * 50
    assert strides == sorted(strides)
    assert strides[-1] == 1 + ks[-2] // 50 >= 3


def test_speed_changes_no_number(start):
    request = ErrorBoundRequest(settings=SMOOTH, steps=60, eta=0.02)
    slow, quick = start(request, speed=100.0), start(request)
    one, other = settled(slow), settled(quick)
    assert torch.equal(one.path.z, other.path.z)
    assert torch.equal(one.findings.guarantee.predicted, other.findings.guarantee.predicted)


def test_stop_judges_what_there_is(start):
    run = start(ErrorBoundRequest(settings=SMOOTH, steps=50_000, eta=1e-6), speed=50.0)
    settled(run, lambda view: view.k > 3)
    run.stop()
    view = settled(run)
    assert view.state == "stopped"
    assert 3 < view.k < 50_000
    assert isinstance(view.findings, Found)


def test_theorem_8_is_held_against_a_regularised_run(start):
    settings = small(m=30, activation="softplus", attack=True, training=4, start="near")
    view = settled(start(ErrorBoundRequest(settings=settings, method="proximal", steps=300)))
    assert isinstance(view.findings, ProximalGuarantee)
    assert view.lowest is not None
    assert bool((view.lowest <= view.path.loss.amin(0)).all())
    findings = view.findings
    assert bool(findings.applies.all())
    assert bool((findings.observed <= findings.predicted * (1 + 1e-9)).all())


def test_one_layer_has_lemma_14_and_a_sign_slope_has_the_wdc(start):
    view = settled(start(ErrorBoundRequest(settings=SMOOTH, steps=50)))
    names = [bound.name for bound in view.lemma.bounds]
    assert names[0] == "measured"
    assert view.lemma.bounds[names.index("Lemma 14, corrected")].fails == 0
    assert view.wdc is None
    view = settled(start(ErrorBoundRequest(settings=small(), steps=50)))
    assert view.wdc.given.constant > 0
    view = settled(start(ErrorBoundRequest(settings=small(layers=2), steps=50)))
    assert view.lemma is None


def test_a_step_size_far_too_large_ends_in_words(start):
    settings = small(activation="linear", scale="1")
    view = settled(start(ErrorBoundRequest(settings=settings, steps=5000, eta=1e4)))
    assert view.state == "failed"
    assert "step size is too large" in view.error
    assert view.path is not None


def test_a_closed_run_ends_while_it_measures(start):
    line = FairLock()
    run = start(
        ErrorBoundRequest(settings=small(d=20, m=400, activation="tanh", examples=60)), line=line
    )
    settled(run, lambda view: view.phase == "measure")
    run.close()
    run._thread.join(20)
    assert not run._thread.is_alive()
