from __future__ import annotations

from dataclasses import replace

import pytest

from pages.ui.error_bound import error_bound_headlines as words
from pages.ui.error_bound.error_bound_headlines import Outcome, Progress
from red_core.synthetic import InstanceSettings
from red_core.theory.growth import power_law

NOW = Progress("running", "descent", 0, 7, 2000, 3, 10, 1.2e-3)
SMOOTH = Outcome("Theorem 3", 10, 10, 10, 10, True, 0.97, 0.81, True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "Descending: step"),
        ({}, " 3 of 10 arrived, median distance 1.2e-03."),
        ({"state": "paused"}, "Paused: step 7 of 2,000, 3 of 10 arrived"),
        ({"state": "stopped"}, "Stopped: step 7 of 2,000"),
        ({"state": "failed"}, "The run failed."),
        ({"place": 2}, "Waiting in line: 2 runs are ahead."),
        ({"phase": "search", "searched": 4}, "admits: 4 of 10."),
        ({"state": "finished", "arrived": 10}, "Finished: all 10 instances have arrived, after 7"),
        ({"state": "finished", "arrived": 1, "count": 1}, "the instance has arrived"),
        ({"proximal": True}, "median L − L* 1.2e-03."),
    ],
)
def test_the_descents_headline(changed, said):
    assert said in words.descent_headline(replace(NOW, **changed)).replace(words.FIGURE_SPACE, " ")


def test_a_running_headline_keeps_its_width():
    early, late = (words.descent_headline(replace(NOW, k=k, arrived=k % 11)) for k in (9, 1999))
    assert len(early) == len(late)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "Theorem 3 applies and holds: promised × 0.970 a step, observed × 0.810."),
        ({"applies": 4}, "Theorem 3 applies to 4 of 10: promised"),
        ({"bound_kept": False}, "a step did worse than it promised"),
        ({"applies": 0}, "Theorem 3 does not apply here. Descent arrives all the same."),
        (
            {"applies": 0, "smooth": False, "arrived": 2},
            "does not apply here: σ has a kink. 2 of 10 arrive all the same.",
        ),
        ({"applies": 0, "arrived": 0}, "None has arrived."),
        ({"judged": 5}, "Measuring μ, ρ and ε along the paths: 5 of 10"),
        (
            {"applies": 0, "of_value": True, "theorem": "Theorem 8"},
            "Theorem 8 does not apply here.",
        ),
    ],
)
def test_the_theorems_headline(changed, said):
    assert said in words.theorem_headline(replace(SMOOTH, **changed))


def test_before_the_end_the_theorem_waits():
    assert "when the run ends" in words.theorem_headline(None)
    assert words.theorem_headline(None, ended=True) == "Measuring."


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.8123, "0.812"),
        (1 - 2.3e-5, "(1 − 2.3e-05)"),
        (1 + 4e-6, "(1 + 4.0e-06)"),
        (1.25, "1.250"),
        (float("nan"), "–"),
    ],
)
def test_a_factor_near_one_says_what_is_left(value, written):
    assert words.factor(value) == written


def test_sentences_name_promise_observation_reason_and_the_closed_form():
    said = words.theorem_sentences(
        replace(SMOOTH, applies=3, reason="Because of μ.", one_layer=0.99)
    )
    assert "**0.970** at most" in said[0]
    assert "**0.810**" in said[0]
    assert said[1] == "Because of μ."
    assert "One layer of positive slope" in said[2]
    (alone,) = words.theorem_sentences(replace(SMOOTH, applies=0, promised=None))
    assert alone.startswith("No factor is promised.")


def test_the_problem_in_one_line():
    settings = InstanceSettings(attack=True, layers=2)
    line = words.problem_headline(settings)
    assert (
        line
        == "Gaussian: 100 × 10, 2 layers, leaky ReLU of slope 0.2, attacked, D_a of 20 columns."
    )


def test_the_papers_value_stands_beside_ours():
    assert "Ours comes with the run." in words.comparison("Example 15", 2.17, None, None, None)
    line = words.comparison("Example 15", 2.17, 53.07, 2.28, 1.0)
    assert "the paper states μ = **2.17**" in line
    assert "mean is **53.1**, the smallest 2.28, and every instance arrived." in line
    assert "80% of the instances arrived" in words.comparison("Example 17", 0.64, 1.0, 0.1, 0.8)


def rows(means, rates=None):
    return [
        {"mu_mean": mean, "success_rate": rate}
        for mean, rate in zip(means, rates or [1.0] * len(means), strict=True)
    ]


def test_what_a_study_has_found():
    assert words.study_finding("figure1", rows([1, 2, 3])) == (
        "Finished: μ rises with m, and every run arrived."
    )
    assert words.study_finding("figure1", rows([1, 3, 2], [1, 0.5, 1])) == (
        "Finished: μ does not rise at every m, and 50% of the runs arrived at worst."
    )
    found = words.study_finding("examples", rows([0.01, 9, 1, 2, 0.5]))
    assert found == "Finished: noise on the rows raises μ, as in the paper."
    assert "for Hadamard alone" in words.study_finding("examples", rows([9, 1, 1, 2, 0.5]))
    assert "does not raise" in words.study_finding("examples", rows([9, 1, 2, 1, 0.5]))


def test_a_study_under_way_says_where_it_is():
    said = words.study_headline("figure1", "running", 0, 1, ("50", "75", "100"), 1234)
    assert said.replace(words.FIGURE_SPACE, " ") == "Descending: m = 75 (2 of 3), step  1,234."
    assert words.study_headline("examples", "stopped", 0, 0, ("Section 5.1",), 0).startswith(
        "Stopped: Section 5.1"
    )


def test_the_trend_in_numbers():
    grew = "From m = 50 to m = 400 the mean μ goes from 0.04 to 0.16, 4.0 times as much."
    law = power_law([50, 400], [0.04, 0.16])
    assert words.trend([50, 400], [0.04, 0.16], None) == grew
    assert words.trend([50, 400], [0.04, 0.16], law) == (
        f"{grew} A straight line through their logarithms has the slope **0.67**: where m doubles, "
        "μ grows 1.59 times."
    )
