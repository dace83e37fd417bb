from __future__ import annotations

import threading
import time

import pytest

from pages.ui.live.compute_queue import SLICE, FairLock, Interrupted, Turn


def turn(line: FairLock, over=lambda: False, places: list[int] | None = None) -> Turn:
    return Turn(line, (places if places is not None else []).append, over)


def test_it_holds_the_line_and_gives_it_back() -> None:
    line = FairLock()
    with turn(line) as mine:
        waiter = threading.Thread(target=lambda: line.turn().__enter__())
        waiter.start()
        while not line.others_wait:
            time.sleep(0.005)
        assert waiter.is_alive()
        assert mine.seconds > 0
    waiter.join(5)
    assert not waiter.is_alive()


def test_a_long_computation_lets_others_in_between() -> None:
    line, got, places = FairLock(), threading.Event(), []

    def other() -> None:
        with line.turn():
            got.set()
            time.sleep(0.1)

    with turn(line, places=places) as mine:
        waiter = threading.Thread(target=other)
        waiter.start()
        while not line.others_wait:
            time.sleep(0.005)
        mine.yield_turn()
        assert not got.is_set(), "its slice of time is not over"
        time.sleep(SLICE)
        before = mine.seconds
        mine.yield_turn()
        assert got.is_set()
        assert mine.seconds - before < 0.08, "waiting is not computing"
    waiter.join(5)


def test_one_that_is_over_ends_at_its_next_breath() -> None:
    line, over = FairLock(), threading.Event()
    with turn(line, over.is_set) as mine:
        mine.yield_turn()
        over.set()
        with pytest.raises(Interrupted):
            mine.yield_turn()
    with line.turn() as free:
        assert free


def test_one_that_is_over_never_begins() -> None:
    line = FairLock()
    with pytest.raises(Interrupted), turn(line, lambda: True):
        raise AssertionError
    with line.turn() as free:
        assert free
