"""The attack of adversarial training: projections, steps, and the worst of several balls."""

import cvxpy as cp
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from red_core.recipes.steepest import Ball, ascend, attack, project, project_l1, random_start

BALLS = {
    "linf": Ball("linf", 0.3, 0.1),
    "l2": Ball("l2", 2.0, 0.8),
    "l1": Ball("l1", 10.0, 4.0),
}
ORDERS = {"linf": torch.inf, "l2": 2, "l1": 1}


def norm(delta: Tensor, kind: str) -> Tensor:
    return torch.linalg.vector_norm(delta.flatten(1), ord=ORDERS[kind], dim=1)


def test_the_l1_projection_is_the_nearest_point() -> None:
    points = 2 * torch.randn(5, 12, dtype=torch.float64)
    nearest = cp.Variable(12)
    for point, ours in zip(points, project_l1(points, 1.5), strict=True):
        far = cp.sum_squares(nearest - point.numpy())
        cp.Problem(cp.Minimize(far), [cp.norm1(nearest) <= 1.5]).solve()
        assert ours.numpy() == pytest.approx(np.asarray(nearest.value), abs=1e-4)


@pytest.mark.parametrize("kind", BALLS)
def test_a_point_inside_stays(kind: str) -> None:
    inside = torch.full((2, 784), 1e-3)
    assert torch.allclose(project(inside, BALLS[kind]), inside)


@pytest.mark.parametrize("kind", BALLS)
def test_every_step_keeps_the_budget_and_the_pixels(kind: str) -> None:
    images, ball = torch.rand(6, 784), BALLS[kind]
    delta = random_start(images, ball)
    for _ in range(8):
        assert norm(delta, kind).max() <= ball.eps * (1 + 1e-5)
        assert (images + delta).min() >= -1e-6
        assert (images + delta).max() <= 1 + 1e-6
        delta = ascend(delta, torch.randn(6, 784), images, ball)


@pytest.mark.parametrize("kind", BALLS)
def test_a_step_is_steepest_for_its_norm(kind: str) -> None:
    """In the middle of the pixel range a linear loss rises by the step times the dual norm."""
    gradient, ball = torch.randn(1, 784), BALLS[kind]
    moved = ascend(torch.zeros(1, 784), gradient, torch.full((1, 784), 0.5), ball)
    risen = float((moved * gradient).sum())
    if kind == "linf":
        assert risen == pytest.approx(ball.step * float(gradient.abs().sum()), rel=1e-5)
    elif kind == "l2":
        assert risen == pytest.approx(ball.step * float(gradient.norm()), rel=1e-5)
    else:
        moving = (moved != 0).sum()
        assert 5 <= moving <= 20
        strongest = gradient.abs().topk(int(moving)).values.mean()
        assert risen <= ball.step * float(strongest) * (1 + 1e-5)
        assert gradient.abs()[moved == 0].max() <= gradient.abs()[moved != 0].min()


def test_msd_keeps_the_worst_ball_of_each_image() -> None:
    torch.manual_seed(3)
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    images, labels = torch.rand(16, 1, 28, 28), torch.arange(16) % 10
    flat, balls = images.flatten(1), list(BALLS.values())

    def loss(points: Tensor) -> Tensor:
        logits = network(points.reshape(-1, 1, 28, 28))
        return nn.functional.cross_entropy(logits, labels, reduction="none")

    torch.manual_seed(5)
    start = random_start(flat, balls[0]).requires_grad_()
    (gradient,) = torch.autograd.grad(loss(flat + start).sum(), start)
    start = start.detach()
    with torch.no_grad():
        each = torch.stack([loss(flat + ascend(start, gradient, flat, ball)) for ball in balls])
    torch.manual_seed(5)
    together = loss(attack(network, images, labels, balls, 1)).detach()
    # l1's step draws its number of pixels anew, so it may only be as good as it was.
    assert bool((together >= each[:2].amax(0) - 1e-4).all())
    assert together.mean() >= each.mean(1).max() - 1e-4
