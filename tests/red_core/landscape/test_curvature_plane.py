from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from red_core.landscape import Inversion, hessian_plane


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_axes_are_the_extreme_eigenvectors(
    plant: Callable[..., Inversion], dtype: torch.dtype
) -> None:
    inversion = plant(d=12, m=60, layers=2, activation="tanh", scale="1")
    point = torch.randn(12, dtype=dtype)
    values, vectors = torch.linalg.eigh(inversion.hessian(point.double()))

    def value(z: Tensor) -> Tensor:
        return inversion.value(z.double()).to(dtype)

    plane = hessian_plane(value, point)
    torch.testing.assert_close(plane.origin, point.double())
    overlap = (plane.axes @ vectors[:, [-1, 0]]).abs()
    close = 1e-6 if dtype == torch.float64 else 1e-2
    torch.testing.assert_close(overlap, torch.eye(2).double(), atol=close, rtol=0)
    assert f"{values[-1]:.3g}" in plane.names[0]
    assert f"{values[0]:.3g}" in plane.names[1]
    assert values[0] < 0  # negative curvature, so the two ends differ in kind
    assert float(plane.axes.abs().max(1).values.min()) == float(plane.axes.max(1).values.min())


def test_equal_curvatures_still_make_a_plane() -> None:
    plane = hessian_plane(lambda z: 3 * z.square().sum(), torch.ones(5, dtype=torch.float64))
    torch.testing.assert_close(plane.axes @ plane.axes.T, torch.eye(2).double())
    assert plane.names == ("largest curvature, 6", "smallest curvature, 6")


def test_a_curvature_that_is_only_rounding_is_about_zero() -> None:
    def value(z: Tensor) -> Tensor:
        return z[:3].square().sum()

    plane = hessian_plane(value, torch.randn(8, dtype=torch.float64))
    assert plane.names == ("largest curvature, 2", "smallest curvature, about 0")


def test_what_it_shows_of_a_path_is_said() -> None:
    path = torch.randn(20, 8, dtype=torch.float64).cumsum(0)
    scale = torch.arange(1.0, 9.0, dtype=torch.float64)
    plane = hessian_plane(lambda z: (scale * z.square()).sum(), path[-1], path, "at the end")
    assert "at the end" in plane.words
    spread = (path - path.mean(0)).square().sum(0)
    expected = (spread / spread.sum())[[7, 0]].tolist()
    assert plane.explained == pytest.approx(expected, abs=1e-6)
