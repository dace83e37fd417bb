"""The interval of a mean over attacks that share their images."""

import random

import pytest

from red_core.measure.intervals import wilson
from red_core.measure.tables.means import mean_share


def test_attacks_that_agree_on_every_image_count_once() -> None:
    row = [True] * 30 + [False] * 20
    found = mean_share([row, row, row])
    # Between images the variance has n - 1 below it, so n_eff = n - 1, held at n.
    assert found["value"] == pytest.approx(0.6)
    assert (found["low"], found["high"]) == pytest.approx(wilson(30, 50))


def test_independent_attacks_count_nearly_in_full() -> None:
    draw = random.Random(1)
    rows = [[draw.random() < 0.7 for _ in range(4000)] for _ in range(3)]
    found = mean_share(rows)
    low, high = wilson(sum(map(sum, rows)), 12000)
    assert found["high"] - found["low"] == pytest.approx(high - low, rel=0.05)


def test_never_more_certain_than_all_answers_apart() -> None:
    """Attacks that exclude each other have no variance between images at all."""
    rows = [[i % 3 == j for i in range(60)] for j in range(3)]
    found = mean_share(rows)
    assert (found["low"], found["high"]) == pytest.approx(wilson(60, 180))


@pytest.mark.parametrize("answer", [True, False])
def test_all_alike_does_not_collapse(answer: bool) -> None:
    found = mean_share([[answer] * 40] * 3)
    assert found["value"] == answer
    assert (found["low"], found["high"]) == pytest.approx(wilson(40 * answer, 40))


def test_it_covers_a_mean_of_dependent_attacks() -> None:
    """An image is easy or hard for all attacks: 95% of the intervals hold the truth."""
    draw, held, rounds = random.Random(2), 0, 400
    for _ in range(rounds):
        ease = [0.95 if draw.random() < 0.5 else 0.35 for _ in range(120)]
        found = mean_share([[draw.random() < part for part in ease] for _ in range(3)])
        held += found["low"] <= 0.65 <= found["high"]
    assert 0.92 <= held / rounds <= 0.98


def test_rows_of_different_lengths_are_refused() -> None:
    for rows in ([], [[]], [[True], [True, False]]):
        with pytest.raises(ValueError, match="same images"):
            mean_share(rows)
