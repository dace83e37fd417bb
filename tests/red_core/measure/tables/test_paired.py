"""Tango's interval for the difference of two shares of the same items."""

import math
from itertools import product

import pytest

from red_core.measure.intervals import Z_95
from red_core.measure.tables.paired import difference, tango


@pytest.mark.parametrize(
    ("only_first", "only_second", "count", "low", "high"),
    [
        # Published examples (M. Fagerland et al., Statistical Analysis of Contingency Tables).
        (1, 7, 21, -0.5172, -0.0260),
        (6, 16, 161, -0.1240, -0.0054),
    ],
)
def test_published_examples(
    only_first: int, only_second: int, count: int, low: float, high: float
) -> None:
    value, *ends = tango(only_first, only_second, count)
    assert value == (only_first - only_second) / count
    assert ends == pytest.approx([low, high], abs=6e-5)


def test_without_discordant_pairs_it_does_not_collapse() -> None:
    half = Z_95**2 / (50 + Z_95**2)
    assert tango(0, 0, 50) == (0, pytest.approx(-half), pytest.approx(half))


@pytest.mark.parametrize(("b", "c"), [(9, 2), (10, 2), (3, 3), (0, 5), (30, 20)])
def test_it_holds_zero_where_mcnemar_does_not_reject(b: int, c: int) -> None:
    _, low, high = tango(b, c, 80)
    statistic = (b - c) / math.sqrt(b + c)
    assert (low <= 0 <= high) == (abs(statistic) <= Z_95)


def test_swapping_the_two_turns_the_sign() -> None:
    value, low, high = tango(7, 3, 40)
    assert tango(3, 7, 40) == pytest.approx((-value, -high, -low), abs=1e-12)


@pytest.mark.parametrize(("b", "c", "n"), [(5, 0, 5), (0, 5, 5), (1, 0, 1), (2, 3, 5), (0, 0, 1)])
def test_the_ends_stay_in_range(b: int, c: int, n: int) -> None:
    value, low, high = tango(b, c, n)
    assert -1 <= low <= value <= high <= 1
    assert low < high


@pytest.mark.parametrize(("only_first", "only_second"), [(0.1, 0.1), (0.25, 0.05), (0.02, 0.05)])
def test_it_covers_the_truth_about_as_often_as_promised(
    only_first: float, only_second: float
) -> None:
    """Exactly, over every outcome of 60 pairs."""
    n, covered = 60, 0.0
    both = 1 - only_first - only_second
    for b, c in product(range(n + 1), repeat=2):
        if b + c <= n:
            _, low, high = tango(b, c, n)
            if low <= only_first - only_second <= high:
                ways = math.comb(n, b) * math.comb(n - b, c)
                covered += ways * only_first**b * only_second**c * both ** (n - b - c)
    assert 0.93 <= covered <= 0.99


def test_item_by_item() -> None:
    first = [True, True, False, True]
    second = [True, False, False, False]
    found = difference(first, second)
    assert found["n"] == 4
    assert (found["value"], found["low"], found["high"]) == tango(2, 0, 4)


@pytest.mark.parametrize(("b", "c", "n"), [(0, 0, 0), (-1, 0, 5), (3, 3, 5)])
def test_counts_that_cannot_be(b: int, c: int, n: int) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        tango(b, c, n)


def test_different_items_are_refused() -> None:
    with pytest.raises(ValueError, match=r"zip\(\) argument 2 is longer"):
        difference([True], [True, False])
