"""FGSM, DDN and noise on networks whose answers are known by hand."""

import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from red_core.attacks.pgd import AttackSettings, craft
from red_core.attacks.simple import ddn, fgsm, full_steps, noise

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


class Sure(nn.Module):
    """The same answers, so sure that the gradient is far below 1e-6."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return 100 * self.network(images)


def test_full_steps_fool_a_sure_network_that_the_librarys_l2_attack_leaves_alone(
    plane: Plane,
) -> None:
    plane.weights = plane.weights.double()
    sure, images = Sure(plane), inside(6).double()
    height = images.flatten(1) @ plane.weights + plane.offset
    images = images + (0.12 * height.sign()[:, None] * plane.weights).view_as(images)
    labels, seeds = plane(images).argmax(1), range(6)
    settings = AttackSettings("l2", 0.6, 0.1, 30)
    stuck = craft(sure, images, labels, settings, seeds)
    moved = full_steps(sure, images, labels, settings, seeds)
    assert bool((plane(stuck).argmax(1) == labels).all())
    assert bool((plane(moved).argmax(1) != labels).all())
    length = (moved - images).flatten(1).norm(dim=1)
    assert bool((length <= 0.6 + 1e-5).all())
    assert moved.min() >= 0
    assert moved.max() <= 1


def test_full_steps_need_no_other_attack_before_them() -> None:
    """AdverTorch cannot be imported beside today's torch before its shim is in place."""
    code = (
        "import torch; from red_core.attacks.pgd import AttackSettings;"
        "from red_core.attacks.simple import full_steps;"
        "x = torch.full((1, 1, 2, 2), 0.5); net = torch.nn.Sequential("
        "torch.nn.Flatten(), torch.nn.Linear(4, 2));"
        "print(full_steps(net, x, torch.tensor([0]), AttackSettings('l2', 1.0, 0.1, 2), [0]).shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


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
