import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from red_core.landscape import (
    Inversion,
    StationaryPoint,
    find_sectors,
    predicted_spurious,
    stationary,
    stationary_points,
)
from red_core.landscape.newton import winding_number
from red_core.landscape.sectors import unit
from red_core.synthetic import InstanceSettings, make_instances

TURN = torch.arange(720, dtype=torch.float64) * math.pi / 360


def kind_by_sampling(inversion: Inversion, point: StationaryPoint, radius: float) -> str:
    """From the signs of f - f(z) on a small circle around z; a fold through z lies on the ring."""
    ring = radius * unit(TURN + math.atan2(float(point.z[1]), float(point.z[0])))
    here = inversion.residual(point.z)
    moved = inversion.residual(point.z + ring) - here
    heights = (moved * (moved + 2 * here)).sum(1)  # without the cancellation of f - f(z)
    signs = heights.sign()[heights != 0]
    changes = int((signs != signs.roll(1)).sum())
    if changes >= 4:
        return "saddle"
    return "flat" if changes else ("minimum" if signs[0] > 0 else "maximum")


@given(
    m=st.integers(2, 120),
    slope=st.floats(0.01, 1.0),
    family=st.sampled_from(["gaussian", "two_rows", "example15", "vandermonde"]),
    seed=st.integers(0, 999),
)
def test_one_leaky_layer_has_no_stationary_point_but_z_star(
    plant: Callable[..., Inversion], m: int, slope: float, family: str, seed: int
) -> None:
    # mu >= 2 slope^2 sigma_min(W)^2 > 0 everywhere, for W of full column rank.
    inversion = plant(family=family, m=m, parameter=slope, seed=seed)
    lengths = torch.linalg.svdvals(inversion.network.weights[0][0])
    if float(lengths[-1]) < 1e-3 * float(lengths[0]):
        return  # two rows may be drawn twice the same
    found = stationary_points(inversion)
    assert found.complete
    (point,) = found.points
    assert point.solution
    assert point.kind == "minimum"
    torch.testing.assert_close(point.z, inversion.z_star)
    assert found.summary == "f has no stationary point but z*."


@given(
    layers=st.integers(1, 4),
    m=st.integers(8, 100),
    activation=st.sampled_from(["relu", "leaky_relu"]),
    seed=st.integers(0, 9999),
)
def test_the_indices_of_all_stationary_points_add_up_to_one(
    plant: Callable[..., Inversion], layers: int, m: int, activation: str, seed: int
) -> None:
    # Poincare-Hopf: f grows in all directions. One point missed or misjudged breaks the sum.
    inversion = plant(layers=layers, m=m, activation=activation, seed=seed)
    eigen = torch.linalg.eigvalsh(find_sectors(inversion).square)
    if float(eigen[:, 0].min()) < 1e-9 * float(eigen.max()):
        return  # somewhere G loses a direction, and f need not grow along it
    found = stationary_points(inversion)
    assert sum(point.index for point in found.points) == 1
    assert sum(point.solution for point in found.points) == 1


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_points_are_stationary_and_of_their_kind(
    plant: Callable[..., Inversion], layers: int, seed: int
) -> None:
    inversion = plant(layers=layers, m=60, activation="relu", seed=seed)
    found = stationary_points(inversion)
    sectors = find_sectors(inversion)
    for point in found.points:
        if point.kind == "flat":
            continue
        size = float(point.z.norm())
        if point.place == "smooth":
            assert float(inversion.gradient(point.z).norm()) < 1e-9
        if point.place == "kink":
            side = (sectors.folds @ point.z / size).max()
            assert float(side) == pytest.approx(1.0, abs=1e-12)  # it lies on a fold
        # A circle so small that it meets no fold but the point's own.
        turns = torch.acos((sectors.folds @ point.z / max(size, 1e-9)).clamp(-1, 1))
        near = float(turns[turns > 1e-6].min()) if size else 1.0
        radius = min(1e-6, 0.3 * near) * (size or 1.0)
        assert kind_by_sampling(inversion, point, radius) == point.kind, point


@pytest.mark.parametrize("seed", range(6))
def test_no_minimum_is_missed(plant: Callable[..., Inversion], seed: int) -> None:
    inversion = plant(layers=3, m=80, activation="relu", seed=seed)
    found = stationary_points(inversion)
    rays = unit(torch.arange(20_000, dtype=torch.float64) * math.pi / 10_000)
    images = inversion.network(rays[:, None])[:, 0]
    length = ((images @ inversion.target) / images.square().sum(1)).nan_to_num().clamp_min(0)
    valley = inversion.value(length[:, None] * rays)  # the lowest f along each ray
    rise = torch.minimum(valley.roll(1), valley.roll(-1)) - valley
    lowest = (rise > 1e-13 * found.height) & (length > 0)  # more than rounding on a flat piece
    assert bool(lowest.any())
    minima = torch.stack([p.z for p in found.points if p.kind in ("minimum", "flat")])
    angles = torch.nn.functional.normalize(minima, dim=1) @ rays[lowest].T
    assert float(angles.acos().nan_to_num().amin(0).max()) < 2 * math.pi / 10_000


def test_a_wide_relu_network_has_a_saddle_near_minus_kappa_z_star(
    plant: Callable[..., Inversion],
) -> None:
    distances = []
    for seed in range(3):
        inversion = plant(family="three_layer", m=2000, activation="relu", seed=seed)
        prominent = stationary_points(inversion).prominent()
        # What Hand & Voroninski (2017) draw: z*, one spurious point, a maximum at the origin.
        assert [point.kind for point in prominent] == ["minimum", "saddle", "maximum"]
        predicted = predicted_spurious(inversion)
        assert predicted is not None
        distances.append(float((prominent[1].z - predicted).norm() / inversion.z_star.norm()))
    assert max(distances) < 0.4  # far from z*, which is 1 + kappa = 1.49 away from it
    assert min(distances) < 0.1


def test_one_relu_layer_is_flat_at_the_origin(plant: Callable[..., Inversion]) -> None:
    # kappa(1) = 0: towards -z* no neuron is active that x' needs, so f has no slope there.
    found = stationary_points(plant(activation="relu", m=100))
    (spurious,) = found.spurious
    assert (spurious.place, spurious.kind) == ("origin", "flat")


def test_dead_sectors_are_listed_as_flat(plant: Callable[..., Inversion]) -> None:
    inversion = plant(activation="relu", m=2)  # where neither neuron fires G is 0
    found = stationary_points(inversion)
    flat = [point for point in found.points if point.kind == "flat" and point.place == "smooth"]
    assert flat
    for point in flat:
        assert float(inversion.gradient(point.z).norm()) < 1e-12
        curvatures = torch.linalg.eigvalsh(inversion.hessian(point.z))
        assert float(curvatures[0].abs()) < 1e-9


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("activation", ["softplus", "gelu", "silu"])
def test_smooth_points_are_stationary_and_of_their_kind(
    plant: Callable[..., Inversion], activation: str, seed: int
) -> None:
    inversion = plant(layers=3, m=60, activation=activation, seed=seed)
    found = stationary_points(inversion)
    assert sum(point.solution for point in found.points) == 1
    for point in found.points:
        assert float(inversion.gradient(point.z).norm()) < 1e-8
        if point.kind != "flat":
            radius = 1e-5 * float(inversion.z_star.norm())
            assert kind_by_sampling(inversion, point, radius) == point.kind
    if activation == "softplus":  # it grows in all directions where W has full rank
        assert sum(point.index for point in found.points) == 1


def test_newton_finds_saddles_too(plant: Callable[..., Inversion]) -> None:
    # A softplus network with a sharp bend is nearly a ReLU one, which has a saddle.
    inversion = plant(family="three_layer", m=60, activation="softplus", parameter=20.0, seed=1)
    kinds = {point.kind for point in stationary_points(inversion).points}
    assert kinds == {"minimum", "saddle", "maximum"}


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_plateaus_are_not_stationary_points(
    plant: Callable[..., Inversion], activation: str
) -> None:
    for seed in range(5):
        inversion = plant(m=100, activation=activation, seed=seed)
        far = 30 * inversion.z_star * torch.tensor([[1.0], [-1.0], [5.0]])
        found = stationary_points(inversion, far)
        for point in found.points:
            assert float(point.z.norm()) < 10 * float(inversion.z_star.norm())


def test_kinks_in_many_dimensions_are_not_listed(plant: Callable[..., Inversion]) -> None:
    with pytest.raises(ValueError, match="only for d = 2"):
        stationary_points(plant(d=3))
    assert stationary_points(plant(d=3, activation="softplus")).points[0].solution


def test_with_another_c_a_held_z_star_is_not_stationary() -> None:
    settings = InstanceSettings(m=40, d=2, attack=True, training=6, examples=1)
    instances = make_instances(settings)
    assert stationary_points(Inversion.of(instances)).summary.endswith("but z*.")
    elsewhere = stationary_points(Inversion.of(instances, c_a=instances.c_start[0]))
    assert not any(point.solution for point in elsewhere.points)
    assert elsewhere.summary.endswith("none of them z*.")


def test_the_winding_number_is_the_sum_of_the_indices(plant: Callable[..., Inversion]) -> None:
    for seed in range(4):
        inversion = plant(layers=2, m=60, activation="softplus", seed=seed)
        reach = 2 * float(inversion.z_star.norm())
        found = stationary_points(inversion)
        inside = [p.index for p in found.points if float(p.z.abs().max()) <= reach]
        assert winding_number(inversion, reach) == sum(inside)
        assert "add up to the gradient's winding number" in found.words
    # Round a square that holds no stationary point the gradient turns not at all.
    assert winding_number(inversion, 1e-3) == 0
    # Where sigmoid is saturated the gradient is no guide.
    assert winding_number(plant(activation="sigmoid", scale="1"), 1e6) is None


def test_a_search_that_missed_some_is_told(
    plant: Callable[..., Inversion], monkeypatch: pytest.MonkeyPatch
) -> None:
    inversion = plant(layers=3, m=300, activation="softplus", seed=1)
    whole = stationary_points(inversion)
    assert sum(point.index for point in whole.points) == 1
    minima = torch.stack([point.z for point in whole.points if point.kind == "minimum"])
    assert len(minima) > 1  # two minima alone cannot add up to 1
    monkeypatch.setattr(stationary, "newton_points", lambda _inversion, _starts: minima)
    assert "some are missing" in stationary_points(inversion).words
