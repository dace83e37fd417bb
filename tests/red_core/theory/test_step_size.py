"""The formulas of Theorems 3, 6 and 8 against brute force over eta."""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import assume, given

from red_core.theory import (
    best_step,
    contraction,
    proximal_rate,
    sharper_contraction,
    step_interval,
)

positive = st.floats(1e-4, 1e3)


def constants(*numbers):
    return tuple(torch.tensor(number, dtype=torch.float64) for number in numbers)


@given(mu=positive, ratio=st.floats(1, 1e3), share=st.floats(0, 2))
def test_the_interval_is_where_the_factor_is_below_1(mu, ratio, share):
    """epsilon = share times the most that mu^2 > 32/9 rho epsilon allows."""
    mu, rho = constants(mu, mu * ratio)
    epsilon = share * 9 / 32 * mu**2 / rho
    assume(abs(share - 1) > 1e-6)
    low, high = step_interval(mu, rho, epsilon)
    assert bool(low.isnan()) == bool(high.isnan()) == (share > 1)
    limit = torch.minimum(0.25 / epsilon, 1.5 / rho)
    grid = limit * torch.linspace(1e-4, 1, 2001, dtype=torch.float64)
    inside = contraction(grid, mu, rho, epsilon) < 1 - 1e-9
    if share > 1:
        assert not inside.any()
        return
    margin = 1e-6 * limit
    assert bool(((grid > low - margin) & (grid < high + margin))[inside].all())
    surely = (grid > low + margin) & (grid < high - margin)
    assert bool((contraction(grid, mu, rho, epsilon) < 1)[surely].all())


@given(mu=positive, ratio=st.floats(1, 1e3), share=st.floats(0, 0.999))
def test_the_best_step_is_the_best_of_the_interval(mu, ratio, share):
    mu, rho = constants(mu, mu * ratio)
    epsilon = share * 9 / 32 * mu**2 / rho
    low, high = step_interval(mu, rho, epsilon)
    best = best_step(mu, rho, epsilon)
    assert bool((low < best) & (best <= high))
    least = contraction(best, mu, rho, epsilon)
    assert -1e-12 <= float(least) < 1
    grid = torch.lerp(low, high, torch.linspace(0, 1, 501, dtype=torch.float64))
    assert bool((contraction(grid, mu, rho, epsilon) >= least - 1e-12).all())
    sharper = sharper_contraction(best, mu, rho, epsilon)
    assert bool(sharper <= least + 1e-12)


def test_without_negative_curvature_every_small_step_is_admissible():
    mu, rho, epsilon = constants(1.0, 4.0, 0.0)
    low, high = step_interval(mu, rho, epsilon)
    assert (float(low), float(high)) == pytest.approx((0.0, 1.5 / 4))
    best = best_step(mu, rho, epsilon)
    assert float(best) == pytest.approx(0.25)
    assert float(contraction(best, mu, rho, epsilon)) == pytest.approx(1 - 1 / 16)
    assert float(sharper_contraction(best, mu, rho, epsilon)) == pytest.approx(1 - 1 / 16)


@given(rho=positive, ratio=st.floats(0.01, 1), share=st.floats(0.001, 1))
def test_a_quarter_over_epsilon_binds_only_where_mu_exceeds_rho(rho, ratio, share):
    mu, rho = constants(rho * ratio, rho)
    epsilon = share * 9 / 32 * mu**2 / rho
    square = mu**2
    root = (9 * square**2 - 32 * square * rho * epsilon).clamp_min(0).sqrt()
    upper = (3 * square + root) / (4 * square * rho)
    assert bool(upper <= 0.25 / epsilon * (1 + 1e-9))
    assert bool(upper <= 1.5 / rho * (1 + 1e-12))


def test_the_interval_stops_at_a_quarter_over_epsilon():
    mu, rho, epsilon = constants(1.2, 1.0, 0.3)
    low, high = step_interval(mu, rho, epsilon)
    assert float(high) == pytest.approx(0.25 / 0.3)
    assert float(low) < float(best_step(mu, rho, epsilon)) <= float(high)
    assert bool(sharper_contraction(5 * high, mu, rho, epsilon).isnan())


def test_nothing_is_admissible_without_an_error_bound():
    low, high = step_interval(*constants(0.0, 1.0, 0.0))
    assert low.isnan()
    assert high.isnan()
    assert best_step(*constants(0.0, 1.0, 0.0)).isnan()
    assert best_step(*constants(1.0, 1.0, 0.3)).isnan()


def test_theorem_8s_rate_keeps_its_2():
    assert float(proximal_rate(*constants(1.0, 4.0))) == pytest.approx(0.875)
