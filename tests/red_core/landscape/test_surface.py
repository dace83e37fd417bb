from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from red_core.landscape import (
    Bounds,
    Inversion,
    Sheet,
    coordinate_plane,
    path_bounds,
    pca_plane,
    random_plane,
    refine,
)


def bowl(points: Tensor) -> Tensor:
    return (points - 0.25).square().sum(1) + points[:, 0] ** 3


BOUNDS = Bounds(-1.0, 2.0, -0.5, 1.5)


def test_a_surface_is_the_function_on_its_grid() -> None:
    plane = pca_plane(torch.randn(12, 6, dtype=torch.float64))
    for surface in refine(bowl, plane, BOUNDS, "held", sizes=(5, 9), chunk=7):
        for j, y in enumerate(surface.y):
            for i, x in enumerate(surface.x):
                point = plane.origin + x * plane.axes[0] + y * plane.axes[1]
                assert float(surface.values[j, i]) == pytest.approx(float(bowl(point[None])))


def test_grids_are_nested_and_nothing_is_computed_twice() -> None:
    asked = []

    def counted(points: Tensor) -> Tensor:
        asked.append(points)
        return bowl(points)

    surfaces = list(refine(counted, coordinate_plane(), BOUNDS, "held", chunk=50))
    assert [s.size for s in surfaces] == [13, 25, 49]
    for coarse, fine in pairwise(surfaces):
        assert torch.equal(coarse.x, fine.x[::2])
        assert torch.equal(coarse.y, fine.y[::2])
        torch.testing.assert_close(coarse.values, fine.values[::2, ::2])  # other chunks
    computed = torch.cat(asked)
    assert len(computed) == 49 * 49 == len(torch.unique(computed, dim=0))
    assert max(map(len, asked)) <= 50
    corners = surfaces[-1]
    assert (corners.x[0], corners.x[-1]) == (BOUNDS.left, BOUNDS.right)
    assert (corners.y[0], corners.y[-1]) == (BOUNDS.low, BOUNDS.high)


def test_an_instances_surface_is_its_f(plant: Callable[..., Inversion]) -> None:
    inversion = plant(layers=2, activation="relu")
    bounds = Bounds.around(torch.stack((inversion.z_star, -inversion.z_star)))
    (surface,) = refine(inversion.value, coordinate_plane(), bounds, inversion.caption, sizes=(9,))
    x, y = float(surface.x[2]), float(surface.y[7])
    image = inversion.network(torch.tensor([[x, y]], dtype=torch.float64))[0]
    assert float(surface.values[7, 2]) == pytest.approx(
        float((inversion.target - image).square().sum())
    )


def test_interpolation_is_exact_for_bilinear_functions_and_nan_outside() -> None:
    def saddle(points: Tensor) -> Tensor:
        return 1 + points[:, 0] - 2 * points[:, 1] + 3 * points[:, 0] * points[:, 1]

    (surface,) = refine(saddle, coordinate_plane(), BOUNDS, "held", sizes=(4,))
    spots = torch.tensor([[-1.0, -0.5], [2.0, 1.5], [0.3, 0.7], [1.99, -0.2]], dtype=torch.float64)
    torch.testing.assert_close(surface.height(spots), saddle(spots))
    outside = torch.tensor([[2.1, 0.0], [0.0, -0.6], [float("nan"), 0.0]], dtype=torch.float64)
    assert surface.height(outside).isnan().all()


def test_the_lowest_point_is_found() -> None:
    (surface,) = refine(lambda p: (p - 0.5).square().sum(1), coordinate_plane(), BOUNDS, "", (5,))
    torch.testing.assert_close(surface.lowest(), torch.tensor([0.5, 0.5], dtype=torch.float64))


def test_a_sheet_shows_only_what_is_complete() -> None:
    sheet = Sheet(bowl, coordinate_plane(), BOUNDS, sizes=(3, 5), chunk=4)
    with pytest.raises(ValueError, match="not computed yet"):
        sheet.stored()
    told = []
    while not sheet.done:
        told.append((sheet.advance(), sheet.level))
        assert sheet.level < 0 or not bool(sheet.stored()[2].isnan().any())
    assert told == [(False, -1), (False, -1), (True, 0)] + [(False, 0)] * 3 + [(True, 1)]
    assert not sheet.advance()
    assert sheet.stored(0)[2].shape == (3, 3)


@pytest.mark.parametrize("sizes", [(), (1,), (5, 8), (13, 25, 50)])
def test_grids_that_are_not_nested_are_refused(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="each grid must hold the one before"):
        Sheet(bowl, coordinate_plane(), BOUNDS, sizes)


@given(
    points=st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=20),
    square=st.booleans(),
)
def test_bounds_hold_their_points_with_a_margin(
    points: list[tuple[float, float]], square: bool
) -> None:
    spots = torch.tensor(points, dtype=torch.float64)
    bounds = Bounds.around(spots, margin=0.2, square=square)
    assert bounds.contains(spots).all()
    wide, high = bounds.right - bounds.left, bounds.high - bounds.low
    extent = float((spots.amax(0) - spots.amin(0)).max())
    assert float(spots[:, 0].min()) - bounds.left >= 0.19 * extent
    assert bounds.high - float(spots[:, 1].max()) >= 0.19 * extent
    if square:
        assert wide == pytest.approx(high, rel=1e-6)


def test_bounds_without_an_inside_are_refused() -> None:
    with pytest.raises(ValueError, match="inside"):
        Bounds(1.0, 1.0, 0.0, 2.0)


def test_a_path_is_drawn_to_the_same_scale_in_every_plane() -> None:
    path = torch.randn(30, 50, dtype=torch.float64).cumsum(0)
    reach = float((path - path[-1]).norm(dim=1).max())
    for plane in (pca_plane(path), random_plane(path[-1], path=path)):
        bounds = path_bounds(plane, path)
        assert bounds.contains(plane.coordinates(path)).all()
        assert reach <= bounds.right - bounds.left <= 4 * reach
    resting = torch.ones(3, 50)
    bounds = path_bounds(pca_plane(resting), resting)
    assert bounds.right - bounds.left == pytest.approx(1.5)
