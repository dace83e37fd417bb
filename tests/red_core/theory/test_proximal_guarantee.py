"""Theorem 8 on real proximal descents."""

from dataclasses import replace

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from red_core.algorithm.prox import penalty
from red_core.synthetic import InstanceSettings, make_instances
from red_core.theory import proximal_guarantee, proximal_rate
from red_core.theory.descent import DescentOptions, descend, step_sizes

OPTIONS = DescentOptions("proximal", steps=60)
SLACK = 1e-6  # L - L* is a difference


def instances_of(attack=True, **changes):
    chosen = {"m": 14, "d": 3, "activation": "tanh", "training": 6, "examples": 4} | changes
    return make_instances(InstanceSettings(attack=attack, hidden=30, **chosen))


@settings(max_examples=40)
@given(
    name=st.sampled_from(["softplus", "sigmoid", "tanh", "gelu", "silu", "linear"]),
    seed=st.integers(0, 10**6),
    training=st.sampled_from([2, 6, 30]),
    layers=st.sampled_from([1, 2]),
    fraction=st.sampled_from([0.01, 0.1, 1.0]),
    share=st.sampled_from([0.2, 1.0, 1.5, 10.0, 300.0]),
)
def test_theorem_8_holds_wherever_it_applies(name, seed, training, layers, fraction, share):
    instances = instances_of(activation=name, seed=seed, training=training, layers=layers)
    options = replace(OPTIONS, lambda_fraction=fraction)
    eta = share * step_sizes(instances)["safe"]
    found = proximal_guarantee(instances, descend(instances, options, eta))
    at = found.applies
    assert bool((found.observed <= found.predicted + SLACK)[at].all())
    promised = proximal_rate(found.mu_steps, found.rho)
    held = (found.observed_steps <= promised + SLACK) | found.mu_steps.isnan()
    assert bool(held[:, at].all())
    if share <= 1:
        assert bool(at.all())


def test_every_number_is_what_it_says():
    instances = instances_of()
    path = descend(instances, OPTIONS)
    found = proximal_guarantee(instances, path)
    L = path.loss
    h = penalty(path.c_a, instances.dictionary)
    torch.testing.assert_close(L, instances.value(path.z, path.c_a) + path.lam * h)
    assert bool((found.lowest < L[-1]).all())  # the step after the last one is lower still
    above = L - found.lowest
    torch.testing.assert_close(found.observed_steps[:-1], above[1:] / above[:-1])
    torch.testing.assert_close(found.rho, 1 / path.eta)
    torch.testing.assert_close(found.predicted, 1 - found.mu / (2 * found.rho))
    assert found.k.tolist() == list(range(61))
    torch.testing.assert_close(found.mu, found.mu_steps[:-1].amin(0))
    assert bool((found.curvature <= found.rho).all())


def test_another_stand_in_for_the_lowest_value_gives_another_mu_and_the_same_truth():
    instances = instances_of()
    path = descend(instances, OPTIONS)
    own = proximal_guarantee(instances, path)
    longer = descend(instances, replace(OPTIONS, steps=3000)).loss.amin(0)
    assert bool((longer < own.lowest).all())
    found = proximal_guarantee(instances, path, lowest=longer)
    assert bool((found.mu < own.mu).all())
    assert bool((found.observed <= found.predicted + SLACK).all())
    assert bool(found.applies.all())


def test_a_thinned_path_gives_the_same_steps():
    instances = instances_of()
    path = descend(instances, OPTIONS)
    every = proximal_guarantee(instances, path)
    few = proximal_guarantee(instances, path, most=7, lowest=every.lowest)
    assert few.k.tolist() == [0, 10, 20, 30, 40, 50, 60]
    torch.testing.assert_close(few.mu_steps, every.mu_steps[few.k], equal_nan=True)
    torch.testing.assert_close(few.observed_steps, every.observed_steps[few.k], equal_nan=True)


def test_a_step_that_is_too_long_is_refused():
    instances = instances_of()
    eta = 3 * step_sizes(instances)["safe"]
    found = proximal_guarantee(instances, descend(instances, OPTIONS, eta))
    assert not found.applies.any()
    assert "so the step is too long" in found.why[0]


def test_a_diverging_descent_is_no_error():
    instances = instances_of(activation="linear")
    eta = 100 * step_sizes(instances)["safe"]
    found = proximal_guarantee(instances, descend(instances, replace(OPTIONS, steps=400), eta))
    assert not found.applies.any()
    assert "diverges" in found.why[0]


def test_a_kink_is_refused():
    instances = instances_of(activation="leaky_relu")
    found = proximal_guarantee(instances, descend(instances, OPTIONS))
    assert not found.applies.any()
    assert bool(found.predicted.isnan().all())
    assert "leaky_relu has a kink" in found.why[0]


def test_without_an_attack_it_is_gradient_descent():
    """mu of eq. 11 is then the Polyak-Lojasiewicz constant of f, in the paper's scale."""
    instances = instances_of(attack=False, activation="linear")
    path = descend(instances, OPTIONS)
    lowest = torch.zeros(4).double()
    found = proximal_guarantee(instances, path, lowest=lowest)
    grad_z, _ = instances.gradient(path.z, path.c_a)
    wanted = grad_z.square().sum(-1) / instances.value(path.z, path.c_a)
    known = ~found.mu_steps.isnan()
    torch.testing.assert_close(found.mu_steps[known], wanted[known])
    least = torch.linalg.svdvals(instances.network.weights[0])[0, -1]
    assert bool((found.mu >= 4 * least**2 * (1 - 1e-9)).all())
    assert "Theorem 8 applies with rho = 1 / eta" in found.why[0]


def test_other_paths_are_sent_elsewhere():
    instances = instances_of()
    path = descend(instances, replace(OPTIONS, method="alternating"))
    with pytest.raises(ValueError, match="see guarantee"):
        proximal_guarantee(instances, path)
