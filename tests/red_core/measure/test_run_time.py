"""The time that a run is expected to take: its arithmetic, by another clock than the machine's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from red_core.algorithm.options import SolverOptions
from red_core.algorithm.presets import PRESETS, presets_of
from red_core.measure import run_time
from red_core.measure.run_time import (
    LONG,
    RunTimes,
    StepTimes,
    about,
    joint_steps,
    kept_times,
    time_steps,
)
from red_core.run.bundle import Bundle
from red_core.run.settings import RunSettings

PAPER = RunSettings("cifar10", preset="paper")
SHORT = (("carry", 1), ("restarts", 1), ("start_steps", 40), ("steps", 60))


def test_every_step_counts_once() -> None:
    options = PAPER.solver_options()
    start, joint = options.start_steps, options.steps
    attack = PAPER.attack_settings()
    assert attack is not None
    times = StepTimes(0.1, 0.01, 0.02)
    assert times.total(PAPER) == pytest.approx(attack.steps * 0.1 + start * 0.01 + joint * 0.02)
    clean = RunSettings("cifar10", preset="paper", attack="none")
    made = RunSettings("cifar10", preset="paper", source="realizable")
    assert times.total(clean) == times.total(made) == pytest.approx(start * 0.01 + joint * 0.02)
    assert times.scaled(3).total(clean) == pytest.approx(3 * times.total(clean))


def test_a_start_that_is_dropped_costs_no_more() -> None:
    best = PRESETS["best"]
    assert (best.carry, best.halve_at, best.steps) == (3, (40, 80), 120)
    assert joint_steps(best) == pytest.approx(40 + 40 * 2 / 3 + 40 * 1 / 3)
    assert joint_steps(SolverOptions(steps=500)) == 500


class Clock:
    """Stands in for `timed`: what is asked for is done, and takes the next of these times."""

    def __init__(self, *seconds: float) -> None:
        self.seconds = list(seconds)

    def __call__(self, work: Callable[[], Any], device: torch.device) -> tuple[float, Any]:
        return self.seconds.pop(0), work()


def test_the_timed_steps_are_those_of_the_run(
    toy_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = RunSettings("mnist", preset="paper", solver=SHORT)
    attack = settings.attack_settings()
    assert attack is not None
    warm, start, joint = 9.0, [0.01, 0.011, 0.009, 0.3], [0.03, 0.031, 0.029, 0.2]
    clock = Clock(4 * 0.05, warm, *start, warm, *joint)
    monkeypatch.setattr(run_time, "timed", clock)
    times = time_steps(toy_bundle, settings)
    assert not clock.seconds  # an attack, then five steps of each phase
    truth = attack.steps * 0.05 + 40 * 0.01 + 60 * 0.03
    assert truth / 2 < times.total(settings) < 2 * truth


def test_a_kind_of_run_is_timed_once_and_a_short_one_never(
    toy_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = StepTimes(0.0, 0.004, 0.004)
    monkeypatch.setattr(run_time, "kept_times", lambda settings: (kept, 1e9))
    monkeypatch.setattr(run_time, "matrix_peak", lambda device, shots: 1e9)
    asked = []

    def timing(bundle: Bundle, settings: RunSettings) -> StepTimes:
        asked.append(settings)
        return StepTimes(0.0, 0.01, 0.02)

    times = RunTimes(timing)
    few = RunSettings("mnist", preset="paper", solver=SHORT)
    assert times.seconds(toy_bundle, few) == pytest.approx(kept.total(few))
    assert not asked
    long = (("carry", 1), ("restarts", 1), ("start_steps", 3000), ("steps", 500))
    many = RunSettings("mnist", preset="paper", solver=long)
    assert times.seconds(toy_bundle, many) == pytest.approx(3000 * 0.01 + 500 * 0.02)
    assert times.seconds(toy_bundle, many) > LONG
    more = RunSettings("mnist", preset="paper", solver=(*long[:3], ("steps", 2000)))
    assert times.seconds(toy_bundle, more) == pytest.approx(3000 * 0.01 + 2000 * 0.02)
    other = RunSettings("mnist", preset="paper", solver=(*long, ("signal_rate", 0.001)))
    assert times.seconds(toy_bundle, other) == times.seconds(toy_bundle, many)
    assert asked == [many]


def test_kept_figures_are_scaled_by_this_machines_rate(
    toy_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_time, "kept_times", lambda settings: (StepTimes(0, 0.02, 0.02), 1e9))
    settings = RunSettings("mnist", preset="paper", solver=SHORT)
    for speed in (1.0, 0.5):
        rate = speed * 1e9 * torch.get_num_threads()
        monkeypatch.setattr(run_time, "matrix_peak", lambda device, shots, rate=rate: rate)
        assert RunTimes().seconds(toy_bundle, settings) == pytest.approx(100 * 0.02 / speed)


def test_the_kept_benchmark_gives_the_whole_run_it_timed() -> None:
    """Clean, since its time is from x' to the verdict."""
    report = run_time._report("cifar10")
    assert report is not None
    for preset in ("paper", "best"):
        settings = RunSettings("cifar10", preset=preset, attack="none")
        found = kept_times(settings)
        assert found is not None
        assert found[0].total(settings) == pytest.approx(report[f"{preset}_seconds"])
    assert "bsd-dp" in presets_of("cifar10")
    assert kept_times(RunSettings("cifar10", preset="bsd-dp")) is None


def test_what_is_said_of_a_time() -> None:
    assert [about(seconds) for seconds in (21, 52, 58, 170, 3500, 7300)] == [
        "about 20 seconds",
        "about 50 seconds",
        "about 1 minute",
        "about 3 minutes",
        "about 58 minutes",
        "about 2 hours",
    ]
