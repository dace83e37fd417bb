"""What one process gives its visitors, and the sentence where it ends: with clocks of our own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from pages.ui.live import limits
from pages.ui.live.compute_queue import FairLock
from pages.ui.live.limits import Limit, Sessions
from pages.ui.live.live_run import LiveRun, LiveRuns, RunRecords
from pages.ui.live.worker import Worker, computing


class Computing(Worker[int]):
    """Computes until it is stopped, and has computed for some seconds before."""

    frames = ()

    def __init__(self, seconds: float = 0.0) -> None:
        self.before = seconds
        super().__init__(1, line=FairLock())

    def _begin(self) -> None:
        self._count(self.before)

    @property
    def _done(self) -> bool:
        return False

    def _take(self, order: int) -> None:
        time.sleep(0.001)

    def view(self) -> Computing:
        return self


def until(wanted: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not wanted():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def quiet() -> None:
    """The limits count all workers of the process: those of earlier tests have ended."""
    until(lambda: computing() == 0)


@pytest.fixture
def runs() -> LiveRuns:
    return LiveRuns(RunRecords(0))


@pytest.fixture
def make(parts, settings, runs):
    made: list[LiveRun] = []

    def one(runner: Computing | None = None, owner: object = None, settings=settings) -> LiveRun:
        run = LiveRun(parts, settings, None, "same", owner=owner)
        run.runner = runner
        runs.add(run)
        made.append(run)
        return run

    yield one
    for run in made:
        run.close()


def notice(run: LiveRun) -> object:
    return run.status()["notice"]


@pytest.mark.parametrize(
    ("given", "bound"), [("", 7), ("0", 0), ("12", 12), ("many", 7), ("-1", 7)]
)
def test_a_bound_is_the_environments(monkeypatch, given: str, bound: int) -> None:
    monkeypatch.setenv("RED_SOMETHING", given)
    assert Limit("RED_SOMETHING", 7).value == bound


def test_a_run_more_than_the_server_takes_does_not_begin_until_another_has_ended(
    make, monkeypatch
) -> None:
    monkeypatch.setenv(limits.RUNS.variable, "2")
    others, run = [make(Computing()) for _ in range(2)], make()
    for order in ({"order": "begin"}, {"order": "step", "update": "both"}):
        run.order(order)
        assert (run.runner, run.epoch) == (None, 0)
        assert run.status()["state"] == "idle"
        assert notice(run) == (
            "This server computes 2 runs at once, and as many have begun. Press Run again in a "
            "minute."
        )
    others[0].runner.stop()
    until(lambda: computing() == 1)
    run.order({"order": "begin", "paused": True})
    assert run.runner is not None
    assert notice(run) == ""
    run.order({"order": "begin", "paused": True})
    assert (run.epoch, notice(run)) == (2, ""), "its own place is its own"


def test_a_server_may_play_recorded_runs_alone(make, monkeypatch) -> None:
    monkeypatch.setenv(limits.RUNS.variable, "0")
    run = make()
    run.order({"order": "begin"})
    assert notice(run) == "This server computes no runs. It plays the recorded ones."


def test_every_worker_counts_and_one_too_many_fails_with_the_sentence(make, monkeypatch) -> None:
    monkeypatch.setenv(limits.RUNS.variable, "1")
    make(Computing())
    other = Computing()
    until(lambda: not other.computes)
    assert (other.status()["state"], other.message) == ("failed", limits.too_many_runs())


TOO_LONG = "It was stopped after 1 minute of computing, the most that one run gets here."


def test_a_run_that_computes_for_too_long_is_stopped(make, monkeypatch) -> None:
    monkeypatch.setenv(limits.RUN_MINUTES.variable, "1")
    short, long = make(Computing(1)), make(Computing(60))
    until(lambda: long.status()["state"] == "stopped")
    assert notice(long) == long.runner.message == TOO_LONG
    assert short.status()["state"] == "running"
    assert notice(short) == ""


def test_a_run_stopped_for_its_length_has_a_verdict(make, monkeypatch) -> None:
    monkeypatch.setenv(limits.RUN_MINUTES.variable, "0")
    run = make()
    run.order({"order": "begin"})
    until(lambda: not run.computes)
    assert run.status()["state"] == "stopped"
    assert notice(run).startswith("It was stopped after 0 minutes")
    assert run.runner.view().verdict is not None
    assert run.runner.view().k < run.runner.view().total


def test_a_run_is_stopped_for_its_length_within_a_batch(make, parts, settings, monkeypatch) -> None:
    options = tuple({**dict(settings.solver), "steps": 5000, "start_steps": 0}.items())
    run = make(settings=replace(settings, solver=options))
    run.order({"order": "begin"})
    until(lambda: run.runner.view().k >= 2)
    monkeypatch.setenv(limits.RUN_MINUTES.variable, "0")
    until(lambda: not run.computes)
    assert run.status()["state"] == "stopped"


def test_a_stopped_run_says_so_until_it_is_begun_again(make, runs, monkeypatch) -> None:
    run = make()
    run.order({"order": "begin", "paused": True})
    run.end_for("Enough.")
    until = time.monotonic() + 60
    while run.status()["state"] != "stopped":
        assert time.monotonic() < until
    assert notice(run) == "Enough."
    after = make()
    assert after.take_over(run)
    assert notice(after) == "Enough.", "its reloaded tab says so too"
    after.order({"order": "begin", "paused": True})
    assert notice(after) == ""


def test_a_visitors_runs_share_a_bound_and_the_ended_ones_go_first(make, runs, monkeypatch) -> None:
    mine, yours = object(), object()
    ended, other = make(owner=mine), make(Computing(), owner=yours)
    watched, shown = make(Computing(), owner=mine), make(Computing(), owner=mine)
    watched.connected()
    each = ended.bytes
    monkeypatch.setattr(limits, "MB", each)  # a run a "MB"
    monkeypatch.setenv(limits.SESSION_MB.variable, "3")
    runs.sweep()
    assert runs.find(ended.key) is ended
    monkeypatch.setenv(limits.SESSION_MB.variable, "2")
    runs.sweep()
    assert runs.find(ended.key) is None
    assert [run.status()["state"] for run in (watched, shown, other)] == ["running"] * 3
    monkeypatch.setenv(limits.SESSION_MB.variable, "1")
    runs.sweep()
    assert [run.status()["state"] for run in (watched, shown, other)] == [
        "stopped",
        "stopped",
        "running",
    ]
    assert notice(watched) == (
        "It was stopped: the runs of this tab fill 1 MB, the most that one visitor gets here."
    )
    assert notice(other) == ""


def test_a_place_is_free_once_its_visitor_is_gone(monkeypatch) -> None:
    monkeypatch.setenv(limits.SESSIONS.variable, "2")
    there = {"a", "b", "c"}
    sessions = Sessions(there.__contains__)
    assert [sessions.admit(name) for name in "abc"] == [True, True, False]
    assert sessions.admit("a"), "who is inside stays inside"
    there.remove("b")
    assert sessions.admit("c")
    there.add("b")
    assert not sessions.admit("b")
