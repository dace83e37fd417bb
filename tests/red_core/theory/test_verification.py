"""`verify` and `survey`: what they report is what the theorem says of the very path."""

import json
import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from red_core.synthetic import InstanceSettings
from red_core.theory.descent import DescentOptions
from red_core.theory.proximal_verification import proximal_report
from red_core.theory.verification import CASES, SURVEYED, Verification, report, survey, verify

TANH = InstanceSettings(m=60, d=3, activation="tanh", scale="1/d", start="near", examples=5)


ALTERNATING = DescentOptions(method="alternating", steps=200)


def told(settings: InstanceSettings, **asked):
    made = Verification(settings, **asked)
    return report(made, verify(made))


def test_near_the_solution_the_theorem_applies_and_its_promise_is_kept():
    found = told(TANH)
    assert found["applies"]
    assert found["held"]
    assert found["theorem"] == "Theorem 3"
    assert found["observed_rate"] <= found["predicted_rate"] < 1
    low, high = found["interval"]
    assert low < found["eta"] < high
    assert 0 < found["tightness"] <= 1
    assert found["success_rate"] == 1
    assert found["mu"] <= found["mu_mean"]
    assert len(found["instances"]) == 5
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_report_speaks_of_all_instances():
    made = Verification(TANH, networks=2)
    found = verify(made)
    whole = report(made, found)
    assert len(whole["instances"]) == 10
    assert whole["mu"] == pytest.approx(min(one["mu"] for one in whole["instances"]))
    assert whole["rho"] == pytest.approx(max(one["rho"] for one in whole["instances"]))
    worst = max(one["observed"] for one in whole["instances"])
    assert whole["observed_rate"] == pytest.approx(worst)


def test_an_observed_rate_is_the_largest_step_of_the_path():
    made = Verification(TANH, most=None)
    found = verify(made)
    path = found.path
    ratios = (path.distance[1:] / path.distance[:-1]).square()
    for item, arrived in enumerate(path.arrived_at.tolist()):
        wanted = float(ratios[:arrived, item].max())
        assert float(found.guarantee.observed[item]) == pytest.approx(wanted, rel=1e-6)


def test_the_trace_stays_below_the_theorems_bound():
    trace = told(replace(TANH, attack=True, training=6, hidden=40), options=ALTERNATING)["trace"]
    assert trace["k"] == list(range(len(trace["k"])))
    lengths = zip(trace["distance_z"], trace["distance_c_a"], trace["bound"], strict=True)
    assert all(math.hypot(z, c_a) <= bound * (1 + 1e-5) for z, c_a, bound in lengths)
    assert all(later < former for former, later in pairwise(trace["loss"]))
    kinked = told(replace(TANH, activation="leaky_relu"))["trace"]
    assert set(kinked["bound"]) == {None}


def test_a_kinked_activation_is_told_apart_and_has_its_floor():
    found = told(replace(TANH, activation="leaky_relu", parameter=0.3))
    assert not found["applies"]
    assert found["predicted_rate"] is None
    assert found["leaky_floor"] <= found["mu"]
    assert all("kink" in one["why"] for one in found["instances"])


def test_an_eta_of_ones_own_outside_the_interval_is_refused_by_the_theorem_not_by_us():
    found = told(TANH, options=DescentOptions(steps=50, eta=1e-7))
    inside = told(TANH)
    assert inside["interval"][0] <= 1e-7, "epsilon is 0 near the solution"
    assert found["applies"], "a tiny step is admissible where epsilon is 0, and slow"
    assert found["success_rate"] == 0
    far = told(TANH, options=DescentOptions(steps=50, eta=10 * inside["interval"][1]))
    assert not far["applies"]


def test_more_attacks_than_pixels_hold_in_the_row_space_only():
    settings = replace(TANH, m=20, attack=True, training=30, hidden=300)
    found = told(settings, options=DescentOptions(method="alternating", steps=50))
    assert "exceeds n" in found["ranks"]
    assert not found["applies"], "rank(D_a) + d > n: minimisers form a manifold"


@pytest.mark.parametrize(
    "wrong", [{"step": "newton"}, {"options": DescentOptions(method="proximal")}]
)
def test_what_cannot_be_verified_is_refused(wrong):
    with pytest.raises(ValueError, match=r"step is one of|choose another method"):
        Verification(TANH, **wrong)


def test_lemma_14_stands_beside_what_was_measured():
    settings = replace(TANH, attack=True, training=6, hidden=40)
    found = told(settings, options=ALTERNATING)
    rho, epsilon = found["lemma_14"]["corrected"]
    assert found["rho"] <= rho
    assert found["epsilon"] <= epsilon
    tighter = found["lemma_14"]["with_the_bend"]
    assert tighter[0] <= rho
    assert tighter[1] <= epsilon
    assert found["assumption_13"]["holds"]
    assert told(replace(TANH, layers=2))["lemma_14"] is None
    many = replace(settings, m=20, training=30, hidden=300)
    broken = told(many, options=DescentOptions(method="alternating", steps=20))["assumption_13"]
    assert not broken["holds"]
    assert "sigma_min(D_a) = 0" in broken["why"]


def test_the_two_rows_are_far_from_the_weight_distribution_condition():
    found = told(replace(TANH, family="two_rows", m=100, activation="relu"))["wdc"]
    assert found["rescaled_at_least"] > 1 / 290, "footnote 4"
    assert told(TANH)["wdc"] is None


def test_theorem_8_keeps_its_promise():
    settings = replace(TANH, attack=True, training=6, hidden=40, examples=10)
    found = proximal_report(settings, DescentOptions(method="proximal", steps=300))
    assert found["theorem"] == "Theorem 8"
    assert found["applies"]
    assert found["held"]
    assert found["eta"] == pytest.approx(1 / found["rho"])
    assert found["observed_rate"] <= found["predicted_rate"] < 1
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    long = proximal_report(
        settings, DescentOptions(method="proximal", steps=300, eta=20 * found["eta"])
    )
    assert not long["applies"], "the step exceeds 1 / curvature"


def test_a_survey_covers_every_case_and_no_promise_is_broken():
    small = replace(SURVEYED, m=30, d=3, examples=2, training=4, hidden=30)
    rows = list(survey(small, steps=60))
    assert {row["case"] for row in rows} == {name for name, _ in CASES}
    assert all(row["held"] for row in rows)
    near = [row for row in rows if row["radius"] == 0.01 and "leaky" not in row["activation"]]
    assert all(row["share_applies"] == 1 for row in near)
    assert all(row["share_applies"] == 0 for row in rows if "leaky" in row["activation"])
    assert torch.tensor([row["instances"] for row in rows]).unique().tolist() == [2]
