"""The style generator's game against formulas worked out by hand."""

import math

import torch
from torch import Tensor, nn

from red_core.recipes.cifar10.adversary import gradient_penalty, paired_loss, recoloured


def test_the_loss_looks_at_pairs() -> None:
    better, worse = torch.tensor([2.0, -1.0]), torch.tensor([0.0, -1.0])
    expected = (math.log(1 + math.exp(-2)) + math.log(2)) / 2
    assert math.isclose(float(paired_loss(better, worse)), expected, rel_tol=1e-6)


class Quadratic(nn.Module):
    """Score a ||x||^2: its gradient is 2 a x."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(0.5))

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        return self.a * images.square().sum((1, 2, 3))


def test_the_penalty_is_the_gradients_squared_norm() -> None:
    critic, images = Quadratic(), torch.rand(4, 3, 2, 2)
    penalty = gradient_penalty(critic, images, torch.zeros(4, dtype=torch.int64))
    norms = images.square().sum((1, 2, 3))
    torch.testing.assert_close(penalty, norms.mean())  # (2 a)^2 ||x||^2 with a = 1/2
    penalty.backward()
    assert critic.a.grad is not None
    torch.testing.assert_close(critic.a.grad, 4 * norms.mean())


def test_recolouring_is_affine_in_each_image_and_differs_between_them() -> None:
    torch.manual_seed(0)
    image = torch.rand(1, 3, 4, 4)
    many = recoloured(image.expand(6, -1, -1, -1))
    assert torch.cdist(many.flatten(1), many.flatten(1)).add(torch.eye(6)).min() > 0.01
    # Differences of a colour's pixels keep their ratios where saturation and contrast are
    # one factor: in a grey image.
    grey = torch.rand(1, 1, 4, 4).expand(5, 3, -1, -1)
    changed = recoloured(grey).flatten(1)
    plain = grey.flatten(1) - grey.flatten(1).mean(1, keepdim=True)
    ratio = (changed * plain).sum(1) / plain.square().sum(1)
    assert ((ratio >= 0.5) & (ratio <= 1.5)).all()
