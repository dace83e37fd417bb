"""Lemma 14: the corrected bounds hold and cannot be improved; the printed ones fail."""

from dataclasses import replace

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from red_core.algorithm.problem import AttackDictionary
from red_core.synthetic import InstanceSettings, Network, activation, make_instances
from red_core.theory import (
    assumption_13,
    bend_bounds,
    curvature,
    lemma14,
    lemma14_in_proof,
    lemma14_printed,
)

SMOOTH = ["softplus", "sigmoid", "tanh", "gelu", "silu", "linear"]


def instances_of(attack=True, **changes):
    chosen = {"m": 12, "d": 3, "activation": "tanh", "training": 6, "examples": 2} | changes
    return make_instances(InstanceSettings(attack=attack, hidden=30, **chosen))


def sampled(instances, seed=0, far=1.0, count=20):
    draw = torch.Generator().manual_seed(seed)

    def normal(size):
        shape = (count, len(instances), size)
        return far * torch.randn(*shape, generator=draw, dtype=torch.float64)

    return normal(instances.d), normal(instances.k)


@settings(max_examples=60)
@given(
    name=st.sampled_from(SMOOTH),
    seed=st.integers(0, 10**6),
    attack=st.booleans(),
    training=st.sampled_from([2, 6, 30]),
    far=st.floats(0.01, 20),
    scale=st.sampled_from(["1/m", "1/d", "1"]),
)
def test_the_corrected_bounds_hold_at_every_point(name, seed, attack, training, far, scale):
    """True of D_a with a kernel too: the lemma does not need sigma_min(D_a) > 0."""
    changes = {"activation": name, "seed": seed, "training": training, "scale": scale}
    instances = instances_of(attack, **changes)
    z, c_a = sampled(instances, seed, far)
    rho, epsilon = curvature(instances, z, c_a)
    most_rho, most_epsilon = lemma14(assumption_13(instances, z, c_a))
    tight_rho, tight_epsilon = bend_bounds(instances, z, c_a)
    slack = 1e-9 * (1 + most_rho)
    assert bool((rho <= tight_rho + slack).all())
    assert bool((epsilon <= tight_epsilon + slack).all())
    assert bool((tight_rho <= most_rho + slack).all())
    assert bool((tight_epsilon <= most_epsilon + slack).all())


@given(name=st.sampled_from(SMOOTH), seed=st.integers(0, 10**6))
def test_the_bend_bounds_hold_for_deeper_networks(name, seed):
    instances = instances_of(activation=name, seed=seed, layers=3)
    z, c_a = sampled(instances, seed)
    rho, epsilon = curvature(instances, z, c_a)
    most_rho, most_epsilon = bend_bounds(instances, z, c_a)
    assert bool((rho <= most_rho * (1 + 1e-9)).all())
    assert bool((epsilon <= most_epsilon * (1 + 1e-9) + 1e-12).all())


def test_the_simple_form_is_no_smaller():
    instances = instances_of()
    constants = assumption_13(instances, *sampled(instances))
    rho, epsilon = lemma14(constants)
    bend = constants.c_w[0] ** 2 * constants.b_second * constants.c_0
    steep = constants.c_w[0] ** 2 * constants.b_first**2
    assert bool((rho < 2 * (steep + bend + constants.c_d**2)).all())
    torch.testing.assert_close(epsilon, 2 * bend)


def of_one_weight(sigma, weight, atom, observed):
    """d = k = 1 with the weight and the atom as columns [n, 1]; n = 1 or 2."""
    like = instances_of(examples=1, training=2, d=1)
    column = torch.tensor(weight, dtype=torch.float64).view(1, -1, 1)
    atoms = torch.tensor(atom, dtype=torch.float64).view(1, -1, 1)
    return replace(
        like,
        network=Network((column,), sigma),
        dictionary=AttackDictionary(atoms, 1, ("gradient",), torch.ones(1, 1).double()),
        observed=torch.tensor(observed, dtype=torch.float64).view(1, -1),
        c_star=torch.zeros(1, 1).double(),
    )


ORIGIN = torch.zeros(1, 1).double(), torch.zeros(1, 1).double()


def test_the_printed_bounds_fail():
    """G(z) = (0, z / 10), D_a = (1, 0): the Hessian is diag(0.02, 2) everywhere."""
    instances = of_one_weight(activation("linear"), [0.0, 0.1], [1.0, 0.0], [0.0, 0.0])
    values = torch.linalg.eigvalsh(instances.hessian(*ORIGIN))[0]
    torch.testing.assert_close(values, torch.tensor([0.02, 2.0]).double())
    constants = assumption_13(instances, *ORIGIN)
    assert bool(constants.holds.all())
    for printed, rho, epsilon in ((lemma14_printed, 1.11, -0.9), (lemma14_in_proof, 1.21, -0.8)):
        found = [float(bound) for bound in printed(constants)]
        assert found == [pytest.approx(rho), pytest.approx(epsilon)]
        assert values[1] > found[0]
        assert values[0] < -found[1]
    rho, epsilon = (float(bound) for bound in lemma14(constants))
    assert float(values[1]) <= rho == pytest.approx(2.02)
    assert epsilon == 0


def test_the_printed_epsilon_fails_for_a_curved_sigma_too():
    """tanh at its strongest bend, with a residual longer than 1 where the root is too small."""
    t = 0.6584789484624083  # sigma''(t) = -4 / (3 sqrt 3)
    sigma = activation("tanh")
    value = float(sigma.value(torch.tensor(t).double()))
    instances = of_one_weight(sigma, [1.0, 0.0], [0.0, 0.1], [value - 9.0, 0.0])
    point = (torch.tensor([[t]]).double(), ORIGIN[1])
    constants = assumption_13(instances, *point)
    least = float(torch.linalg.eigvalsh(instances.hessian(*point))[0, 0])
    assert least < -float(lemma14_in_proof(constants)[1]) < 0
    assert least < -float(lemma14_printed(constants)[1]) < 0
    assert least >= -float(lemma14(constants)[1])


def test_the_corrected_bounds_are_attained():
    """One weight: sigma = t + t^2 / 2 near 0 has sigma' = B_sigma' and sigma'' = B_sigma''."""
    bowl = replace(
        activation("linear"),
        value=lambda t: t + t.square() / 2,
        first=lambda t: 1 + t,
        second=torch.ones_like,
        bend=1.0,
    )
    instances = of_one_weight(bowl, [2.0], [3.0], [-5.0])
    rho, _ = curvature(instances, *ORIGIN)
    torch.testing.assert_close(rho, lemma14(assumption_13(instances, *ORIGIN))[0])
    flat = replace(bowl, value=lambda t: t.square() / 2, first=lambda t: t)
    instances = of_one_weight(flat, [2.0], [0.0], [5.0])
    _, epsilon = curvature(instances, *ORIGIN)
    torch.testing.assert_close(epsilon, lemma14(assumption_13(instances, *ORIGIN))[1])


def test_what_the_lemma_is_not_about():
    deep = instances_of(layers=2)
    constants = assumption_13(deep, *sampled(deep))
    for bound in (lemma14, lemma14_printed, lemma14_in_proof):
        with pytest.raises(ValueError, match="Lemma 14 is about one layer, not 2"):
            bound(constants)
    kinked = instances_of(activation="leaky_relu")
    rho, epsilon = lemma14(assumption_13(kinked, *sampled(kinked)))
    assert bool(torch.isinf(rho).all() & torch.isinf(epsilon).all())
