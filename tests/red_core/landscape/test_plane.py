import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from red_core.landscape import (
    Plane,
    coordinate_plane,
    difference_plane,
    pca_plane,
    random_plane,
    starts_plane,
)
from red_core.landscape.plane import share


def walk(steps: int, d: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(steps + 1, d, generator=draw, dtype=dtype).cumsum(0)


def every_plane(path: Tensor) -> list[Plane]:
    planes = [
        pca_plane(path),
        difference_plane(path[0], path[-1], path),
        difference_plane(path[0], path[-1]),
        starts_plane(path[:3], path),
        starts_plane(path[:5]),
        random_plane(path[-1], seed=3, path=path),
    ]
    return planes + ([coordinate_plane(path)] if path.shape[1] == 2 else [])


@given(steps=st.integers(1, 30), d=st.integers(2, 40), seed=st.integers(0, 99))
def test_axes_are_orthonormal_and_projection_is_exact_in_the_plane(
    steps: int, d: int, seed: int
) -> None:
    path = walk(steps, d, seed)
    for plane in every_plane(path):
        torch.testing.assert_close(plane.axes @ plane.axes.T, torch.eye(2).double())
        spots = torch.randn(7, 2, dtype=torch.float64)
        inside = plane.points(spots)
        torch.testing.assert_close(plane.coordinates(inside), spots)
        assert float(plane.off_plane(inside).max()) < 1e-9
        # Pythagoras: what is shown and what is projected away make up the whole.
        away = path - plane.origin
        whole = plane.coordinates(path).square().sum(1) + plane.off_plane(path).square()
        torch.testing.assert_close(whole, away.square().sum(1))


@given(steps=st.integers(2, 30), d=st.integers(2, 40), seed=st.integers(0, 99))
def test_explained_shares_are_those_of_the_points_shown(steps: int, d: int, seed: int) -> None:
    path = walk(steps, d, seed)
    total = (path - path.mean(0)).square().sum()
    for plane in every_plane(path):
        if plane.explained is None:
            continue
        shown = plane.coordinates(path)
        expected = (shown - shown.mean(0)).square().sum(0) / total
        torch.testing.assert_close(torch.tensor(plane.explained).double(), expected)
        assert plane.away == pytest.approx(max(0.0, 1 - float(expected.sum())), abs=1e-9)


def test_a_slice_through_a_point_keeps_all_coordinates() -> None:
    path = walk(20, 6)
    plane = pca_plane(path)
    moved = plane.through(path[3])
    assert float(plane.off_plane(path[3])) > 0.1
    assert float(moved.off_plane(path[3])) < 1e-9
    torch.testing.assert_close(moved.coordinates(path), plane.coordinates(path))


def test_the_pca_plane_holds_the_end_and_follows_the_path() -> None:
    path = walk(25, 8)
    plane = pca_plane(path)
    torch.testing.assert_close(plane.origin, path[-1])
    assert (plane.coordinates(path[0]) <= 0).all()  # it went in the positive direction


def test_the_difference_plane_holds_both_ends() -> None:
    path, z_star = walk(15, 9), torch.randn(9, dtype=torch.float64)
    plane = difference_plane(path[0], z_star, path)
    ends = torch.stack((path[0], z_star))
    assert float(plane.off_plane(ends).max()) < 1e-9
    distance = float((z_star - path[0]).norm())
    expected = torch.tensor([[-distance, 0.0], [0.0, 0.0]]).double()
    torch.testing.assert_close(plane.coordinates(ends), expected)


def test_the_difference_plane_shows_the_most_of_the_rest() -> None:
    path, z_star = walk(15, 5), torch.randn(5, dtype=torch.float64)
    best = difference_plane(path[0], z_star, path).explained
    assert best is not None
    first = (z_star - path[0]) / (z_star - path[0]).norm()
    for seed in range(50):
        draw = torch.Generator().manual_seed(seed)
        other = torch.randn(5, generator=draw, dtype=torch.float64)
        other = other - (other @ first) * first
        spread = (path @ other / other.norm()).var(correction=0) * len(path)
        assert float(spread / (path - path.mean(0)).square().sum()) <= best[1] + 1e-12


def test_three_starts_lie_in_their_plane() -> None:
    starts = torch.randn(3, 100, dtype=torch.float64)
    assert float(starts_plane(starts).off_plane(starts).max()) < 1e-9


def test_what_is_projected_away_is_said() -> None:
    path = walk(40, 30)
    told = pca_plane(path).statement
    assert "projected away" in told
    assert "random walk of as many steps in as many dimensions" in told
    assert "nothing is projected away" in coordinate_plane().statement
    assert starts_plane(path[:3]).statement == "The plane through the run's three starts."
    assert "only start" in starts_plane(path[:1]).statement
    assert "line through the run's two starts" in starts_plane(path[:2]).statement
    assert "closest to the run's 9 starts" in starts_plane(path[:9]).statement


def test_float32_paths_make_float64_planes() -> None:
    path = walk(10, 50, dtype=torch.float32)
    plane = pca_plane(path)
    assert plane.axes.dtype == torch.float64
    assert plane.coordinates(path).dtype == torch.float64


@pytest.mark.parametrize("points", [1, 4])
def test_a_path_that_rests_still_has_a_plane(points: int) -> None:
    path = torch.ones(points, 7)
    plane = pca_plane(path)
    assert plane.explained is None
    assert "never moves" in plane.statement
    assert float(plane.coordinates(path).abs().max()) == 0.0


def test_a_straight_path_explains_itself() -> None:
    line = torch.linspace(0, 1, 9)[:, None] * torch.tensor([1.0, 2.0, 2.0])
    plane = pca_plane(line.double())
    assert plane.explained == pytest.approx((1.0, 0.0), abs=1e-12)
    torch.testing.assert_close(plane.axes[0], torch.tensor([1.0, 2.0, 2.0]).double() / 3)


def test_no_plane_without_two_dimensions_or_a_direction() -> None:
    with pytest.raises(ValueError, match="two dimensions"):
        pca_plane(torch.randn(5, 1))
    with pytest.raises(ValueError, match="same point"):
        difference_plane(torch.ones(4), torch.ones(4))
    with pytest.raises(ValueError, match="orthonormal"):
        Plane(torch.zeros(3), torch.ones(2, 3), ("a", "b"), "")
    with pytest.raises(ValueError, match="axes"):
        Plane(torch.zeros(3), torch.eye(2), ("a", "b"), "")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0%"),
        (0.0001, "under 0.1%"),
        (0.005, "0.5%"),
        (0.614, "61%"),
        (0.995, "99.5%"),
        (0.99999, "over 99.9%"),
        (1.0, "100%"),
    ],
)
def test_only_nothing_is_zero_percent(value: float, text: str) -> None:
    assert share(value) == text
