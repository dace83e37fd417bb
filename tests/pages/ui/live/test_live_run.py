"""Whose run it is, how long it is kept, and what a browser may ask of it."""

from __future__ import annotations

import gc
import time
import weakref
from dataclasses import replace

import pytest

from pages.ui.live.live_run import LiveRun, LiveRuns, RunRecords
from pages.ui.live.watched import CLOSED, DROPPED, RELOADED, give_back_memory


@pytest.fixture
def make(parts, settings, clock):
    made: list[LiveRun] = []

    def one(identity: object = "same") -> LiveRun:
        made.append(LiveRun(parts, settings, None, identity, clock))
        return made[-1]

    yield one
    for run in made:
        run.close()


def until(what, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def ended(run: LiveRun) -> bool:
    return run.status()["state"] == "finished" and not run.status()["busy"]


def test_a_prepared_run_shows_its_image_and_computes_nothing(make) -> None:
    run = make()
    assert run.status()["state"] == "idle"
    assert len(run.items) == 1
    assert run.epoch == 0


def test_orders_begin_pause_step_and_stop_it(make) -> None:
    run = make()
    run.order({"order": "step", "update": "both"})
    until(lambda: len(run.items) >= 8 and not run.status()["busy"])
    assert run.status()["state"] == "paused"
    run.order({"order": "step", "update": "z"})
    run.order({"order": "resume"})
    run.order({"order": "speed", "speed": 1000})
    until(lambda: ended(run))
    count = len(run.items)
    run.order({"order": "begin", "paused": True})
    assert run.epoch == 2
    assert len(run.items) < count, "begun again, it has new items"
    run.order({"order": "stop"})
    until(lambda: run.status()["state"] == "stopped")


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"order": "explode"},
        {"order": "_lock"},
        {"order": "close"},
        {"order": "step", "update": "everything"},
        {"order": "begin", "speed": -1},
        {"order": "speed", "speed": "fast"},
        {"order": "speed", "speed": float("nan")},
    ],
)
def test_other_orders_are_refused(make, order) -> None:
    with pytest.raises(ValueError, match=r"order|speed|step"):
        make().order(order)


def test_keys_are_long_and_never_the_same(make) -> None:
    keys = {make().key for _ in range(20)}
    assert len(keys) == 20
    assert all(len(key) >= 32 for key in keys)


def test_a_reloaded_tab_takes_its_run_over_and_nobody_elses(make) -> None:
    before, after, other = make(), make(), make("another image")
    before.begin(paused=True)
    before.connected()
    assert not after.take_over(before), "its tab is still there"
    before.disconnected(closed=True)
    assert not other.take_over(before), "another image is another run"
    assert after.take_over(before)
    assert after.runner is not None
    assert (after.epoch, before.runner) == (1, None)
    assert not make().take_over(before), "nothing is left to take"


@pytest.mark.parametrize(("closed", "kept"), [(True, CLOSED), (False, DROPPED)])
def test_a_closed_tab_is_given_a_minute_and_a_drop_ten(make, clock, closed, kept) -> None:
    runs, run = LiveRuns(RunRecords(0)), make()
    runs.add(run)
    run.begin(paused=True)
    run.connected()
    clock.now = 10_000
    runs.sweep()
    assert runs.find(run.key) is run, "watched"
    run.disconnected(closed)
    clock.now += kept - 1
    runs.sweep()
    assert runs.find(run.key) is run
    clock.now += 2
    runner = run.runner
    runs.sweep()
    assert runs.find(run.key) is None
    until(lambda: not runner._thread.is_alive())


def test_unwatched_runs_are_bounded_in_bytes(make, monkeypatch) -> None:
    runs = LiveRuns(RunRecords(0))
    every = [make() for _ in range(4)]
    for run in every:
        runs.add(run)
    size = every[0].bytes
    monkeypatch.setattr("pages.ui.live.watched.MOST_BYTES", 2.5 * size)
    every[0].connected()
    runs.sweep()
    assert [runs.find(run.key) is run for run in every] == [True, False, True, True]


def test_what_is_removed_holds_nothing_more_although_its_session_lives_on(make) -> None:
    runs, run = LiveRuns(RunRecords(0)), make()
    runs.add(run)
    run.begin()
    until(lambda: ended(run))
    iterate, runner = weakref.ref(run.runner.view().frames[0]), run.runner
    assert run.bytes > len(runner.view().frames) * runner.view().frames[0].image.nbytes
    runner._thread.join(60)
    del runner
    runs.remove(run)
    gc.collect()
    assert iterate() is None
    assert len(run.items) == 1
    assert run.status()["state"] == "idle"


def test_memory_is_given_back_after_runs_have_ended(make, monkeypatch) -> None:
    runs, run, given = LiveRuns(RunRecords(0)), make(), []
    monkeypatch.setattr("pages.ui.live.live_run.give_back_memory", lambda: given.append(1))
    runs.add(run)
    runs.sweep()
    assert given == []
    runs.remove(run)
    for _ in range(2):
        runs.sweep()
    assert given == [1]


@pytest.mark.parametrize("library", [object(), OSError("none")])
def test_another_c_library_keeps_its_memory(monkeypatch, library) -> None:
    def load(name: None) -> object:
        if isinstance(library, OSError):
            raise library
        return library

    monkeypatch.setattr("ctypes.CDLL", load)
    give_back_memory()


def test_runs_of_closed_tabs_make_way_first_once_a_reload_would_be_over(
    make, clock, monkeypatch
) -> None:
    runs = LiveRuns(RunRecords(0))
    every = [make() for _ in range(4)]
    for run in every:
        runs.add(run)
        run.connected()
    for run, closed in zip(every, (False, True, True, True), strict=True):
        run.disconnected(closed)
    monkeypatch.setattr("pages.ui.live.watched.CLOSED_BYTES", 1.5 * every[0].bytes)

    def kept() -> list[bool]:
        runs.sweep()
        return [runs.find(run.key) is run for run in every]

    clock.now = RELOADED - 1
    assert kept() == [True, True, True, True]
    every[2].connected()  # it was a reload
    every[2].disconnected(closed=False)
    clock.now = RELOADED + 1
    assert kept() == [True, False, True, True]
    monkeypatch.setattr("pages.ui.live.watched.CLOSED_BYTES", 0.5 * every[0].bytes)
    assert kept() == [True, False, True, False]


def test_only_the_key_finds_a_run(make) -> None:
    runs, run = LiveRuns(RunRecords(0)), make()
    runs.add(run)
    for key in (None, "", run.key[:-1], 3, [run.key]):
        assert runs.find(key) is None


def test_a_run_that_ended_by_itself_leaves_its_record_to_others(make) -> None:
    runs = LiveRuns(RunRecords(2**20))
    run, other = make("one"), make("other")
    runs.add(run)
    assert runs.record_of("one") is None, "it has not begun"
    run.begin()
    until(lambda: ended(run))
    digest = runs.record_of("one")
    assert digest is not None
    assert runs.records.read(digest) == run.file()
    assert runs.record_of("other") is None
    runs.remove(run)
    assert runs.record_of("one") == digest, "it outlives the run"
    runs.add(other)
    other.begin(paused=True)
    other.order({"order": "stop"})
    until(lambda: other.status()["state"] == "stopped" and not other.status()["busy"])
    assert runs.record_of("other") is None, "a run that was cut short says nothing of its settings"


def test_a_run_that_somebody_steered_by_hand_is_no_record(make) -> None:
    runs, run = LiveRuns(RunRecords(2**20)), make()
    runs.add(run)
    run.begin(paused=True)
    run.order({"order": "step", "update": "z"})
    run.order({"order": "resume"})
    until(lambda: ended(run))
    assert runs.record_of("same") is None


def test_an_own_image_is_nobody_elses(parts, settings) -> None:
    own = replace(settings, source="own", label=3)
    run = LiveRun(parts, own, parts.bundle.examples.images[0], "own")
    records = RunRecords(2**20)
    try:
        run.begin()
        until(lambda: ended(run))
        records.keep(run)
        assert records.find("own") is None
    finally:
        run.close()


def test_records_are_bounded_and_the_unused_ones_go_first(make) -> None:
    first, *others = [make(name) for name in "abc"]
    records = RunRecords(10**9)
    for run in (first, *others):
        run.begin()
        until(lambda run=run: ended(run))
        records.keep(run)
    sizes = [len(records.read(records.find(name))) for name in "abc"]
    smaller = RunRecords(sum(sizes) - 1)
    for run in (first, others[0]):
        smaller.keep(run)
    assert smaller.find("a") is not None  # used: "b" is the oldest now
    smaller.keep(others[1])
    assert [smaller.find(name) is None for name in "abc"] == [False, True, False]
    none = RunRecords(0)
    none.keep(first)
    assert none.find("a") is None
