from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from pages.ui.live.batches import Batches
from pages.ui.live.compute_queue import FairLock


class Counting:
    """A member that wants to be counted up to `most`."""

    def __init__(self, most: int) -> None:
        self.most, self.count, self.released = most, 0, 0
        self.fault: BaseException | None = None


class Counts:
    """Counts its members; `sizes` are those of its stretches, all of `wrong` fail together."""

    most = 16

    def __init__(self, sizes: list[int], before: Callable[[], None] = lambda: None) -> None:
        self.sizes, self.before = sizes, before
        self.wrong: BaseException | None = None

    def has_work(self, member: Counting) -> bool:
        return member.count < member.most

    def compute(self, members: Sequence[Counting]) -> list[BaseException | None]:
        self.before()
        if self.wrong is not None:
            raise self.wrong
        self.sizes.append(len(members))
        for member in members:
            member.count += 1
        return [member.fault for member in members]

    def release(self, member: Counting) -> None:
        member.released += 1


def started(batches: Batches, members: Sequence[Counting], make, key: str = "one"):
    """Threads that have joined, and where each one's fault will be."""
    faults: dict[Counting, BaseException] = {}

    def join(member: Counting) -> None:
        try:
            batches.join(member, key, make)
        except BaseException as error:
            faults[member] = error

    threads = [threading.Thread(target=join, args=(each,), daemon=True) for each in members]
    for thread in threads:
        thread.start()
    return threads, faults


def joined(batches: Batches, count: int, key: str = "one") -> None:
    """Wait until so many have joined."""
    until = time.monotonic() + 20
    while sum(len(group.tickets) for group in batches._groups.get(key, [])) < count:
        assert time.monotonic() < until
        time.sleep(0.002)


def ended(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_those_who_wait_for_one_key_are_computed_together():
    line, sizes = FairLock(), []
    batches = Batches(line)
    members = [Counting(3) for _ in range(5)]
    with line.turn():
        threads, faults = started(batches, members, lambda: Counts(sizes))
        joined(batches, 5)
    ended(threads)
    assert sizes == [5, 5, 5]
    assert [member.count for member in members] == [3] * 5
    assert [member.released for member in members] == [1] * 5
    assert not faults
    assert not batches._groups


def test_another_key_is_another_batch():
    line, first, second = FairLock(), [], []
    batches = Batches(line)
    with line.turn():
        threads, _ = started(batches, [Counting(2), Counting(2)], lambda: Counts(first), "a")
        others, _ = started(batches, [Counting(3)], lambda: Counts(second), "b")
        joined(batches, 2, "a")
        joined(batches, 1, "b")
    ended([*threads, *others])
    assert (first, second) == ([2, 2], [1, 1, 1])


def test_who_has_enough_leaves_and_the_leader_hands_over():
    line, sizes = FairLock(), []
    batches = Batches(line)
    members = [Counting(most) for most in (1, 4, 2)]
    with line.turn():
        threads = []
        for count, member in enumerate(members, start=1):  # the first leads
            threads += started(batches, [member], lambda: Counts(sizes))[0]
            joined(batches, count)
    ended(threads)
    assert sizes == [3, 2, 1, 1]
    assert [member.count for member in members] == [1, 4, 2]


def test_newcomers_are_taken_in_between_two_stretches():
    sizes, late = [], Counting(2)
    batches = Batches(FairLock())
    threads: list[threading.Thread] = []

    def arrive() -> None:
        if len(sizes) == 1:
            threads.extend(started(batches, [late], lambda: Counts(sizes))[0])
            joined(batches, 2)

    threads += started(batches, [Counting(5)], lambda: Counts(sizes, arrive))[0]
    until = time.monotonic() + 20
    while len(threads) < 2:
        assert time.monotonic() < until
        time.sleep(0.002)
    ended(threads)
    assert sizes == [1, 1, 2, 2, 1]


def test_who_fails_fails_alone():
    line, sizes = FairLock(), []
    batches = Batches(line)
    members = [Counting(2) for _ in range(3)]
    members[1].fault = FloatingPointError("too large")
    with line.turn():
        threads, faults = started(batches, members, lambda: Counts(sizes))
        joined(batches, 3)
    ended(threads)
    assert faults == {members[1]: members[1].fault}
    assert sizes == [3, 2]


def test_a_batch_that_fails_as_a_whole_fails_for_all():
    line = FairLock()
    batches = Batches(line)
    members = [Counting(2) for _ in range(3)]

    def make() -> Counts:
        made = Counts([])
        made.wrong = MemoryError()
        return made

    with line.turn():
        threads, faults = started(batches, members, make)
        joined(batches, 3)
    ended(threads)
    assert faults.keys() == set(members)
    assert not batches._groups
    assert line.alone


@pytest.mark.parametrize("places", [1, 2])
def test_more_than_the_most_are_two_batches(places):
    line, sizes = FairLock(places), []
    batches = Batches(line)
    members = [Counting(4) for _ in range(Counts.most + 5)]
    with contextlib.ExitStack() as held:
        for _ in range(places):
            held.enter_context(line.turn())
        threads, _ = started(batches, members, lambda: Counts(sizes))
        joined(batches, len(members))
    ended(threads)
    assert sorted(sizes) == [5] * 4 + [Counts.most] * 4
    assert all(member.count == 4 for member in members)
    assert not batches._groups


def test_who_wants_no_more_need_not_wait_for_the_turn():
    line = FairLock()
    batches = Batches(line)
    members = [Counting(2), Counting(2)]
    with line.turn():
        threads, _ = started(batches, members, lambda: Counts([]))
        joined(batches, 2)
        for member in members:
            member.most = 0
        ended(threads)
    assert [member.count for member in members] == [0, 0]


def test_a_long_batch_lets_others_have_their_turn():
    line = FairLock()
    batches = Batches(line)
    endless = Counting(10**9)
    threads, _ = started(batches, [endless], lambda: Counts([], lambda: time.sleep(0.01)))
    joined(batches, 1)
    for _ in range(3):
        with line.turn() as mine:
            assert mine
            before = endless.count
            time.sleep(0.05)
            assert endless.count <= before + 1  # the stretch that it was in
    endless.most = 0
    ended(threads)


@pytest.mark.parametrize("places", [1, 2])
def test_as_many_batches_compute_at_once_as_the_line_has_places(places):
    line = FairLock(places)
    batches, at_once, most = Batches(line), [], []

    def before() -> None:
        at_once.append(1)
        most.append(len(at_once))
        time.sleep(0.02)
        at_once.pop()

    threads = [
        thread
        for key in "abc"
        for thread in started(batches, [Counting(5)], lambda: Counts([], before), key)[0]
    ]
    ended(threads)
    assert max(most) == places
