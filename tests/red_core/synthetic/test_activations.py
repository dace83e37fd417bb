"""The activations' derivatives and bounds, against autograd and a fine grid."""

import math

import pytest
import torch

from red_core.synthetic import ACTIVATIONS, activation

GRID = torch.linspace(-12, 12, 240_001, dtype=torch.float64)
SMOOTH = ("linear", "softplus", "sigmoid", "tanh", "gelu", "silu")


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_first_and_second_derivative_are_autograds(name):
    sigma = activation(name)
    t = torch.randn(500, dtype=torch.float64).requires_grad_()
    (first,) = torch.autograd.grad(sigma.value(t).sum(), t, create_graph=True)
    assert torch.allclose(sigma.first(t), first, atol=1e-12)
    if sigma.smooth and name != "linear":
        (second,) = torch.autograd.grad(first.sum(), t)
        assert torch.allclose(sigma.second(t), second, atol=1e-12)
    else:
        assert not bool(sigma.second(t).any())


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_bounds_are_reached_and_not_passed(name):
    sigma = activation(name)
    slopes = sigma.first(GRID)
    assert sigma.slopes[0] <= float(slopes.min()) + 1e-12
    assert float(slopes.max()) <= sigma.slopes[1] + 1e-12
    assert sigma.slopes[0] == pytest.approx(float(slopes.min()), abs=1e-4)
    assert sigma.slopes[1] == pytest.approx(float(slopes.max()), abs=1e-4)
    assert sigma.steepest == pytest.approx(float(slopes.abs().max()), abs=1e-4)
    if sigma.smooth:
        assert sigma.bend == pytest.approx(float(sigma.second(GRID).abs().max()), abs=1e-6)


def test_assumption_1_holds_for_the_smooth_ones_only():
    assert {name for name in ACTIVATIONS if activation(name).smooth} == set(SMOOTH)
    assert activation("leaky_relu", 1.0).smooth, "slope 1 is linear"
    assert math.isinf(activation("leaky_relu").bend)


def test_the_parameters_mean_what_they_say():
    t = torch.tensor([-2.0, 3.0], dtype=torch.float64)
    assert activation("leaky_relu", 0.3).value(t).tolist() == pytest.approx([-0.6, 3.0])
    sharp, soft = activation("softplus", 50.0).value(t), activation("softplus", 1.0).value(t)
    assert sharp.tolist() == pytest.approx([0, 3], abs=1e-9)
    assert soft.tolist() == pytest.approx([math.log1p(math.exp(v)) for v in t.tolist()])


@pytest.mark.parametrize(
    ("name", "parameter", "said"),
    [
        ("step", None, "must be one of"),
        ("tanh", 2.0, "has no parameter"),
        ("leaky_relu", 0.0, "slope"),
        ("leaky_relu", 1.5, "slope"),
        ("softplus", 0.0, "beta"),
        ("softplus", 1000.0, "beta"),
    ],
)
def test_what_is_no_activation_is_refused(name, parameter, said):
    with pytest.raises(ValueError, match=said):
        activation(name, parameter)
