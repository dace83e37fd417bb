"""The signal steps: their updates by hand, and that their states are cut as rows are."""

import numpy as np
import pytest
import torch
from torch import Tensor

from red_core.algorithm.z_steps import (
    FINAL_RATE,
    Memory,
    adam_step,
    gradient_step,
    random_starts,
)

FOREVER = 10**9  # steps over which Adam's rate does not fall in a test


def nothing(z: Tensor) -> Memory:
    return (torch.zeros_like(z), torch.zeros_like(z), z.new_zeros(z.shape[:2]))


STEPS = {
    "gradient": lambda z, gradient, memory: gradient_step(z, gradient, memory, 0.03),
    "momentum": lambda z, gradient, memory: gradient_step(z, gradient, memory, 0.03, 0.7),
    "adam": lambda z, gradient, memory: adam_step(z, gradient, memory, 0.1, 20),
}


def gradient_of(network, z: Tensor, observed: Tensor) -> Tensor:
    """Of 1/2 ||x' - G(z)||^2: rows z [R, d]."""
    z = z.clone().requires_grad_()
    (0.5 * (observed - network(z)).square().sum()).backward()
    return z.grad


def descend(step, network, z: Tensor, observed: Tensor, times: int, memory=None):
    """Rows z [R, d] after some steps, and the memory [R, 1, ...] then."""
    memory = nothing(z[:, None]) if memory is None else memory
    for _ in range(times):
        moved, memory = step(z[:, None], gradient_of(network, z, observed)[:, None], memory)
        z = moved[:, 0]
    return z, memory


@pytest.fixture
def task(make_network):
    network = make_network((4, 9, 15))
    draw = torch.Generator().manual_seed(5)
    z = torch.randn(5, 4, generator=draw, dtype=torch.float64)
    observed = torch.randn(5, 15, generator=draw, dtype=torch.float64)
    return network, z, observed


def test_the_gradient_step_is_algorithm_1s(task):
    network, z, observed = task
    moved, _ = descend(STEPS["gradient"], network, z, observed, 1)
    np.testing.assert_allclose(moved, z - 0.03 * gradient_of(network, z, observed))


def test_momentum_is_the_heavy_ball(task):
    network, z, observed = task
    velocity, by_hand = torch.zeros_like(z), z
    for _ in range(4):
        velocity = gradient_of(network, by_hand, observed) + 0.7 * velocity
        by_hand = by_hand - 0.03 * velocity
    torch.testing.assert_close(descend(STEPS["momentum"], network, z, observed, 4)[0], by_hand)


def test_adam_is_torchs_when_its_rate_does_not_fall(task):
    network, z, observed = task

    def constant(z, gradient, memory):
        return adam_step(z, gradient, memory, 0.1, FOREVER)

    ours, _ = descend(constant, network, z, observed, 6)
    theirs = z.clone().requires_grad_()
    optimiser = torch.optim.Adam([theirs], lr=0.1, betas=(0.9, 0.99))
    for _ in range(6):
        optimiser.zero_grad()
        (0.5 * (observed - network(theirs)).square().sum()).backward()
        optimiser.step()
    torch.testing.assert_close(ours, theirs.detach())


def test_adams_rate_falls_by_a_cosine_to_its_tenth():
    z = torch.zeros(1, 1, 1, dtype=torch.float64)
    memory, moves = nothing(z), []
    for _ in range(12):
        moved, memory = adam_step(z, torch.ones_like(z), memory, 0.2, 10)
        moves.append(-float(moved))
    shares = np.minimum(1, np.arange(12) / 10)
    wanted = 0.2 * (FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + np.cos(np.pi * shares)))
    np.testing.assert_allclose(moves, wanted, rtol=1e-6)


@pytest.mark.parametrize("name", STEPS)
def test_rows_do_not_see_one_another(task, name):
    network, z, observed = task
    together, _ = descend(STEPS[name], network, z, observed, 5)
    alone = [
        descend(STEPS[name], network, z[i : i + 1], observed[i : i + 1], 5)[0] for i in range(5)
    ]
    torch.testing.assert_close(together, torch.cat(alone))


@pytest.mark.parametrize("name", STEPS)
def test_a_memory_is_cut_with_its_rows(task, name):
    """Rows 3 and 1, taken out in that order, go on as if nobody had left."""
    network, z, observed = task
    uncut, _ = descend(STEPS[name], network, z, observed, 7)
    rows = torch.tensor([3, 1])
    halfway, memory = descend(STEPS[name], network, z, observed, 3)
    kept = tuple(tensor[rows] for tensor in memory)
    cut, _ = descend(STEPS[name], network, halfway[rows], observed[rows], 4, kept)
    torch.testing.assert_close(cut, uncut[rows])


def test_starts_depend_on_the_items_own_seed_only():
    three = random_starts([7, 8, 9], 4, 6)
    assert three.shape == (3, 4, 6)
    assert random_starts([9, 7], 4, 6).equal(three[[2, 0]])
    assert not three[0].equal(three[1])
    torch.manual_seed(123)
    before = torch.get_rng_state()
    random_starts([7], 4, 6)
    assert torch.get_rng_state().equal(before)
