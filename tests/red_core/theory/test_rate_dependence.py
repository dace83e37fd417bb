"""The dependence of the promised rate: against a search over all step sizes, and in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from red_core.theory.rate_dependence import rate_dependence


def searched(mu: float, rho: float, epsilon: float) -> float:
    """The least factor of eq. 10 over the theorem's step sizes, by brute force in NumPy."""
    eta = np.linspace(1e-6, 1.5 / rho, 400_001)
    if epsilon > 0:
        eta = eta[eta <= 1 / (4 * epsilon)]
    inside = 9 * mu**4 - 32 * mu**2 * rho * epsilon
    if inside <= 0:
        return float("nan")
    ends = (3 * mu**2 + np.array([-1, 1]) * np.sqrt(inside)) / (4 * mu**2 * rho)
    eta = eta[(eta > ends[0]) & (eta < ends[1])]
    factor = 1 - 4 * eta**2 * mu**2 * (3 / 4 - eta * rho / 2) + 4 * eta * epsilon
    return float(factor.min()) if len(factor) else float("nan")


@pytest.mark.parametrize("epsilon", [0.0, 0.02, 0.08])
def test_every_value_is_the_best_that_a_search_finds(epsilon: float) -> None:
    mu, rho = 1.2, 2.5
    found = rate_dependence(mu, rho, epsilon, count=9, reach=2.0)
    assert found.here == pytest.approx(searched(mu, rho, epsilon), abs=1e-6)
    for place in (0, 3, 8):
        scale = float(found.scales[place])
        for ours, expected in (
            (found.over_mu[place], searched(mu * scale, rho, epsilon)),
            (found.over_rho[place], searched(mu, rho * scale, epsilon)),
            (
                found.over_epsilon[place],
                searched(mu, rho, float(found.shares[place]) * found.limit),
            ),
        ):
            assert float(ours) == pytest.approx(expected, abs=1e-6, nan_ok=True)


def test_from_the_limit_on_nothing_is_promised() -> None:
    found = rate_dependence(0.5, 3.0, 0.01, count=121)
    admitted = found.shares < 1
    assert bool((found.over_epsilon[admitted] < 1).all())
    assert bool(found.over_epsilon[found.shares >= 1].isnan().all())
    assert found.share == pytest.approx(0.01 / (9 * 0.25 / 96))


def test_without_negative_curvature_the_factor_is_known() -> None:
    found = rate_dependence(0.5, 2.0, 0.0, reach=3.0)
    assert found.here == pytest.approx(1 - (0.5 / 2.0) ** 2)
    np.testing.assert_allclose(1 - found.over_mu, (0.25 * found.scales) ** 2, rtol=1e-9)
    np.testing.assert_allclose(1 - found.over_rho, (0.25 / found.scales) ** 2, rtol=1e-9)


def test_no_error_bound_is_above_the_largest_curvature() -> None:
    found = rate_dependence(1.0, 2.0, 0.0)
    possible = found.scales <= 2.0
    assert bool(found.over_mu[~possible].isnan().all())
    assert bool((found.over_mu[possible] >= 0).all())


def test_what_has_no_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        rate_dependence(0.0, 1.0, 0.0)
