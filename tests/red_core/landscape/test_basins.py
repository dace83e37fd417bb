from collections.abc import Callable

import pytest
import torch

from red_core.landscape import (
    DIVERGED,
    MOVING,
    Bounds,
    Flow,
    Inversion,
    find_sectors,
    safe_eta,
    stationary_points,
)
from red_core.landscape.basins import Basins


def run(inversion: Inversion, side: int = 9, **options: float) -> Basins:
    starts = Bounds(-3.0, 3.0, -3.0, 3.0).points(side)
    flow = Flow(inversion, starts, stationary_points(inversion), **options)
    while not flow.done:
        flow.advance()
    return flow.view()


@pytest.mark.parametrize("family", ["gaussian", "two_rows", "example15", "vandermonde"])
def test_one_leaky_layer_has_one_basin(plant: Callable[..., Inversion], family: str) -> None:
    basins = run(plant(family=family, m=100))
    assert basins.solved == 1.0
    assert (basins.labels == 0).all()
    assert basins.words == f"Of 81 starts 81 arrived at z* within {basins.k} steps."


def test_the_basins_cover_the_grid(plant: Callable[..., Inversion]) -> None:
    inversion = plant(layers=2, m=100, activation="relu", seed=1)
    basins = run(inversion, side=15)
    assert basins.starts.shape == basins.ends.shape == (225, 2)
    assert basins.labels.shape == (225,)
    reached = [basins.stationary.points[label] for label in set(basins.labels.tolist())]
    assert len(reached) > 1  # here starts end in several places
    assert all(point.kind == "minimum" for point in reached if float(point.z.norm()) > 0)
    counted = int((basins.labels == 0).sum())
    assert basins.stationary.points[0].solution
    assert basins.solved == pytest.approx(counted / 225)
    assert f"{counted} arrived at z*" in basins.words
    assert "at another stationary point" in basins.words


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "softplus"])
def test_ends_are_those_of_plain_gradient_descent(
    plant: Callable[..., Inversion], activation: str
) -> None:
    inversion = plant(layers=2, activation=activation)
    starts = Bounds(-2.0, 2.0, -2.0, 2.0).points(5) + 0.01
    flow = Flow(inversion, starts, stationary_points(inversion), eta=0.2)
    z = starts
    for _ in range(30):
        z = z - 0.2 * inversion.gradient(z)
    flow.advance(10)
    flow.advance(20)
    assert flow.k == 30
    torch.testing.assert_close(flow.view().ends, z)


def test_sectors_give_the_gradient_of_the_network(plant: Callable[..., Inversion]) -> None:
    inversion = plant(layers=3, m=60, activation="relu")
    z = torch.randn(500, 2, dtype=torch.float64)
    torch.testing.assert_close(find_sectors(inversion).gradient(z), inversion.gradient(z))


def test_a_start_stays_where_it_rests(plant: Callable[..., Inversion]) -> None:
    inversion = plant()
    starts = torch.stack((inversion.z_star, inversion.z_star + 1))
    flow = Flow(inversion, starts, stationary_points(inversion), steps=500)
    flow.advance(1)
    labels = flow.view().labels
    assert labels.tolist() == [0, MOVING]
    while not flow.done:
        flow.advance()
    assert flow.view().labels.tolist() == [0, 0]
    assert flow.k < 500  # it ends when all rest
    torch.testing.assert_close(flow.view().ends[0], inversion.z_star)


def test_too_large_a_step_diverges_and_says_so(plant: Callable[..., Inversion]) -> None:
    inversion = plant()
    basins = run(inversion, eta=50 * safe_eta(inversion, inversion.z_star[None]))
    assert (basins.labels == DIVERGED).any()
    assert "diverged: the step size is too large" in basins.words


@pytest.mark.parametrize("activation", ["relu", "softplus"])
def test_the_safe_step_never_overshoots_a_steepest_quadratic(
    plant: Callable[..., Inversion], activation: str
) -> None:
    inversion = plant(layers=2, activation=activation)
    starts = Bounds(-2.0, 2.0, -2.0, 2.0).points(21)
    eta = safe_eta(inversion, starts)
    reach = inversion.network.jacobian(starts[:, None])[:, 0]
    steepest = torch.linalg.matrix_norm(reach, ord=2).square().max()
    assert eta <= 0.5 / float(steepest) + 1e-12
    # In steps of eta f falls from every start.
    before = inversion.value(starts)
    after = inversion.value(starts - eta * inversion.gradient(starts))
    assert float((after - before).max()) <= 1e-9


def test_nothing_known_means_everything_moves(plant: Callable[..., Inversion]) -> None:
    inversion = plant(d=3)  # kinks in three dimensions: no list to compare with
    empty = stationary_points(plant(d=3, activation="softplus"))
    flow = Flow(inversion, torch.randn(4, 3), type(empty)((), 1.0, False, ""), steps=5)
    flow.advance()
    assert flow.done
    assert flow.view().labels.tolist() == [MOVING] * 4
