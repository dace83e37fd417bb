from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from red_core.algorithm.problem import RedProblem
from red_core.algorithm.prox import penalty
from red_core.landscape import held_target, refitted_height


def parts(make_instance, active: int) -> tuple[RedProblem, Tensor, Tensor]:
    """A problem, a c_a with that many active blocks, and some points z."""
    instance = make_instance(items=2)
    dictionary = instance.dictionary
    c_a = torch.zeros(dictionary.size, dtype=torch.float64)
    for block in range(active):
        c_a[block * dictionary.block_size :][: dictionary.block_size] = 0.3 + 0.1 * block
    return instance.problem, c_a, torch.randn(9, 4, dtype=torch.float64)


def held_height(problem: RedProblem, c_a: Tensor, lam: float, z: Tensor) -> Tensor:
    left = held_target(problem, c_a, 1) - problem.generator(z)
    return left.square().sum(1) + 2 * lam * penalty(c_a, problem.dictionary)


@pytest.mark.parametrize("active", [1, 3, 6])
@pytest.mark.parametrize("steps", [1, 30])
def test_between_the_true_minimum_and_c_a_held(
    make_instance,
    convex_solution: Callable[..., tuple[object, float]],
    active: int,
    steps: int,
) -> None:
    problem, c_a, z = parts(make_instance, active)
    lam = 0.2
    height, held = refitted_height(problem, c_a, lam, item=1, steps=steps)
    values = height(z)
    assert (values <= held_height(problem, c_a, lam, z) + 1e-12).all()
    for row, value in zip(z[:3], values[:3], strict=True):
        target = problem.flat[1] - problem.generator(row[None])[0]
        _, best = convex_solution(problem.dictionary, target, lam)
        assert float(value) >= 2 * best - 1e-6
    assert f"({steps} steps)" in held


def test_with_all_blocks_active_it_is_the_true_minimum(
    make_instance, convex_solution: Callable[..., tuple[object, float]]
) -> None:
    problem, c_a, z = parts(make_instance, 6)
    lam = 0.2
    height, _ = refitted_height(problem, c_a, lam, item=1, steps=3000, most=6)
    values = height(z[:3])
    for row, value in zip(z[:3], values, strict=True):
        target = problem.flat[1] - problem.generator(row[None])[0]
        _, best = convex_solution(problem.dictionary, target, lam)
        assert float(value) == pytest.approx(2 * best, rel=1e-6)


def test_the_sentence_says_which_blocks_move(make_instance) -> None:
    def told(active: int) -> str:
        problem, c_a, _ = parts(make_instance, active)
        return refitted_height(problem, c_a, 0.1)[1]

    assert "within the active block of" in told(1)
    assert "within the 3 active blocks" in told(3)
    assert "within the 5 strongest of the 6 active blocks" in told(6)
    assert "no block is active" in told(0)


def test_without_an_active_block_c_a_stays_zero(make_instance) -> None:
    problem, c_a, z = parts(make_instance, 0)
    height, _ = refitted_height(problem, c_a, 0.2, item=1)
    torch.testing.assert_close(height(z), held_height(problem, c_a, 0.2, z))
