"""The signal steps: their updates by hand, and that their states are cut as rows are."""

import numpy as np
import pytest
import torch
from torch import Tensor

from red_core.algorithm.problem import Linearised
from red_core.algorithm.z_steps import AdamStep, FrozenStep, GradientStep, SignalStep, random_starts

STEPS = {
    "gradient": lambda: GradientStep(0.03),
    "momentum": lambda: GradientStep(0.03, momentum=0.7),
    "adam": lambda: AdamStep(0.1, steps=20),
    "frozen": FrozenStep,
}


def descend(step: SignalStep, network, z: Tensor, observed: Tensor, times: int) -> Tensor:
    for _ in range(times):
        point = Linearised.at(network, z)
        z = step(point, point.image.detach() - observed)
    return z


@pytest.fixture
def task(make_network):
    network = make_network((4, 9, 15))
    draw = torch.Generator().manual_seed(5)
    z = torch.randn(5, 4, generator=draw, dtype=torch.float64)
    observed = torch.randn(5, 15, generator=draw, dtype=torch.float64)
    return network, z, observed


def gradient_of(network, z: Tensor, observed: Tensor) -> np.ndarray:
    """Of 1/2 ||x' - G(z)||^2, without `Linearised`."""
    z = z.clone().requires_grad_()
    (0.5 * (observed - network(z)).square().sum()).backward()
    return z.grad.numpy()


def test_the_gradient_step_is_algorithm_1s(task):
    network, z, observed = task
    moved = descend(GradientStep(0.03), network, z, observed, 1)
    np.testing.assert_allclose(moved, z.numpy() - 0.03 * gradient_of(network, z, observed))


def test_momentum_is_the_heavy_ball(task):
    network, z, observed = task
    velocity, by_hand = 0.0, z
    for _ in range(4):
        velocity = gradient_of(network, by_hand, observed) + 0.7 * velocity
        by_hand = torch.tensor(by_hand.numpy() - 0.03 * velocity)
    torch.testing.assert_close(descend(STEPS["momentum"](), network, z, observed, 4), by_hand)


def test_adam_is_torchs_when_its_rate_does_not_fall(task):
    network, z, observed = task
    ours = descend(AdamStep(0.1, steps=20, final=1.0), network, z, observed, 6)
    theirs = z.clone().requires_grad_()
    optimiser = torch.optim.Adam([theirs], lr=0.1, betas=(0.9, 0.99))
    for _ in range(6):
        optimiser.zero_grad()
        (0.5 * (observed - network(theirs)).square().sum()).backward()
        optimiser.step()
    torch.testing.assert_close(ours, theirs.detach())


def test_adams_rate_falls_by_a_cosine_to_its_tenth():
    step = AdamStep(0.2, steps=10, final=0.1)
    point = Linearised.at(lambda z: z, torch.zeros(1, 1, dtype=torch.float64))
    moves = [-float(step(point, torch.ones(1, 1, dtype=torch.float64))) for _ in range(12)]
    shares = np.minimum(1, np.arange(12) / 10)
    wanted = 0.2 * (0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * shares)))
    np.testing.assert_allclose(moves, wanted, rtol=1e-6)


@pytest.mark.parametrize("name", STEPS)
def test_rows_do_not_see_one_another(task, name):
    network, z, observed = task
    together = descend(STEPS[name](), network, z, observed, 5)
    alone = [
        descend(STEPS[name](), network, z[i : i + 1], observed[i : i + 1], 5) for i in range(5)
    ]
    torch.testing.assert_close(together, torch.cat(alone))


@pytest.mark.parametrize("name", STEPS)
def test_keep_cuts_the_state_with_the_rows(task, name):
    """After keeping rows 3 and 1, in that order, they go on as if nobody had left."""
    network, z, observed = task
    uncut = descend(STEPS[name](), network, z, observed, 7)
    step, rows = STEPS[name](), torch.tensor([3, 1])
    halfway = descend(step, network, z, observed, 3)
    step.keep(rows)
    cut = descend(step, network, halfway[rows], observed[rows], 4)
    torch.testing.assert_close(cut, uncut[rows])


def test_keep_before_the_first_step_is_harmless(task):
    network, z, observed = task
    for make in STEPS.values():
        step = make()
        step.keep(torch.tensor([0]))
        descend(step, network, z, observed, 1)


def test_frozen_stays(task):
    network, z, observed = task
    assert descend(FrozenStep(), network, z, observed, 3).equal(z)


def test_starts_depend_on_the_items_own_seed_only():
    three = random_starts([7, 8, 9], 4, 6)
    assert three.shape == (3, 4, 6)
    assert random_starts([9, 7], 4, 6).equal(three[[2, 0]])
    assert not three[0].equal(three[1])
    torch.manual_seed(123)
    before = torch.get_rng_state()
    random_starts([7], 4, 6)
    assert torch.get_rng_state().equal(before)
