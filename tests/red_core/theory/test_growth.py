"""The power law of Figures 1 and 3: recovered where there is one, and NumPy's fit elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from red_core.theory.growth import power_law


def test_an_exact_power_law_is_recovered() -> None:
    sizes = [20, 50, 100, 400]
    law = power_law(sizes, [0.3 * size**0.72 for size in sizes])
    assert law is not None
    assert law.exponent == pytest.approx(0.72, rel=1e-12)
    assert law.factor == pytest.approx(0.3, rel=1e-12)
    assert law(100) == pytest.approx(0.3 * 100**0.72, rel=1e-12)


def test_it_is_the_line_of_least_squares_in_logarithms() -> None:
    generator = np.random.default_rng(3)
    sizes = [10.0, 20.0, 60.0, 200.0, 500.0]
    values = (0.1 * np.array(sizes) ** 0.9 * generator.lognormal(0, 0.3, 5)).tolist()
    slope, height = np.polyfit(np.log(sizes), np.log(values), 1)
    law = power_law(sizes, values)
    assert law is not None
    assert law.exponent == pytest.approx(slope, rel=1e-9)
    assert law.factor == pytest.approx(np.exp(height), rel=1e-9)


def test_without_two_sizes_or_with_values_that_have_no_logarithm_there_is_none() -> None:
    assert power_law([100, 100], [1.0, 2.0]) is None
    assert power_law([], []) is None
    assert power_law([10, 20], [0.0, 1.0]) is None
    assert power_law([10, 20], [float("nan"), 1.0]) is None
    with pytest.raises(ValueError, match="2 sizes"):
        power_law([10, 20], [1.0])
