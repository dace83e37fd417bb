"""The batches of runs with the same models and options: steps of Algorithm 1, and verdicts.

A run gets the answers that it would get alone, up to rounding: an item's iterates depend on its own
x', starts and seed (`algorithm1`).
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from red_core.algorithm.algorithm1 import in_alternation, step
from red_core.algorithm.batch import concatenate_iterates
from red_core.algorithm.observe import observe
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.state import State, concatenate
from red_core.algorithm.verdict import judge
from red_core.recording.run_recorder import record_iterates
from red_core.run.experiment import readers_for

MOST = 16  # runs in one batch
# Runs that enter the alternation in one batch: each previews its plane then, a tenth of a second
# for MNIST, in which no other run gets that core.
ENTERING = 4

if TYPE_CHECKING:
    from pages.ui.live.runner import Runner


def step_key(run: Runner) -> Hashable:
    """The key of runs that may take a step with this one.

    They share models, options, phase and the number of starts. All items of a batch enter the
    alternation at once (`compete`), so runs about to enter it are a batch of their own.
    """
    state = run.solved[1]
    return "step", id(run.parts.bundle), run.options, *_phase(state, run.options)


def verdict_key(run: Runner) -> Hashable:
    """The key of runs that may be judged with this one."""
    return "verdict", id(run.parts.bundle), run.options, run.settings.preset


def _phase(state: State, options: SolverOptions) -> tuple[bool, int, bool]:
    joint = in_alternation(state)
    enters = not joint and int(state.k.max()) == options.start_steps - 1
    return joint, state.starts, enters


def step_batch(run: Runner) -> StepBatch:
    """A batch for this run and those with its `step_key`."""
    enters = _phase(run.solved[1], run.options)[-1]
    return StepBatch(ENTERING if enters else MOST)


class StepBatch:
    """The runs of one `step_key`, a step of all of them at a time."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._runs: list[Runner] = []  # whose items the problem and the state hold, in their order
        self._solved: tuple[RedProblem, State] | None = None
        self._left: set[Runner] = set()

    def has_work(self, member: Runner) -> bool:
        """Whether it is free-running, and in the phase of this batch."""
        return member.free_running and member not in self._left

    def compute(self, members: Sequence[Runner]) -> list[BaseException | None]:
        """One step of all, recorded; the error of each run, None for those without."""
        began = time.perf_counter()
        if list(members) != self._runs:
            self._split()
            self._join(members)
        assert self._solved is not None
        options = members[0].options
        problem, before = self._solved
        moment = _phase(before, options)
        state = step(problem, before, options)
        self._solved = problem, state
        faults = record_step(members, problem, state, began)
        over = ((state.k >= options.total) | state.settled).tolist()
        # In the start phase some may reach the step before the alternation, others not.
        last = (~state.joint & (state.k == options.start_steps - 1)).tolist()
        moved = _phase(state, options)[:2] != moment[:2]
        self._left.update(
            run for run, *ends in zip(members, over, last, strict=True) if moved or any(ends)
        )
        return faults

    def release(self, member: Runner) -> None:
        """Return their own items to all members."""
        self._split()
        self._left.discard(member)

    def _join(self, members: Sequence[Runner]) -> None:
        self._runs = list(members)
        if len(members) == 1:
            self._solved = members[0].solved
            return
        problems, states = zip(*(run.solved for run in members), strict=True)
        observed = torch.cat([problem.observed for problem in problems])
        seeds = tuple(seed for problem in problems for seed in problem.seeds)
        problem = replace(problems[0], observed=observed, seeds=seeds)
        self._solved = problem, concatenate(states)

    def _split(self) -> None:
        if self._solved is None:
            return
        problem, state = self._solved
        for place, run in enumerate(self._runs):
            one = torch.tensor([place], device=state.z.device)
            alone = len(self._runs) == 1
            run.solved = self._solved if alone else (problem.take(one), state.take(one))
        self._runs, self._solved = [], None


class VerdictBatch:
    """The runs of one `verdict_key`, each judged once."""

    def __init__(self) -> None:
        self.most = MOST
        self._judged: set[Runner] = set()

    def has_work(self, member: Runner) -> bool:
        """Whether its verdict is missing and still wanted."""
        return member not in self._judged and not member.closed

    def compute(self, members: Sequence[Runner]) -> list[BaseException | None]:
        """The verdicts of all, recorded."""
        began = time.perf_counter()
        first = members[0]
        last = [observe(*run.solved, run.options) for run in members]
        problems = [run.solved[0] for run in members]
        problem = replace(problems[0], observed=torch.cat([each.observed for each in problems]))
        readers = readers_for(first.parts.bundle, first.settings.preset)
        verdict = judge(problem, concatenate_iterates(last), readers)
        for place, (run, iterate) in enumerate(zip(members, last, strict=True)):
            run.set_verdict(verdict.item(place), iterate, began)
        self._judged.update(members)
        return [None] * len(members)

    def release(self, member: Runner) -> None:
        """Forget it."""
        self._judged.discard(member)


def record_step(
    runs: Sequence[Runner], problem: RedProblem, state: State, began: float
) -> list[BaseException | None]:
    """Record the present iterate of every run; the error of each, None for those without.

    problem, state: one item a run; began: when the step was, in `time.perf_counter`'s seconds.
    """
    iterate = observe(problem, state, runs[0].options)
    each = [iterate.item(place, k) for place, k in enumerate(state.k.tolist())]
    faults: list[BaseException | None] = []
    mu = []
    for run, one in zip(runs, each, strict=True):
        try:
            mu.append(run.add_iterate(one, began))
            faults.append(None)
        except FloatingPointError as error:
            mu.append(float("nan"))
            faults.append(error)
    recorders = [
        (place, run.recorder)
        for place, run in enumerate(runs)
        if faults[place] is None and run.recorder is not None
    ]
    if recorders:
        places = [place for place, _ in recorders]
        if len(places) < len(runs):
            problem = problem.take(torch.tensor(places, device=problem.observed.device))
        record_iterates(
            [recorder for _, recorder in recorders],
            problem,
            [each[place] for place in places],
            [mu[place] for place in places],
            [runs[place].single_step for place in places],
        )
    return faults
