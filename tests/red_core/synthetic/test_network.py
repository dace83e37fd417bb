"""G's exact derivatives against autograd, for shared and for own weights, one point and many."""

from itertools import pairwise

import pytest
import torch
from torch.func import hessian, jacrev, vmap

from red_core.synthetic import ACTIVATIONS, Network, activation


def network(name: str, widths: tuple[int, ...], networks: int) -> Network:
    weights = tuple(
        torch.randn(networks, wide, narrow, dtype=torch.float64)
        for narrow, wide in pairwise(widths)
    )
    return Network(weights, activation(name))


def single(made: Network, item: int, instances: int):
    """G of one instance as a plain function [d] -> [m]."""
    weights = [weight[item] for weight in made.each(instances)]

    def value(z):
        for weight in weights:
            z = made.activation.value(weight @ z)
        return z

    return value


@pytest.mark.parametrize("networks", [1, 2, 6])
@pytest.mark.parametrize("widths", [(3, 8), (3, 5, 9), (2, 4, 6, 7)])
def test_derivatives_are_autograds(networks, widths):
    made, instances, points = network("softplus", widths, networks), 6, 4
    z = torch.randn(points, instances, widths[0], dtype=torch.float64)
    rows = torch.randn(points, instances, widths[-1], dtype=torch.float64)
    image, reach = made(z), made.jacobian(z)
    pulled, bend = made.pullback(z, rows), made.bend(z, rows)
    for item in range(instances):
        value = single(made, item, instances)
        assert torch.allclose(image[:, item], vmap(value)(z[:, item]))
        wanted = vmap(jacrev(value))(z[:, item])
        assert torch.allclose(reach[:, item], wanted)
        assert torch.allclose(pulled[:, item], (wanted.mT @ rows[:, item, :, None])[..., 0])
        curved = vmap(hessian(value))(z[:, item])
        summed = torch.einsum("pm,pmij->pij", rows[:, item], curved)
        assert torch.allclose(bend[:, item], summed, atol=1e-10)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_point_alone_is_the_same_as_among_many(name):
    made = network(name, (3, 5, 9), 6)
    z = torch.randn(6, 3, dtype=torch.float64)
    many = z.expand(2, 4, 6, 3)
    rows = torch.randn(6, 9, dtype=torch.float64)
    assert torch.allclose(made(many)[1, 2], made(z))
    assert torch.allclose(made.jacobian(many)[0, 3], made.jacobian(z))
    assert torch.allclose(made.bend(many, rows.expand(2, 4, 6, 9))[1, 1], made.bend(z, rows))
    assert made.latent == 3
    assert made.outputs == 9
