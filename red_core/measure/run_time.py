"""How long a run will take on this machine, said before it begins.

The benchmark that is kept beside the assets says what a step cost where it was made; a matrix
product says how much faster or slower this machine is. That is enough to know that a run is short.
For one that may be long a few of its own steps are timed, once for each kind of run.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any

import torch

from red_core.algorithm.algorithm1 import finished, in_alternation, step
from red_core.algorithm.observe import observe
from red_core.algorithm.options import DIFFUSION, SolverOptions
from red_core.algorithm.presets import presets_of
from red_core.algorithm.state import State
from red_core.attacks.pgd import craft
from red_core.data.assets import AssetError, read_json, read_manifest
from red_core.data.own_datasets import base_of
from red_core.measure.speed import matrix_peak, timed
from red_core.run.bundle import Bundle
from red_core.run.experiment import begin_run
from red_core.run.settings import RunSettings

LONG = 20.0  # seconds from which a run is announced with its time
SURELY = 4.0  # by how much the kept figures may be wrong where nothing of the run was timed
SAMPLED = 4  # steps of each phase that are timed, after one that warms up
_REPORT = "benchmark.json"
_SAME_NETWORKS = {"fashion": "mnist"}  # it has no benchmark of its own


@dataclass(frozen=True)
class StepTimes:
    """Seconds of one step of the attack, of the start, and of the alternation with all starts."""

    attack: float
    start: float
    joint: float

    def total(self, settings: RunSettings) -> float:
        """Seconds of a whole run, attack included."""
        attack, options = settings.attack_settings(), settings.solver_options()
        crafted = attack is not None and settings.source != "realizable"
        return (
            (attack.steps * self.attack if crafted and attack is not None else 0.0)
            + options.start_steps * self.start
            + joint_steps(options) * self.joint
        )

    def scaled(self, factor: float) -> StepTimes:
        """All of them times a factor."""
        return StepTimes(factor * self.attack, factor * self.start, factor * self.joint)


def starts_of(options: SolverOptions) -> int:
    """How many starts a run begins with."""
    return max(1, options.restarts + options.mean_start + options.encoder_start)


def joint_steps(options: SolverOptions) -> float:
    """The steps of the alternation, each counted as the share of the carried starts it moves."""
    carried = min(options.carry, starts_of(options))
    ends = [k for k in sorted(options.halve_at) if k < options.steps]
    steps = 0.0
    for first, last in zip([0, *ends], [*ends, options.steps], strict=True):
        halvings = ends.index(first) + 1 if first in ends else 0
        steps += (last - first) * math.ceil(carried / 2**halvings) / carried
    return steps


def kept_times(settings: RunSettings) -> tuple[StepTimes, float] | None:
    """The kept benchmark's times of steps like these, and operations a second of its one thread.

    Every evaluation of G with its gradient is taken for as long as the mean one of the preset that
    was timed: `best` where z moves in the same way, or `paper`. None without a benchmark, and for
    a diffusion model, which none has timed.
    """
    options = settings.solver_options()
    if options.signal_step == DIFFUSION:
        return None
    base = base_of(settings.dataset) or ""
    dataset = _SAME_NETWORKS.get(base, base)
    report = _report(dataset) if dataset else None
    if report is None:
        return None
    presets = presets_of(dataset)
    like = "best" if presets["best"].signal_step == options.signal_step else "paper"
    one = float(report[f"{like}_seconds"]) / _evaluations(presets[like])
    carried = min(options.carry, starts_of(options))
    rate = float(report["details"]["peak_flops_per_second"]) / report["provenance"]["threads"]
    return StepTimes(one, starts_of(options) * one, carried * one), rate


def batch_share(dataset: str) -> float:
    """How long an image of a batch takes, as a share of an image alone; 1 without a benchmark."""
    base = base_of(dataset) or ""
    report = _report(_SAME_NETWORKS.get(base, base)) if base else None
    if report is None:
        return 1.0
    return 1 / (report["details"]["batch_images_per_second"] * report["best_seconds"])


def _evaluations(options: SolverOptions) -> float:
    carried = min(options.carry, starts_of(options))
    return options.start_steps * starts_of(options) + carried * joint_steps(options)


def _report(dataset: str) -> dict[str, Any] | None:
    try:
        return read_json(dataset, _REPORT) if _REPORT in read_manifest(dataset) else None
    except AssetError:
        return None


def time_steps(bundle: Bundle, settings: RunSettings) -> StepTimes:
    """A few steps of each phase of a run like this, timed on an example and observed.

    Raises ValueError where the settings want what the bundle lacks.
    """
    image, label = bundle.examples.images[:1], bundle.examples.labels[:1]
    image, label = image.to(bundle.device), label.to(bundle.device)
    attack, of_attack = settings.attack_settings(), 0.0
    if attack is not None and settings.source != "realizable":
        few = replace(attack, steps=min(attack.steps, SAMPLED))
        seconds, _ = timed(partial(craft, bundle.psi, image, label, few, [0]), bundle.device)
        of_attack = seconds / few.steps
    whole = settings.solver_options()
    options = replace(
        whole,
        start_steps=min(whole.start_steps, SAMPLED + 1),
        steps=min(whole.steps, SAMPLED + 1),
        halve_at=(),
        tolerance=0.0,
    )
    problem, state = begin_run(bundle, image, options, [0])

    def moved(state: State) -> State:
        state = step(problem, state, options)
        observe(problem, state, options)
        return state

    spent: dict[bool, list[float]] = {False: [], True: []}
    while not finished(state, options):
        joint = in_alternation(state)
        seconds, state = timed(partial(moved, state), bundle.device)
        spent[joint].append(seconds)
    # The first step of a phase also makes what the later ones use again.
    start, joint_ = (median(times[1:] or times or [0.0]) for times in spent.values())
    return StepTimes(of_attack, start, joint_)


def _like(options: SolverOptions) -> SolverOptions:
    """The options with what does not decide how long a step takes as in all others."""
    return replace(
        options,
        start_steps=min(1, options.start_steps),
        steps=1,
        halve_at=(),
        start_rate=1.0,
        signal_rate=1.0,
        lambda_fraction=1.0,
        tolerance=0.0,
        latent_weight=float(options.latent_weight > 0),
        noise=0.1,
    )


class RunTimes:
    """What has been timed in this process, by device and kind of run."""

    def __init__(self, timing: Callable[[Bundle, RunSettings], StepTimes] = time_steps) -> None:
        self._timing = timing
        self._lock = threading.Lock()
        self._rates: dict[torch.device, float] = {}
        self._timed: dict[tuple[object, ...], StepTimes] = {}

    def seconds(self, bundle: Bundle, settings: RunSettings) -> float:
        """Of the run of these settings, within a factor of two where it is LONG."""
        kept = kept_times(settings) if bundle.device.type == "cpu" else None
        if kept is not None:
            times, rate = kept
            if times.total(settings) * SURELY**2 < LONG:
                return times.total(settings)
            here = times.scaled(rate / self._rate(bundle.device)).total(settings)
            if here * SURELY < LONG:
                return here
        named = (settings.dataset, settings.generator, settings.attack)
        key = (bundle.device, *named, _like(settings.solver_options()))
        with self._lock:
            if key not in self._timed:
                self._timed[key] = self._timing(bundle, settings)
            return self._timed[key].total(settings)

    def _rate(self, device: torch.device) -> float:
        with self._lock:
            if device not in self._rates:
                # One thread of the kept benchmark is compared with one of this process.
                threads = torch.get_num_threads()
                self._rates[device] = matrix_peak(device, shots=2) / threads
            return self._rates[device]


def about(seconds: float) -> str:
    """A time in words, as exact as an estimate may be: "about 40 seconds", "about 3 minutes"."""
    if seconds < 55:
        return f"about {max(5, 5 * round(seconds / 5))} seconds"
    minutes = round(seconds / 60)
    if minutes < 60:
        return "about 1 minute" if minutes <= 1 else f"about {minutes} minutes"
    hours = round(seconds / 3600)
    return "about 1 hour" if hours <= 1 else f"about {hours} hours"
