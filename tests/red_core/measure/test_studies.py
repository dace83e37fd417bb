"""Figures 1 and 3 and the examples: the paper's trends, smaller where that is enough."""

from dataclasses import replace
from itertools import pairwise

import pytest

from red_core.measure.studies import (
    EXAMPLES,
    FIGURE_1,
    FIGURE_3,
    examples,
    expansiveness,
    path_of,
    summary,
)


def test_figure_1_mu_grows_with_m_and_every_run_arrives():
    clean = replace(FIGURE_1.settings, attack=False)
    options = replace(FIGURE_1.options, method="inversion")
    rows = list(expansiveness(replace(FIGURE_1, settings=clean, options=options)))
    assert [row["m"] for row in rows] == list(FIGURE_1.sizes)
    assert len(rows) >= 5
    assert all(row["success_rate"] == 1.0 for row in rows)
    assert all(low["mu_mean"] < high["mu_mean"] for low, high in pairwise(rows))
    assert all(0 < row["mu_min"] <= row["mu_mean"] and row["mu_std"] > 0 for row in rows)


def test_figure_1_with_the_attack_of_b1():
    study = replace(FIGURE_1, networks=2, sizes=(100, 400))
    narrow, wide = expansiveness(study)
    assert narrow["success_rate"] == wide["success_rate"] == 1.0
    assert narrow["mu_mean"] < wide["mu_mean"]
    assert narrow["instances"] == 20


def test_figure_3_of_three_layers():
    settings = replace(FIGURE_3.settings, attack=False, examples=10)
    options = replace(FIGURE_3.options, method="inversion")
    study = replace(FIGURE_3, settings=settings, options=options, sizes=(400, 1000))
    narrow, wide = expansiveness(study)
    assert narrow["success_rate"] == wide["success_rate"] == 1.0
    assert narrow["mu_mean"] < wide["mu_mean"]


def test_the_examples_keep_their_order_and_noise_raises_mu():
    found = dict(examples({name: EXAMPLES[name] for name in EXAMPLES if name != "example_17"}))
    assert found["example_16"]["mu_mean"] < found["example_16_noisy"]["mu_mean"]
    assert found["section_5_1"]["mu_mean"] < found["example_15"]["mu_mean"]
    assert all(row["success_rate"] == 1.0 for row in found.values())
    assert found["example_15"]["paper_mu"] == 2.17


def test_a_vandermonde_run_that_has_not_arrived_is_still_on_its_way():
    study = EXAMPLES["example_17"]
    path = path_of(replace(study, settings=replace(study.settings, examples=20)))
    late = ~path.success
    assert bool((path.distance.diff(dim=0)[-1] < 0)[late].all())
    assert bool((path.mu_row[-1, late] > 0).all())


def test_a_summary_needs_no_arrival():
    study = replace(
        EXAMPLES["example_15"], options=replace(EXAMPLES["example_15"].options, steps=1)
    )
    row = summary(path_of(study))
    assert row["success_rate"] == 0
    assert row["median_steps"] is None
    assert row["mu_mean"] == pytest.approx(row["mu_mean"])
