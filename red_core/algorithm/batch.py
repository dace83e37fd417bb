"""Run a batch to its end: items that have settled leave it, so the rest goes on faster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from red_core.algorithm.algorithm1 import Iterate, Solver


def run_to_end(
    solver: Solver, tick: Callable[[], object] = lambda: None, polish: int = 0
) -> Iterate:
    """The last iterate of every item, each at the step where it settled or the run ended.

    polish: further steps on c_a alone, for the items that went to the end. No snapshot is taken
    before; `tick` is called after every step. The solver is used up. In the answer, `k` is the
    largest number of steps of any item.
    """
    waiting = torch.arange(len(solver.problem), device=solver.z.device)
    ended: list[tuple[Tensor, Iterate]] = []
    while not solver.done:
        solver.step()
        tick()
        if solver.settled.any() and not solver.settled.all():
            # The snapshot of all, then the settled rows of it: simple, and rare enough.
            ended.append((waiting[solver.settled], _rows(solver.snapshot(), solver.settled)))
            going = (~solver.settled).nonzero()[:, 0]
            waiting = waiting[going]
            solver.keep_items(going)
    for _ in range(polish):
        solver.step("c_a")
    ended.append((waiting, solver.snapshot()))
    return _merge(ended)


def _rows(iterate: Iterate, chosen: Tensor) -> Iterate:
    return _with(iterate, lambda name: getattr(iterate, name)[chosen])


def _merge(parts: list[tuple[Tensor, Iterate]]) -> Iterate:
    order = torch.cat([items for items, _ in parts]).argsort()
    last = parts[-1][1]
    return _with(last, lambda name: torch.cat([getattr(it, name) for _, it in parts])[order])


def _with(iterate: Iterate, make: Callable[[str], Tensor]) -> Iterate:
    """The iterate with every tensor made anew by its name."""
    names = [f.name for f in fields(Iterate) if isinstance(getattr(iterate, f.name), Tensor)]
    tensors: dict[str, Any] = {name: make(name) for name in names}
    return replace(iterate, **tensors)
