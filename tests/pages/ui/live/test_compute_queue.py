from __future__ import annotations

import threading
import time

from pages.ui.live.compute_queue import MOST_OVERTAKEN, SLICE, DrawPriority, FairLock


def test_the_line_is_first_come_first_served():
    line, order, places = FairLock(), [], []
    threads = []
    with line.turn():
        for name in range(4):
            ready = threading.Event()

            def wait(name=name, ready=ready):
                def told(place):
                    places.append((name, place))
                    ready.set()

                with line.turn(told):
                    order.append(name)

            threads.append(threading.Thread(target=wait))
            threads[-1].start()
            assert ready.wait(5)
        assert line.others_wait
    for thread in threads:
        thread.join(5)
    assert order == [0, 1, 2, 3]
    assert (3, 4) in places
    assert (3, 0) in places
    assert not line.others_wait


def test_an_error_in_the_body_gives_the_turn_back():
    line = FairLock()
    try:
        with line.turn():
            raise KeyError
    except KeyError:
        pass
    with line.turn() as mine:
        assert mine


def test_an_error_while_waiting_leaves_the_line():
    line = FairLock()

    def broken(_place):
        raise KeyError

    failed = threading.Event()

    def wait():
        try:
            with line.turn(broken):
                raise AssertionError("must not come so far")
        except KeyError:
            failed.set()

    with line.turn():
        thread = threading.Thread(target=wait)
        thread.start()
        assert failed.wait(5)
        thread.join(5)
        assert not line.others_wait


def test_giving_up_is_told_to_the_body():
    line = FairLock()
    with line.turn(), line.turn(give_up=lambda: True) as mine:
        assert not mine


def test_a_step_waits_for_a_page_that_draws_but_not_for_ever():
    courtesy, done = DrawPriority(), threading.Event()

    def step():
        courtesy.let_draw(60)
        done.set()

    with courtesy.drawing():
        thread = threading.Thread(target=step)
        thread.start()
        assert not done.wait(0.1)
        began = time.monotonic()
        courtesy.let_draw(0.05)
        assert 0.04 < time.monotonic() - began < 30
    assert done.wait(5)
    thread.join(5)


def test_as_many_at_once_as_there_are_places():
    line, at_once, most, places = FairLock(2), [], [], []
    go = threading.Event()

    def work() -> None:
        with line.turn(places.append):
            at_once.append(1)
            most.append(len(at_once))
            go.wait(10)
            at_once.pop()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    while len(most) < 2 or 3 not in places:
        time.sleep(0.002)
    assert line.others_wait
    go.set()
    for thread in threads:
        thread.join(10)
    assert max(most) == 2
    assert line.alone


def queued(line: FairLock, order: list[str], name: str, **kwargs) -> threading.Thread:
    """A thread that has queued, and notes its name when its turn comes."""

    def work() -> None:
        with line.turn(**kwargs):
            order.append(name)

    before = len(line._waiting)
    thread = threading.Thread(target=work)
    thread.start()
    while len(line._waiting) == before:
        time.sleep(0.001)
    return thread


def test_a_first_picture_comes_before_what_goes_on():
    line, order = FairLock(), []
    with line.turn():
        threads = [
            queued(line, order, "run"),
            queued(line, order, "first", first_picture=True),
            queued(line, order, "second", first_picture=True),
            queued(line, order, "other run"),
        ]
    for thread in threads:
        thread.join(10)
    assert order == ["first", "second", "run", "other run"]


def test_nobody_is_overtaken_for_ever():
    line, order = FairLock(), []
    with line.turn():
        threads = [queued(line, order, "run")]
        threads += [
            queued(line, order, str(place), first_picture=True)
            for place in range(MOST_OVERTAKEN + 3)
        ]
    for thread in threads:
        thread.join(10)
    assert order.index("run") == MOST_OVERTAKEN


def test_a_turn_is_over_at_once_for_a_first_picture_and_after_a_slice_for_others():
    line, order = FairLock(), []
    with line.turn():
        now = time.perf_counter()
        assert not line.is_over(now - 2 * SLICE), "nobody waits"
        threads = [queued(line, order, "run")]
        assert not line.is_over(time.perf_counter())
        assert line.is_over(time.perf_counter() - 2 * SLICE)
        assert line.is_over(time.perf_counter(), 0)
        threads.append(queued(line, order, "first", first_picture=True))
        assert line.is_over(time.perf_counter())
    for thread in threads:
        thread.join(10)
