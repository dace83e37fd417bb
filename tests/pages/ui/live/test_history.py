from __future__ import annotations

import itertools

import pytest
import torch

from pages.ui.live import history
from pages.ui.live.history import History, grid_ks, nearest
from red_core.algorithm.observe import Iterate


def iterate(k: int) -> Iterate:
    one = torch.full((1,), float(k))
    return Iterate(k, "joint", *([one] * 11))


def test_every_iterate_is_kept_until_there_are_too_many(monkeypatch):
    monkeypatch.setattr(history, "MAX_FRAMES", 10)
    kept = History()
    for k in range(101):
        kept.add(iterate(k))
        ks = [frame.k for frame in kept.frames]
        assert ks[0] == 0
        assert ks[-1] == k
        assert len(ks) <= 11
        if k < 10:
            assert ks == list(range(k + 1))
    steps = {b - a for a, b in itertools.pairwise(ks)}
    assert len(steps) <= 2  # even, but for the last


def test_an_item_of_a_batch_does_not_keep_the_batch_in_memory():
    batch = torch.arange(30.0)
    kept = History()
    kept.add(Iterate(0, "joint", *([batch[7:8]] * 11)))
    frame = kept.frames[0]
    tensors = [value for value in vars(frame).values() if torch.is_tensor(value)]
    assert [value.item() for value in tensors] == [7.0] * 11
    assert {value.untyped_storage().nbytes() for value in tensors} == {4}


@pytest.mark.parametrize(
    ("k", "expected"), [(-3, 0), (0, 0), (4, 0), (5, 0), (6, 1), (10, 1), (99, 3)]
)
def test_nearest(k, expected):
    assert nearest([0, 10, 20, 30], k) == expected


def test_the_grid_spans_the_run_evenly():
    ks = grid_ks(600)
    assert len(ks) == 25
    assert (ks[0], ks[-1]) == (0, 600)
    assert set(grid_ks(10)) == set(range(11))
    assert grid_ks(0) == [0]
