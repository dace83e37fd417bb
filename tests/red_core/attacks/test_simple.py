"""FGSM, DDN and noise on networks whose answers are known by hand."""

import pytest
import torch
from torch import Tensor, nn

from red_core.attacks.simple import ddn, fgsm, noise

SHAPE = (1, 4, 4)


class Plane(nn.Module):
    """Two classes on either side of a plane: class 1 where the pixels' weighted sum is above 0."""

    def __init__(self, weights: Tensor, offset: float) -> None:
        super().__init__()
        self.weights, self.offset = weights, offset

    def forward(self, images: Tensor) -> Tensor:
        height = images.flatten(1) @ self.weights + self.offset
        return torch.stack((-height, height), dim=1)


@pytest.fixture
def plane() -> Plane:
    weights = torch.linspace(-1, 1, 16)
    return Plane(weights, float(-0.5 * weights.sum()))


def inside(count: int) -> Tensor:
    """Images far from 0 and 1, so that nothing is clipped."""
    return 0.45 + 0.1 * torch.rand(count, *SHAPE)


def test_fgsm_is_one_step_of_the_gradients_sign(plane: Plane) -> None:
    images = inside(5)
    labels = plane(images).argmax(1)
    attacked = fgsm(plane, images, labels, 0.2)
    away = torch.where(labels == 1, -1.0, 1.0)[:, None] * plane.weights.sign()
    torch.testing.assert_close(attacked, (images + 0.2 * away.view_as(images)).clamp(0, 1))
    assert fgsm(plane, torch.zeros(1, *SHAPE), labels[:1], 0.9).min() >= 0


def test_fgsm_moves_where_the_network_is_sure_of_everything(plane: Plane) -> None:
    plane.weights, plane.offset = 1e4 * plane.weights, 1e4 * plane.offset
    images = inside(5)
    labels = plane(images).argmax(1)
    assert bool(((fgsm(plane, images, labels, 0.2) - images).abs() > 0.19).all())


def test_ddn_goes_to_the_plane_and_little_further(plane: Plane) -> None:
    images = inside(6)
    labels = plane(images).argmax(1)
    attacked = ddn(plane, images, labels, seed=0, steps=200)
    height = images.flatten(1) @ plane.weights + plane.offset
    shortest = height.abs() / plane.weights.norm()
    length = (attacked - images).flatten(1).norm(dim=1)
    assert bool((plane(attacked).argmax(1) != labels).all())
    assert bool((length >= shortest - 1e-4).all())
    # It rounds x' to 256 grey levels, which moves it by 16 * (1 / 510)^2 in square.
    assert bool((length <= 1.1 * shortest + 4 / 510).all())


def test_ddn_leaves_other_random_numbers_alone(plane: Plane) -> None:
    images = inside(3)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    ddn(plane, images, plane(images).argmax(1), seed=1, steps=5)
    assert torch.rand(3).equal(expected)


def test_noise_has_its_size_and_comes_from_the_seed_alone() -> None:
    images = torch.full((4, 1, 50, 50), 0.5)
    seeds = [3, 1, 4, 1]
    noisy = noise(images, seeds, sigma=0.1)
    assert float((noisy - images).std()) == pytest.approx(0.1, rel=0.05)
    # Where an image lies in the batch decides which pixels the vectorised loop leaves to its tail,
    # whose multiply and add may round twice.
    torch.testing.assert_close(noisy[1], noisy[3])
    assert not torch.allclose(noisy[0], noisy[2])
    torch.testing.assert_close(noise(images[2:3], [4], sigma=0.1), noisy[2:3])
    assert noise(images, seeds, sigma=5.0).aminmax() == (0, 1)
