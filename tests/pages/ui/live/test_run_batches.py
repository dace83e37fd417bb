"""Runs that are computed together end as each alone: iterates, records and verdicts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch

from pages.ui.live import run_batches
from pages.ui.live.batches import Batches
from pages.ui.live.compute_queue import FairLock
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.live.run_view import RunView
from pages.ui.live.runner import Runner
from red_core.algorithm.presets import presets_of
from red_core.recording.record_file import RecordedRun, read_run
from red_core.recording.run_recorder import RunRecorder
from red_core.run.settings import RunSettings
from tests.pages.conftest import wait_until

STEPS = {"start_steps": 4, "steps": 6}


class Class:
    """Runs of one line: `begin` one, `together` many."""

    def __init__(self, parts: LoadedModels) -> None:
        self.parts = parts
        self.line = FairLock()
        self.batches = Batches(self.line)
        self.runs: list[Runner] = []

    def begin(self, settings: RunSettings, **kwargs) -> Runner:
        recorder = RunRecorder(self.parts.bundle, settings)
        self.runs.append(
            Runner(
                self.parts, settings, None, recorder=recorder, line=self.line,
                batches=self.batches, **kwargs,
            )
        )  # fmt: skip
        return self.runs[-1]

    def paused(self, every: Sequence[RunSettings]) -> list[Runner]:
        """Begun, at iterate 0."""
        runs = [self.begin(settings, paused=True) for settings in every]
        for run in runs:
            wait_until(run, lambda view: not view.busy)
        return runs

    def resume(self, runs: Sequence[Runner]) -> None:
        """Let paused ones go on, all from the same moment."""
        with self.line.turn():
            for run in runs:
                run.resume()
            until = time.monotonic() + 60
            while sum(len(one.tickets) for some in self._groups() for one in some) < len(runs):
                assert time.monotonic() < until
                time.sleep(0.002)

    def _groups(self) -> list:
        return list(self.batches._groups.values())


@pytest.fixture
def room(parts):
    made = Class(parts)
    yield made
    for run in made.runs:
        run.close()


@pytest.fixture
def sizes(monkeypatch) -> list[int]:
    """How many items each step of a batch moved."""
    found: list[int] = []

    def counted(problem, state, options):
        found.append(len(state))
        return step(problem, state, options)

    step = run_batches.step
    monkeypatch.setattr(run_batches, "step", counted)
    return found


def of_preset(preset: str, dataset: str = "mnist", **changes) -> RunSettings:
    options = {**STEPS, **changes}
    return RunSettings(
        dataset, attack="linf", attack_steps=3, preset=preset, solver=tuple(options.items())
    )


def alone(parts: LoadedModels, settings: RunSettings) -> tuple[RunView, RecordedRun]:
    recorder = RunRecorder(parts.bundle, settings)
    run = Runner(parts, settings, None, recorder=recorder, line=FairLock())
    view = wait_until(run, lambda view: not view.busy)
    run.close()
    return view, read_run(recorder.file())


def ended(run: Runner) -> tuple[RunView, RecordedRun]:
    assert run.recorder is not None
    view = wait_until(run, lambda view: not view.busy)
    assert view.state == "finished", view.error
    return view, read_run(run.recorder.file())


def assert_same(found: tuple[RunView, RecordedRun], expected: tuple[RunView, RecordedRun]) -> None:
    """The same iterates, records, verdict and theory, but for rounding and the clock."""
    (view, record), (other, other_record) = found, expected
    assert [frame.k for frame in view.frames] == [frame.k for frame in other.frames]
    assert [frame.phase for frame in view.frames] == [frame.phase for frame in other.frames]
    for frame, same in zip(view.frames, other.frames, strict=True):
        torch.testing.assert_close(frame.z, same.z, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(frame.c_a, same.c_a, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(frame.loss, same.loss, rtol=1e-3, atol=1e-5)
    assert len(record.records) == len(other_record.records)
    for name in ("k", "phase"):
        assert (record.records[name] == other_record.records[name]).all()
    assert [event["event"] for event in record.events] == [
        event["event"] for event in other_record.events
    ]
    assert view.verdict is not None
    assert other.verdict is not None
    torch.testing.assert_close(
        view.verdict.signal_probabilities, other.verdict.signal_probabilities, rtol=0, atol=1e-3
    )
    torch.testing.assert_close(
        view.verdict.block_residuals, other.verdict.block_residuals, rtol=1e-3, atol=1e-4
    )
    assert (view.theory is None) == (other.theory is None)


def check_together(room: Class, every: Sequence[RunSettings]) -> None:
    """Runs that go on from the same moment end as each alone."""
    runs = room.paused(every)
    room.resume(runs)
    found = [ended(run) for run in runs]
    for settings, one in zip(every, found, strict=True):
        assert_same(one, alone(room.parts, settings))


@pytest.mark.parametrize("preset", presets_of("mnist"))
def test_runs_of_a_preset_together_are_those_alone(preset, room, sizes) -> None:
    every = [replace(of_preset(preset), index=index) for index in range(3)]
    check_together(room, every)
    assert max(sizes) == 3


@pytest.mark.parametrize("preset", presets_of("cifar10"))
def test_runs_in_colour_together_are_those_alone(preset, colour, sizes) -> None:
    options = replace(presets_of("cifar10")[preset], **STEPS)
    changes = {} if colour.bundle.encoder or not options.encoder_start else {"encoder_start": False}
    every = [replace(of_preset(preset, "cifar10", **changes), index=index) for index in range(2)]
    check_together(Class(colour), every)
    assert max(sizes) == 2


def test_runs_that_began_at_different_times_share_a_batch(room, parts, sizes) -> None:
    """One in the alternation, one about to enter it, one in the middle of the start phase."""
    every = [replace(of_preset("best", halve_at=(2, 4)), index=index) for index in range(3)]
    runs = room.paused(every)
    for run, steps in zip(runs, (6, 3, 1), strict=True):
        for _ in range(steps):
            run.step("both", wait=30)
    room.resume(runs)
    found = [ended(run) for run in runs]
    for settings, one in zip(every, found, strict=True):
        assert_same(one, alone(parts, settings))


def test_few_enter_the_alternation_at_a_time(room, parts, sizes, monkeypatch) -> None:
    """Each looks ahead for its plane then, which must not keep others from their turns."""
    entering: list[int] = []
    before = run_batches.record_iterates

    def noted(recorders, problem, iterates, *rest):
        entering.append(
            sum(
                one.plane is None and it.phase == "joint"
                for one, it in zip(recorders, iterates, strict=True)
            )
        )
        before(recorders, problem, iterates, *rest)

    monkeypatch.setattr(run_batches, "record_iterates", noted)
    every = [replace(of_preset("best"), index=index) for index in range(6)]
    runs = room.paused(every)
    for run in runs:
        for _ in range(STEPS["start_steps"] - 1):
            run.step("both", wait=60)
    room.resume(runs)
    found = [ended(run) for run in runs]
    assert sorted(count for count in entering if count) == [2, run_batches.ENTERING]
    assert_same(found[5], alone(parts, every[5]))


def test_different_options_or_presets_never_meet(room, sizes) -> None:
    every = [of_preset("best"), of_preset("best", steps=7), of_preset("paper")]
    runs = room.paused(every)
    room.resume(runs)
    for run in runs:
        ended(run)
    assert max(sizes) == 1


def test_one_that_is_paused_and_stepped_leaves_and_comes_back(room, parts, sizes) -> None:
    every = [replace(of_preset("best", steps=40), index=index) for index in range(2)]
    runs = room.paused(every)
    seen = []

    def pause_at_some_time() -> None:
        seen.append(len(sizes))
        if len(sizes) == 8:
            runs[0].pause()

    before = run_batches.observe
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            run_batches, "observe", lambda *args: (pause_at_some_time(), before(*args))[1]
        )
        room.resume(runs)
        other = ended(runs[1])
        view = wait_until(runs[0], lambda view: not view.busy)
        assert view.state == "paused"
        assert 0 < view.k < view.total
        k = view.k
        runs[0].step("both", wait=30)
        assert runs[0].view().k == k + 1
        runs[0].resume()
        first = ended(runs[0])
    assert_same(first, alone(parts, every[0]))
    assert_same(other, alone(parts, every[1]))


def test_one_that_diverges_fails_alone(room, parts) -> None:
    every = [replace(of_preset("best"), index=index) for index in range(3)]
    runs = room.paused(every)
    add_iterate = runs[1].add_iterate

    def diverge(iterate, began):
        if iterate.k == 3:
            raise FloatingPointError("too large")
        return add_iterate(iterate, began)

    runs[1].add_iterate = diverge
    room.resume(runs)
    view = wait_until(runs[1], lambda view: not view.busy)
    assert (view.state, view.error, view.k) == ("failed", "too large", 2)
    for place in (0, 2):
        assert_same(ended(runs[place]), alone(parts, every[place]))


def test_one_that_is_stopped_gets_its_verdict_and_one_that_is_closed_none(room, parts) -> None:
    every = [replace(of_preset("best", steps=300), index=index) for index in range(3)]
    runs = room.paused(every)
    for run in runs:
        run.resume()
    wait_until(runs[0], lambda view: view.k >= 2)
    runs[0].stop()
    runs[1].close()
    view = wait_until(runs[0], lambda view: not view.busy)
    assert view.state == "stopped"
    assert view.k < view.total
    assert view.verdict is not None
    runs[1]._thread.join(20)
    assert not runs[1]._thread.is_alive()
    assert runs[1].view().verdict is None
    assert_same(ended(runs[2]), alone(parts, every[2]))
