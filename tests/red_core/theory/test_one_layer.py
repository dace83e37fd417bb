"""The closed forms for one layer without attack, and that they are attained."""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from red_core.synthetic import InstanceSettings, activation, make_instances
from red_core.theory import leaky_floor, one_layer_contraction

FAMILIES = ["gaussian", "two_rows", "example15", "hadamard", "hadamard_noisy", "vandermonde"]


def mu_at(instances, z):
    grad_z, _ = instances.gradient(z, instances.c_star)
    return grad_z.norm(dim=-1) / (z - instances.z_star).norm(dim=-1)


def leaky(slope, seed=0, family="gaussian", m=20):
    name = "linear" if slope == 1 else "leaky_relu"
    settings = InstanceSettings(
        family=family,
        m=m,
        d=5,
        activation=name,
        parameter=None if slope == 1 else slope,
        examples=4,
        seed=seed,
    )
    return make_instances(settings)


@given(
    slope=st.floats(0.01, 1),
    seed=st.integers(0, 10**6),
    far=st.floats(1e-3, 1e3),
    family=st.sampled_from(FAMILIES),
)
def test_one_leaky_layer_keeps_mu_above_its_floor(slope, seed, far, family):
    instances = leaky(slope, seed, family)
    draw = torch.Generator().manual_seed(seed)
    away = torch.randn(50, 4, instances.d, generator=draw, dtype=torch.float64)
    mu = mu_at(instances, instances.z_star + far * away)
    floor = leaky_floor(instances.network.weights[0], slope)
    assert floor.shape == instances.network.weights[0].shape[:1]
    assert bool((mu >= floor * (1 - 1e-9)).all())


def test_a_linear_layer_attains_the_floor_along_the_last_singular_vector():
    instances = leaky(1)
    weight = instances.network.weights[0]
    last = torch.linalg.svd(weight)[2][:, -1]
    floor = leaky_floor(weight, 1)
    mu = mu_at(instances, instances.z_star + 3 * last)
    torch.testing.assert_close(mu, floor.expand(4))
    smallest = torch.linalg.svdvals(weight)[:, -1]
    torch.testing.assert_close(floor, 2 * smallest**2)
    first = torch.linalg.svd(weight)[2][:, 0]
    assert bool((mu_at(instances, instances.z_star + first) > floor).all())


def test_the_floor_of_a_leaky_layer_is_attained_too():
    """One weight -1 and z, z* > 0: sigma' and the secant's slope are both alpha."""
    sigma = activation("leaky_relu", 0.2)
    z, star = torch.tensor([2.0, 1.0], dtype=torch.float64)
    gradient = -2 * sigma.first(-z) * (sigma.value(-z) - sigma.value(-star))
    floor = leaky_floor(torch.tensor([[-1.0]], dtype=torch.float64), 0.2)
    assert float(floor) == pytest.approx(2 * 0.2**2)
    torch.testing.assert_close((gradient / (z - star)).abs(), floor)


@given(slope=st.floats(0.05, 1), seed=st.integers(0, 10**6), share=st.floats(0.05, 1.9))
def test_descent_on_one_leaky_layer_contracts_from_everywhere(slope, seed, share):
    instances = leaky(slope, seed)
    weight = instances.network.weights[0]
    eta = share / (2 * torch.linalg.matrix_norm(weight, ord=2).square())
    factor = one_layer_contraction(weight, instances.network.activation.slopes, eta)
    z = instances.z_start * 10
    for _ in range(20):
        before = (z - instances.z_star).square().sum(-1)
        z = z - eta[:, None] * instances.gradient(z, instances.c_star)[0]
        after = (z - instances.z_star).square().sum(-1)
        assert bool((after <= factor * before + 1e-20).all())
    if share <= 1:
        assert bool((factor < 1).all())


def test_what_has_no_floor():
    wide = torch.randn(3, 5, dtype=torch.float64)
    assert float(leaky_floor(wide, 0.5)) == 0
    assert float(leaky_floor(wide.T, 0)) == 0
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], not 2"):
        leaky_floor(wide, 2)
    with pytest.raises(ValueError, match="must be increasing"):
        one_layer_contraction(wide.T, (-0.1, 1.1), torch.tensor(0.1))
