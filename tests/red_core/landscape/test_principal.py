import numpy as np
import pytest
import torch

from red_core.landscape import principal_axes, random_walk_shares, variance_shares


def test_shares_are_those_of_numpys_svd() -> None:
    path = torch.randn(40, 12, dtype=torch.float64).cumsum(0)
    axes, shares = principal_axes(path)
    centred = path.numpy() - path.numpy().mean(0)
    _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
    expected = lengths**2 / (lengths**2).sum()
    assert shares == pytest.approx(expected[:2])
    overlap = np.abs(axes.numpy() @ directions[:2].T)
    assert overlap == pytest.approx(np.eye(2), abs=1e-9)


def test_no_plane_shows_more_than_the_principal_one() -> None:
    path = torch.randn(30, 6, dtype=torch.float64).cumsum(0)
    best = sum(principal_axes(path)[1])
    for _ in range(50):
        axes = torch.linalg.qr(torch.randn(6, 2, dtype=torch.float64)).Q.T
        assert sum(variance_shares(path, axes)) <= best + 1e-12


@pytest.mark.parametrize(("steps", "dimension"), [(3, 40), (30, 4), (120, 100)])
def test_random_walk_shares_are_those_of_random_walks(steps: int, dimension: int) -> None:
    draw = torch.Generator().manual_seed(1)
    walked = []
    for _ in range(400):
        path = torch.randn(steps, dimension, generator=draw, dtype=torch.float64).cumsum(0)
        path = torch.cat((torch.zeros(1, dimension, dtype=torch.float64), path))
        walked.append(principal_axes(path)[1])
    mean = torch.tensor(walked).mean(0)
    error = 4 * torch.tensor(walked).std(0) / 8  # of the mean of 64 walks
    assert (torch.tensor(random_walk_shares(steps, dimension)) - mean).abs().lt(error + 1e-3).all()


def test_in_many_dimensions_a_random_walk_explains_six_over_pi_squared() -> None:
    first, second = random_walk_shares(300, 1500)
    assert first == pytest.approx(6 / np.pi**2, abs=0.01)
    assert second == pytest.approx(6 / np.pi**2 / 4, abs=0.01)


def test_in_two_dimensions_nothing_is_left() -> None:
    assert sum(random_walk_shares(50, 2)) == pytest.approx(1.0)
    assert random_walk_shares(1, 30) == pytest.approx((1.0, 0.0))
    assert random_walk_shares(0, 30) == (0.0, 0.0)
