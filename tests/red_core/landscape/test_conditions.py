"""The PL quotient against autograd and a known bound; Corollary 4's balls as eq. 8 prints them."""

from __future__ import annotations

import math

import pytest
import torch

from red_core.landscape import Inversion, stationary_points
from red_core.landscape.conditions import excluded_balls, pl_quotient
from red_core.synthetic import InstanceSettings, make_instances

TRAP = InstanceSettings(d=2, examples=1, activation="softplus", layers=2, scale="1/d", seed=2)
BENIGN = InstanceSettings(d=2, examples=1, family="two_rows")


def of(settings: InstanceSettings) -> Inversion:
    return Inversion.of(make_instances(settings))


def test_the_quotient_is_that_of_autograd() -> None:
    inversion = of(TRAP)
    z = torch.tensor([[0.3, -1.2], [2.0, 0.1]], dtype=torch.float64, requires_grad=True)
    loss = (inversion.network(z[:, None])[:, 0] - inversion.target).square().sum(-1)
    (gradient,) = torch.autograd.grad(loss.sum(), z)
    expected = gradient.square().sum(-1) / (2 * loss)
    torch.testing.assert_close(pl_quotient(inversion, z.detach()), expected.detach())
    assert bool(pl_quotient(inversion, inversion.z_star[None]).isnan().all())


def test_it_is_zero_at_a_trap_and_bounded_where_there_is_none() -> None:
    trap = of(TRAP)
    elsewhere = [p for p in stationary_points(trap).points if not p.solution and p.value > 1e-6]
    assert elsewhere
    for point in elsewhere:
        assert float(pl_quotient(trap, point.z[None])) < 1e-9
    # One leaky layer has no stationary point but z*: the quotient stays away from 0.
    draw = torch.Generator().manual_seed(1)
    points = 4 * torch.randn(500, 2, generator=draw, dtype=torch.float64)
    assert float(pl_quotient(of(BENIGN), points).min()) > 1e-3


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_balls_are_those_of_equation_8(layers: int) -> None:
    inversion = of(InstanceSettings(d=2, examples=1, activation="relu", layers=layers))
    size = float(inversion.z_star.norm())
    found = excluded_balls(inversion, 1e-8)
    assert found.near == pytest.approx(layers**3 * 0.01 * size)
    assert found.far == pytest.approx(layers**13 * 0.01 * size)
    assert layers**8 * found.largest**0.25 == pytest.approx(1), "K_1 L^8 epsilon^(1/4) = 1"
    edge = excluded_balls(inversion, found.whole)
    assert edge.far == pytest.approx(float((inversion.z_star - edge.centre).norm()))
    if layers == 2:
        torch.testing.assert_close(found.centre, -inversion.z_star / math.pi)


def test_a_constant_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        excluded_balls(of(BENIGN), 0.0)
