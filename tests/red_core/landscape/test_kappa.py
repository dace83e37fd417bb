import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch

from red_core.landscape import Inversion, kappa, predicted_spurious
from red_core.synthetic import Network, activation


def printed(layers: int) -> float:
    """rho_d as Hand & Voroninski print it: a sum of products."""
    angles = [math.pi]
    for _ in range(1, layers):
        last = angles[-1]
        angles.append(math.acos(((math.pi - last) * math.cos(last) + math.sin(last)) / math.pi))
    return sum(
        math.sin(angles[i])
        / math.pi
        * math.prod((math.pi - angles[j]) / math.pi for j in range(i + 1, layers))
        for i in range(layers)
    )


@pytest.mark.parametrize("layers", range(1, 12))
def test_kappa_is_the_printed_sum(layers: int) -> None:
    assert kappa(layers) == pytest.approx(printed(layers), abs=1e-12)
    assert 0 <= kappa(layers) < 1


def test_kappa_of_one_and_two_layers_and_of_many() -> None:
    assert kappa(1) == pytest.approx(0.0, abs=1e-12)
    assert kappa(2) == pytest.approx(1 / math.pi)
    assert all(kappa(layers) < kappa(layers + 1) for layers in range(1, 30))
    assert kappa(2000) > 0.99
    with pytest.raises(ValueError, match="at least one layer"):
        kappa(0)


def wide(layers: int, width: int, seed: int) -> Inversion:
    """A random ReLU network in R^2, nearly the infinitely wide one."""
    draw = torch.Generator().manual_seed(seed)
    widths = [2] + [width] * layers
    weights = tuple(
        torch.randn(1, b, a, generator=draw, dtype=torch.float64) / b**0.5
        for a, b in pairwise(widths)
    )
    network = Network(weights, activation("relu"))
    z_star = torch.randn(2, generator=draw, dtype=torch.float64)
    return Inversion(network, network(z_star[None])[0], z_star, "")


@pytest.mark.parametrize(("layers", "width"), [(2, 1500), (3, 1500)])
def test_the_gradient_vanishes_at_the_predicted_point_of_a_wide_network(
    layers: int, width: int
) -> None:
    inversion = wide(layers, width, seed=0)
    spot = predicted_spurious(inversion)
    assert spot is not None

    def slope(z: torch.Tensor) -> float:
        return float(inversion.gradient(z).norm())

    assert slope(spot) < 0.1 * slope(-spot)
    # Along the ray the prediction is sharp: half or twice as far out f is steep again.
    assert slope(spot) < 0.3 * min(slope(0.5 * spot), slope(2 * spot))


def test_nothing_is_predicted_where_the_theory_says_nothing(
    plant: Callable[..., Inversion],
) -> None:
    assert predicted_spurious(plant(activation="relu", layers=1)) is None
    assert predicted_spurious(plant(activation="leaky_relu", layers=2)) is None
    predicted = predicted_spurious(plant(activation="relu", layers=2))
    assert predicted is not None
    expected = -plant(activation="relu", layers=2).z_star / math.pi
    torch.testing.assert_close(predicted, expected)
