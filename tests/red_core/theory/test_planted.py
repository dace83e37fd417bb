from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from red_core.models.dcgan import DCGANGenerator
from red_core.synthetic.activations import activation
from red_core.synthetic.network import Network
from red_core.theory.moving import Moving
from red_core.theory.planted import TrainedNetwork, near_planted, planted_moving

LATENT = 6


@pytest.fixture
def generator() -> nn.Module:
    torch.manual_seed(0)
    return DCGANGenerator(latent=LATENT, width=2).double().eval().requires_grad_(False)


def point(seed: int) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(LATENT, generator=draw, dtype=torch.float64)


def planted(generator: nn.Module, block: bool = True) -> Moving:
    network = TrainedNetwork(generator, LATENT)
    draw = torch.Generator().manual_seed(5)
    columns = torch.randn(network.outputs, 4, generator=draw, dtype=torch.float64)
    c_star = torch.randn(4, generator=draw, dtype=torch.float64)
    return planted_moving(network, point(1), *((columns, c_star) if block else (None, None)))


def test_derivatives_are_those_of_finite_differences(generator) -> None:
    moving = planted(generator)
    away = 0.3 * torch.randn(1, moving.size, generator=torch.Generator().manual_seed(2)).double()
    v, move, width = moving.star + away, away.flip(1), 1e-6
    rise = (moving.residual(v + width * move) - moving.residual(v - width * move)) / (2 * width)
    network = moving.network
    along = network.jacobian(v[:, :LATENT])[0] @ move[0, :LATENT]
    torch.testing.assert_close(
        rise[0], along + moving.atoms[0] @ move[0, LATENT:], rtol=1e-6, atol=1e-8
    )
    slope = (moving.gradient(v + width * move) - moving.gradient(v - width * move)) / (2 * width)
    torch.testing.assert_close(slope[0], moving.hessian(v)[0] @ move[0], rtol=1e-5, atol=1e-6)


def test_points_of_any_shape_go_through(generator) -> None:
    network = TrainedNetwork(generator, LATENT)
    z = torch.stack([point(seed) for seed in range(6)]).view(3, 2, LATENT)
    rows = torch.randn(3, 2, network.outputs, dtype=torch.float64)
    assert network(z).shape == (3, 2, network.outputs)
    assert network.jacobian(z).shape == (3, 2, network.outputs, LATENT)
    assert network.bend(z, rows).shape == (3, 2, LATENT, LATENT)
    pulled = torch.einsum("kind,kin->kid", network.jacobian(z), rows)
    torch.testing.assert_close(network.pullback(z, rows), pulled)


def test_it_agrees_with_the_network_of_the_synthetic_instances() -> None:
    torch.manual_seed(1)
    layers = nn.Sequential(nn.Linear(LATENT, 20, bias=False), nn.Tanh()).double()
    made = TrainedNetwork(layers.requires_grad_(False), LATENT)
    known = Network((layers[0].weight[None],), activation("tanh"))
    z, rows = point(3)[None], torch.randn(1, 20, dtype=torch.float64)
    for name, arguments in (("jacobian", (z,)), ("pullback", (z, rows)), ("bend", (z, rows))):
        torch.testing.assert_close(
            getattr(made, name)(*arguments), getattr(known, name)(*arguments)
        )


@pytest.mark.parametrize("block", [False, True])
def test_near_the_solution_the_theorem_applies_and_holds(generator, block: bool) -> None:
    found = near_planted(planted(generator, block), 1e-6, 6)
    assert found.radius == pytest.approx(1e-6)
    assert found.changed == 0
    assert found.applies
    assert found.observed <= found.promised < 1
    assert found.low < found.eta <= found.high
    assert found.mu**2 > found.needed
    assert found.mu >= found.mu_limit * (1 - 1e-6)


def test_far_away_rectifiers_change_their_side(generator) -> None:
    found = near_planted(planted(generator), 5.0, 6)
    assert found.changed > 0
    assert not found.applies


def test_a_solution_that_is_not_isolated_has_no_mu(generator) -> None:
    """As with all of D_a, whose rank and d together exceed n."""
    network = TrainedNetwork(generator, LATENT)
    columns = torch.eye(network.outputs, dtype=torch.float64)
    moving = planted_moving(network, point(1), columns, torch.zeros(network.outputs).double())
    found = near_planted(moving, 1e-6, 3)
    assert found.mu_limit < 1e-12
