"""Run a batch to its end: items that have settled leave it, so the rest goes on faster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from red_core.algorithm.algorithm1 import finished, step
from red_core.algorithm.observe import Iterate, observe
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.state import State

Watch = Callable[[RedProblem, State], object]


def run_to_end(
    problem: RedProblem,
    state: State,
    options: SolverOptions,
    watch: Watch = lambda problem, state: None,
    polish: int = 0,
) -> Iterate:
    """The last iterate of every item, each at the step where it settled or the run ended.

    watch: called after every step with the items that still move and their state; polish: further
    steps on c_a alone, for the items that went to the end. In the answer, `k` is the largest
    number of steps of any item.
    """
    waiting = torch.arange(len(problem), device=state.z.device)
    ended: list[tuple[Tensor, Iterate]] = []
    while not finished(state, options):
        state = step(problem, state, options)
        watch(problem, state)
        settled = state.settled.nonzero()[:, 0]
        if 0 < len(settled) < len(state):
            last = observe(problem.take(settled), state.take(settled), options)
            ended.append((waiting[settled], last))
            going = (~state.settled).nonzero()[:, 0]
            waiting, problem, state = waiting[going], problem.take(going), state.take(going)
    for _ in range(polish):
        state = step(problem, state, options, "c_a")
    ended.append((waiting, observe(problem, state, options)))
    return _merge(ended)


def _merge(parts: list[tuple[Tensor, Iterate]]) -> Iterate:
    """The iterates of all items in their first order."""
    order = torch.cat([items for items, _ in parts]).argsort()
    joined = concatenate_iterates([iterate for _, iterate in parts])
    values: dict[str, Any] = {
        name: value[order] for name, value in vars(joined).items() if torch.is_tensor(value)
    }
    return replace(joined, **values)


def concatenate_iterates(iterates: Sequence[Iterate]) -> Iterate:
    """The items of several iterates as one batch; k and phase are the last one's."""
    last = iterates[-1]
    joined: dict[str, Any] = {
        name: torch.cat([getattr(iterate, name) for iterate in iterates])
        for name, value in vars(last).items()
        if torch.is_tensor(value)
    }
    return replace(last, **joined)
