from __future__ import annotations

import threading
import time

import pytest
import torch

from pages.ui.live.compute_queue import FairLock
from pages.ui.live.worker import Worker


class Counter(Worker[int]):
    """Counts up to `most` by its orders; `fault` is raised at the third step."""

    def __init__(self, most: int = 10, fault: BaseException | None = None, **kwargs) -> None:
        self.most, self.fault = most, fault
        self.values: list[int] = []
        super().__init__(1, **{"line": FairLock(), **kwargs})

    def _begin(self) -> None:
        self.values.append(0)

    @property
    def _done(self) -> bool:
        return self.values[-1] >= self.most

    def _take(self, order: int) -> None:
        if self.fault is not None and len(self.values) == 3:
            raise self.fault
        with self._changed:
            self.values.append(self.values[-1] + order)

    @property
    def state(self) -> str:
        return self._state

    @property
    def busy(self) -> bool:
        return self._busy

    @property
    def error(self) -> str:
        return self._error


@pytest.fixture
def count():
    counters = []

    def begin(**kwargs) -> Counter:
        counters.append(Counter(**kwargs))
        return counters[-1]

    yield begin
    for counter in counters:
        counter.close()
        counter._thread.join(5)
        assert not counter._thread.is_alive()


def settled(counter: Counter) -> Counter:
    until = time.monotonic() + 20
    while counter.busy:
        assert time.monotonic() < until, counter.values
        time.sleep(0.005)
    return counter


def test_it_works_to_its_end(count):
    counter = settled(count())
    assert (counter.state, counter.values) == ("finished", list(range(11)))


def test_a_paused_one_takes_only_the_steps_asked_for(count):
    counter = settled(count(paused=True))
    assert counter.values == [0]
    counter.step(4, wait=30)
    counter.step(3, wait=30)
    assert (counter.state, counter.values) == ("paused", [0, 4, 7])
    counter.resume()
    assert settled(counter).values == [0, 4, 7, 8, 9, 10]


def test_a_step_of_one_that_runs_changes_nothing(count):
    counter = count(speed=100.0)
    counter.step(50)
    assert settled(counter).values == list(range(11))


def test_stop_keeps_what_there_is(count):
    counter = count(most=10**9)
    while len(counter.values) < 3:
        time.sleep(0.002)
    counter.stop()
    assert settled(counter).state == "stopped"
    assert 3 <= len(counter.values) < 10**9


def test_speed_is_a_limit_that_may_change_meanwhile(count):
    counter = count(most=40, speed=2.0)
    time.sleep(0.3)
    assert len(counter.values) <= 3
    counter.set_speed(None)
    began = time.monotonic()
    assert settled(counter).state == "finished"
    assert time.monotonic() - began < 0.5 * 37 / 2.0  # half of what the old speed takes


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (FloatingPointError("too large"), "too large"),
        (torch.OutOfMemoryError(), "The memory ran out. Choose smaller numbers."),
        (RuntimeError("secret path"), "The run failed; the terminal that runs the app shows why."),
    ],
)
def test_a_fault_ends_it_in_words(count, fault, message):
    counter = settled(count(fault=fault))
    assert (counter.state, counter.error, counter.values) == ("failed", message, [0, 1, 2])


def test_one_that_waits_in_line_can_be_stopped(count):
    line = FairLock()
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        with line.turn():
            held.set()
            go.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(5)
    counter = count(line=line)
    counter.stop()
    assert settled(counter).state == "stopped"
    assert counter.values == []
    go.set()
    holder.join()
