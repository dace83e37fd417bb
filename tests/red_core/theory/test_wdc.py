"""The Weight Distribution Condition: Q against Monte Carlo, and what climbing finds."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from red_core.synthetic import InstanceSettings, activation, make_instances
from red_core.theory import WDC_LIMIT, wdc_constant, wdc_deviation, wdc_expectation

RELU, LEAKY, LINEAR = activation("relu"), activation("leaky_relu", 0.3), activation("linear")


def unit_pairs(count, d, seed=0):
    draw = torch.Generator().manual_seed(seed)
    x, y = torch.randn(2, count, d, generator=draw, dtype=torch.float64)
    return x, y


def by_definition(weight, sigma, x, y):
    """|| sum_i sigma' sigma' w_i w_i^T - Q || for one pair, row by row."""
    total = torch.zeros(len(x), len(x)).double()
    for row in weight:
        slopes = sigma.first(row @ x) * sigma.first(row @ y)
        total += slopes * torch.outer(row, row)
    expected = wdc_expectation(x[None], y[None], sigma.slopes[0])[0]
    return float(torch.linalg.matrix_norm(total - expected, ord=2))


@pytest.mark.parametrize("sigma", [RELU, LEAKY, LINEAR], ids=lambda s: s.name)
@pytest.mark.parametrize("kind", ["apart", "equal", "opposite", "close", "nearly opposite"])
def test_q_is_the_expectation(sigma, kind):
    draws = torch.randn(400_000, 3).double()
    x, y = (v[0] for v in unit_pairs(1, 3))
    y = {
        "apart": y,
        "equal": 2.5 * x,
        "opposite": -0.1 * x,
        "close": x + 0.1 * y,
        "nearly opposite": 0.1 * y - x,
    }[kind]
    slopes = sigma.first(draws @ x) * sigma.first(draws @ y)
    wanted = (draws.T * slopes) @ draws / len(draws)
    found = wdc_expectation(x[None], y[None], sigma.slopes[0])[0]
    torch.testing.assert_close(found, wanted, atol=0.01, rtol=0)


def test_q_in_closed_form_where_it_is_simple():
    x, y = torch.eye(3).double()[:2]
    unit = torch.eye(3).double()
    relu = wdc_expectation(x[None], x[None], 0.0)[0]
    torch.testing.assert_close(relu, unit / 2)
    assert float(wdc_expectation(x[None], -x[None], 0.0).abs().max()) < 1e-12
    right = wdc_expectation(x[None], y[None], 0.0)[0]
    wanted = unit / 4
    wanted[0, 1] = wanted[1, 0] = 1 / (2 * math.pi)
    torch.testing.assert_close(right, wanted)
    torch.testing.assert_close(wdc_expectation(x[None], y[None], 1.0)[0], unit)


@given(seed=st.integers(0, 10**6), d=st.integers(1, 6), slope=st.sampled_from([0.0, 0.3, 1.0]))
def test_q_swaps_x_and_y_and_sees_directions_only(seed, d, slope):
    x, y = unit_pairs(5, d, seed)
    found = wdc_expectation(x, y, slope)
    torch.testing.assert_close(found, wdc_expectation(y, x, slope))
    torch.testing.assert_close(found, wdc_expectation(7 * x, 0.01 * y, slope))
    # Hand & Voroninski's M: Q x^ = (pi - theta) / (2 pi) x^ + sin(theta) / (2 pi) y^.
    x, y = (v / v.norm(dim=1, keepdim=True) for v in (x, y))
    theta = torch.atan2((x - (x * y).sum(1, keepdim=True) * y).norm(dim=1), (x * y).sum(1))
    relu = ((math.pi - theta)[:, None] * x + theta.sin()[:, None] * y) / (2 * math.pi)
    wanted = slope * x + (1 - slope) ** 2 * relu
    torch.testing.assert_close((found @ x[..., None])[..., 0], wanted, atol=1e-7, rtol=1e-7)


@pytest.mark.parametrize("sigma", [RELU, LEAKY, LINEAR], ids=lambda s: s.name)
def test_the_deviation_is_the_definitions(sigma):
    weight = torch.randn(30, 4).double()
    x, y = unit_pairs(6, 4)
    found = wdc_deviation(weight, sigma.slopes[0], x, y)
    wanted = [by_definition(weight, sigma, one, two) for one, two in zip(x, y, strict=True)]
    assert found.tolist() == pytest.approx(wanted)


def test_the_constant_is_attained_by_the_pair_it_names():
    weight = torch.randn(40, 5).double() / 40**0.5
    found = wdc_constant(weight, RELU, pairs=200, rounds=20)
    assert found.factor == pytest.approx(math.sqrt(5) / float(weight.norm()))
    for one, scale in ((found.given, 1.0), (found.rescaled, found.factor)):
        assert by_definition(scale * weight, RELU, one.x, one.y) == pytest.approx(one.constant)
        assert one.constant >= one.sampled
    again = wdc_constant(weight, RELU, pairs=200, rounds=20)
    assert again.given.constant == found.given.constant


def test_climbing_finds_what_sampling_does_not():
    weight = torch.randn(100, 8).double() / 10
    x, y = unit_pairs(100_000, 8)
    plain = float(wdc_deviation(weight, 0.0, x, y).max())
    found = wdc_constant(weight, RELU, pairs=300).given
    assert found.constant > 1.05 * found.sampled
    assert found.constant > 1.1 * plain


def test_in_two_dimensions_it_finds_the_supremum():
    """Brute force over angles; Q is smooth and the sum jumps, so a fine grid is near enough."""
    weight = torch.randn(9, 2).double() / 3
    angles = torch.linspace(0, 2 * math.pi, 1201).double()
    circle = torch.stack((angles.cos(), angles.sin()), 1)
    x = circle.repeat_interleave(len(circle), 0)
    y = circle.repeat(len(circle), 1)
    brute = float(wdc_deviation(weight, 0.0, x, y).max())
    found = wdc_constant(weight, RELU)
    assert found.given.constant >= brute - 1e-3
    assert found.given.constant <= brute + 0.02


def test_for_a_linear_layer_it_is_how_far_the_rows_are_from_a_tight_frame():
    weight = torch.randn(20, 3).double()
    found = wdc_constant(weight, LINEAR, pairs=20, rounds=2)
    values = torch.linalg.svdvals(weight) ** 2
    assert found.given.constant == pytest.approx(float((values - 1).abs().max()))
    rescaled = values * 3 / values.sum()
    assert found.rescaled.constant == pytest.approx(float((rescaled - 1).abs().max()))


def test_wider_random_weights_come_closer_to_the_condition():
    small, large = (
        wdc_constant(torch.randn(m, 3).double() / m**0.5, RELU, pairs=300, rounds=20)
        for m in (30, 3000)
    )
    assert large.given.constant < 0.5 * small.given.constant


def test_the_two_rows_of_section_5_1_do_not_satisfy_it_at_any_scale():
    instances = make_instances(InstanceSettings(family="two_rows", examples=1))
    weight = instances.network.weights[0][0]
    found = wdc_constant(weight, instances.network.activation)
    assert found.rescaled.constant > 100 * WDC_LIMIT
    assert found.given.constant > found.rescaled.constant
    for scale in (0.05, 0.1, 0.2, 0.5):
        assert wdc_constant(scale * weight, RELU, pairs=100).given.constant > 0.3


@settings(max_examples=10)
@given(m=st.integers(1, 12), d=st.integers(1, 6))
def test_any_shape_will_do(m, d):
    weight = torch.randn(m, d).double()
    found = wdc_constant(weight, LEAKY, pairs=10, climbers=4, rounds=3)
    assert math.isfinite(found.given.constant)
    assert float(found.given.x.norm()) == pytest.approx(1)


@pytest.mark.parametrize("name", ["softplus", "tanh", "sigmoid", "gelu", "silu"])
def test_smooth_activations_are_refused(name):
    with pytest.raises(ValueError, match=f"that of {name} changes with the length of x"):
        wdc_constant(torch.eye(3).double(), activation(name))
