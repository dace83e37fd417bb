"""Wilson's interval against its definition, its symmetry and its coverage."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from red_core.measure.intervals import Z_95, share, wilson

COUNTS = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS)
def test_its_ends_solve_the_equation_that_defines_it(counts: tuple[int, int]) -> None:
    successes, n = counts
    p = successes / n
    for end in wilson(successes, n):
        # |p - end| = z sqrt(end (1 - end) / n); at the ends 0 and 1 both sides are 0.
        assert abs(p - end) == pytest.approx(Z_95 * math.sqrt(end * (1 - end) / n), abs=1e-9)


@given(COUNTS)
def test_it_holds_the_share_and_is_symmetric(counts: tuple[int, int]) -> None:
    successes, n = counts
    low, high = wilson(successes, n)
    assert 0 <= low <= successes / n <= high <= 1
    assert low < high
    assert wilson(n - successes, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_a_known_value() -> None:
    # 8 of 10: Agresti and Coull (1998) give 0.490 to 0.943.
    assert wilson(8, 10) == pytest.approx((0.490, 0.943), abs=5e-4)


def test_it_covers_the_truth_about_as_often_as_it_says() -> None:
    n, p = 100, 0.9
    covered = sum(
        math.comb(n, k) * p**k * (1 - p) ** (n - k)
        for k in range(n + 1)
        if wilson(k, n)[0] <= p <= wilson(k, n)[1]
    )
    assert covered == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_what_is_no_share_is_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson(successes, n)


def test_a_share_is_stated_with_its_interval() -> None:
    assert share(3, 4) == {"value": 0.75, "low": wilson(3, 4)[0], "high": wilson(3, 4)[1]}
