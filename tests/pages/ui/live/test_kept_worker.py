"""A session keeps one worker of a kind: that on the work which is asked for."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from pages.ui.live.kept_worker import KeptWorker


class Counted:
    open = 0

    def __init__(self) -> None:
        assert Counted.open == 0, "the one before ends first"
        Counted.open += 1

    def close(self) -> None:
        Counted.open -= 1


def test_there_is_one_worker_and_it_ends_with_its_work() -> None:
    kept = KeptWorker()
    assert kept.on("first") is None
    first = kept.begin("first", Counted)
    assert kept.on("first") is first
    assert kept.present is first
    again = kept.begin("first", Counted)
    assert kept.on("first") is again is not first
    assert kept.on("second") is None
    assert kept.present is None
    assert Counted.open == 0
    kept.begin("second", Counted)
    kept.end()
    kept.end()
    assert kept.present is None
    assert Counted.open == 0


@pytest.mark.parametrize(("own", "taken"), [(None, True), ("the same", True), ("another", False)])
def test_a_worker_is_taken_over_unless_there_is_another_work(own, taken) -> None:
    before, after = KeptWorker(), KeptWorker()
    worker = before.begin("the same", Mock)
    mine = None if own is None else after.begin(own, Mock)
    assert after.take_over(before) is taken
    assert after.present is (worker if taken else mine)
    assert before.present is (None if taken else worker)
    assert not worker.close.called
    if taken and mine is not None:
        mine.close.assert_called_once()
    assert not KeptWorker().take_over(KeptWorker()), "nothing is left to take"
