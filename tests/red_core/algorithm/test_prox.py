"""The c_a problem: prox, lambda_max and the duality gap against what defines them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from red_core.algorithm.problem import AttackDictionary
from red_core.algorithm.prox import block_soft_threshold, duality_gap, lambda_max, penalty

# Two classes, one attack, blocks of two: c_a has four entries.
PLAIN = AttackDictionary(
    torch.eye(4, dtype=torch.float64), 2, ("linf",), torch.ones(4, dtype=torch.float64)
)
coefficients = st.lists(st.floats(-10, 10), min_size=4, max_size=4).map(
    lambda values: torch.tensor(values, dtype=torch.float64)
)
thresholds = st.floats(0, 12).map(lambda value: torch.tensor(value, dtype=torch.float64))


@pytest.mark.parametrize("seed", range(5))
def test_prox_minimises_what_it_is_the_prox_of(seed):
    rng = np.random.default_rng(seed)
    c_a, threshold = rng.normal(size=4), rng.uniform(0.1, 1.5)

    def objective(u: np.ndarray) -> float:
        h = np.linalg.norm(u[:2]) + np.linalg.norm(u[2:])
        return 0.5 * float(np.sum((u - c_a) ** 2)) + threshold * float(h)

    tight = {"xatol": 1e-10, "fatol": 1e-14, "maxiter": 20000, "maxfev": 20000}
    found = min(
        (minimize(objective, s, method="Nelder-Mead", options=tight) for s in (c_a, 0.3 * c_a)),
        key=lambda result: float(result.fun),
    )
    ours = block_soft_threshold(torch.tensor(c_a), torch.tensor(threshold), PLAIN).numpy()
    assert objective(ours) <= found.fun + 1e-12
    np.testing.assert_allclose(ours, found.x, atol=1e-4)


@given(coefficients, thresholds)
def test_prox_meets_its_optimality_condition(c_a, threshold):
    """c - p lies in t times the subdifferential of ||.||_2 at p, block by block."""
    p = block_soft_threshold(c_a, threshold, PLAIN)
    for columns in (PLAIN.block(0, 0), PLAIN.block(1, 0)):
        block, pulled = p[columns], c_a[columns] - p[columns]
        if block.norm() > 0:
            direction = block / block.norm()
            torch.testing.assert_close(pulled, threshold * direction, rtol=1e-9, atol=1e-9)
        else:
            assert pulled.norm() <= threshold * (1 + 1e-12)


@given(coefficients, coefficients, thresholds)
def test_prox_does_not_expand(one, other, threshold):
    moved = block_soft_threshold(one, threshold, PLAIN) - block_soft_threshold(
        other, threshold, PLAIN
    )
    assert moved.norm() <= (one - other).norm() * (1 + 1e-12) + 1e-12


@given(coefficients)
def test_prox_with_threshold_zero_is_the_identity(c_a):
    zero = torch.zeros((), dtype=torch.float64)
    torch.testing.assert_close(block_soft_threshold(c_a, zero, PLAIN), c_a)


def test_prox_takes_one_threshold_an_item(make_dictionary):
    dictionary = make_dictionary()
    c_a = torch.randn(3, dictionary.size, dtype=torch.float64)
    threshold = torch.tensor([0.0, 0.7, 100.0], dtype=torch.float64)
    together = block_soft_threshold(c_a, threshold, dictionary)
    alone = [block_soft_threshold(c, t, dictionary) for c, t in zip(c_a, threshold, strict=True)]
    torch.testing.assert_close(together, torch.stack(alone))
    assert not together[2].any()


def test_penalty_is_the_sum_of_block_norms(make_dictionary):
    dictionary = make_dictionary()
    c_a = torch.randn(dictionary.size, dtype=torch.float64)
    by_hand = sum(c_a[dictionary.block(i, j)].norm() for i in range(3) for j in range(2))
    torch.testing.assert_close(penalty(c_a, dictionary), by_hand)


@pytest.mark.parametrize("seed", range(5))
def test_lambda_max_is_where_the_solution_becomes_zero(make_dictionary, seed):
    """c = 0 solves the problem iff ||D_g^T y|| <= lambda for all g: at lambda_max, not below."""
    dictionary = make_dictionary(seed=seed)
    target = torch.randn(30, dtype=torch.float64)
    largest = lambda_max(target, dictionary)
    correlation, zero = dictionary.correlate(target), torch.zeros(18, dtype=torch.float64)
    # A hair above: at lambda_max itself rounding decides whether the largest block stays.
    assert not block_soft_threshold(correlation, (1 + 1e-12) * largest, dictionary).any()
    assert block_soft_threshold(correlation, 0.99 * largest, dictionary).any()
    gap, _ = duality_gap(target, zero, largest, dictionary)
    assert abs(float(gap)) < 1e-12
    gap, _ = duality_gap(target, zero, 0.99 * largest, dictionary)
    assert gap > 1e-4


@pytest.mark.parametrize("pixels", [12, 30])
def test_the_gap_bounds_the_suboptimality_and_is_zero_at_the_solution(
    make_dictionary, convex_solution, pixels
):
    dictionary = make_dictionary(pixels)
    draw = torch.Generator().manual_seed(pixels)
    target = torch.randn(pixels, generator=draw, dtype=torch.float64)
    lam = 0.3 * lambda_max(target, dictionary)
    solution, value = convex_solution(dictionary, target, float(lam))
    gap, primal = duality_gap(target, torch.tensor(solution), lam, dictionary)
    assert float(primal) == pytest.approx(value, rel=1e-8)
    assert abs(float(gap)) < 1e-6
    noise = torch.randn(50, 18, generator=draw, dtype=torch.float64)
    scale = torch.logspace(-6, 1, 50, dtype=torch.float64)[:, None]
    nearby = torch.tensor(solution) + scale * noise
    gap, primal = duality_gap(target.expand(50, -1), nearby, lam.expand(50), dictionary)
    assert bool((gap >= primal - value - 1e-9).all())
    assert bool((gap >= 0).all())


def test_the_gap_of_a_target_that_g_explains_alone_is_zero(make_dictionary):
    dictionary = make_dictionary()
    nothing = torch.zeros(2, 30, dtype=torch.float64)
    gap, primal = duality_gap(
        nothing,
        torch.zeros(2, 18, dtype=torch.float64),
        lambda_max(nothing, dictionary),
        dictionary,
    )
    assert not gap.any()
    assert not primal.any()
