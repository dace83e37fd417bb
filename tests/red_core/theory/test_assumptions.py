"""Assumptions 1 and 13: the constants, and a clear statement where one is violated."""

import pytest
import torch

from red_core.synthetic import InstanceSettings, make_instances
from red_core.theory import assumption_13


def instances_of(attack=True, **changes):
    chosen = {"m": 12, "d": 3, "activation": "tanh", "training": 6, "examples": 3} | changes
    return make_instances(InstanceSettings(attack=attack, hidden=30, **chosen))


def measured(instances, count=5):
    z = torch.randn(count, len(instances), instances.d).double()
    c_a = torch.randn(count, len(instances), instances.k).double()
    return z, c_a, assumption_13(instances, z, c_a)


@pytest.mark.parametrize("layers", [1, 2])
def test_the_constants(layers):
    instances = instances_of(layers=layers)
    z, c_a, found = measured(instances)
    residual = instances.residual(z, c_a)
    torch.testing.assert_close(found.c_0, residual.abs().sum(-1).amax(0))
    assert found.c_w.shape == found.v_w.shape == (layers, 3)
    for layer, weight in enumerate(instances.network.weights):
        values = torch.linalg.svdvals(weight[0])
        assert float(found.c_w[layer, 0]) == pytest.approx(float(values[0]))
        rows = torch.stack([row.dot(row) for row in weight[0]])
        assert float(found.v_w[layer, 0]) == pytest.approx(float(rows.sum()))
    values = torch.linalg.svdvals(instances.dictionary.atoms)
    torch.testing.assert_close(found.c_d, values[:, 0])
    torch.testing.assert_close(found.l_d, values[:, -1])
    assert (found.b_first, found.b_second) == (1.0, pytest.approx(0.7698, abs=1e-4))
    assert found.holds.tolist() == [True] * 3
    assert found.why == ("Assumptions 1 and 13 hold here.",) * 3
    assert [condition.name for condition in found.conditions] == [
        "Assumption 1",
        "C_0",
        "sigma_min(D_a) > 0",
    ]
    assert found.conditions[0].says[0] == "Assumption 1 holds: tanh is twice differentiable."
    assert "at most C_0 = " in found.conditions[1].says[0]


def test_several_networks_are_told_apart():
    instances = make_instances(instances_of().settings, 2)
    _, _, found = measured(instances)
    norms = torch.linalg.matrix_norm(instances.network.weights[0], ord=2)
    torch.testing.assert_close(found.c_w[0], norms.repeat_interleave(3))
    assert float(found.c_w[0, 0]) != float(found.c_w[0, 3])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"training": 40},
            "Assumption 13 fails: D_a has 40 columns in 12 dimensions, so sigma_min(D_a) = 0.",
        ),
        (
            {"activation": "linear"},
            "Assumption 13 fails: D_a has 6 linearly dependent columns, so sigma_min(D_a) = 0.",
        ),
        (
            {"activation": "leaky_relu"},
            "Assumption 1 fails: leaky_relu has a kink at 0, so f has no Hessian there and Lemma "
            "14, like Theorems 3, 6 and 8, says nothing.",
        ),
    ],
)
def test_what_is_violated_is_said(changes, sentence):
    _, _, found = measured(instances_of(**changes))
    assert not found.holds.any()
    assert found.why == (sentence,) * 3


def test_two_violations_are_both_said():
    _, _, found = measured(instances_of(activation="relu", training=40))
    assert found.why[0].startswith("Assumption 1 fails: relu")
    assert "Assumption 13 fails: D_a has 40 columns" in found.why[0]


def test_a_path_that_runs_away_has_no_c_0():
    instances = instances_of()
    c_a = torch.full((2, 3, 6), torch.inf).double()
    found = assumption_13(instances, torch.zeros(2, 3, 3).double(), c_a)
    assert "the l1 norm of the residual is not bounded" in found.why[0]


def test_without_an_attack_nothing_is_asked_of_d_a():
    instances = instances_of(attack=False)
    _, _, found = measured(instances)
    assert bool(found.holds.all())
    assert found.c_d.tolist() == [0.0] * 3
    assert bool(torch.isinf(found.l_d).all())
    assert found.conditions[2].says[0] == (
        "Assumption 13's condition on D_a holds: there is no D_a."
    )
