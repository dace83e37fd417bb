"""A run that a test steps by hand."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from red_core.algorithm.algorithm1 import Update, begin, finished, step
from red_core.algorithm.observe import Iterate, observe
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.state import State


class Run:
    """The problem, the options and the present state of one run."""

    def __init__(
        self,
        problem: RedProblem,
        starts: Tensor,
        options: SolverOptions,
        anchor: Tensor | None = None,
    ) -> None:
        self.problem, self.options = problem, options
        self.state = begin(problem, starts, options, anchor)

    @classmethod
    def of(cls, problem: RedProblem, state: State, options: SolverOptions) -> Run:
        """The run of what `begin_run` returned."""
        run = cls.__new__(cls)
        run.problem, run.state, run.options = problem, state, options
        return run

    @property
    def done(self) -> bool:
        return finished(self.state, self.options)

    @property
    def k(self) -> int:
        return int(self.state.k.max())

    def step(self, update: Update = "both") -> None:
        self.state = step(self.problem, self.state, self.options, update)

    def take(self, items: Tensor) -> None:
        self.problem, self.state = self.problem.take(items), self.state.take(items)

    def observe(self) -> Iterate:
        return observe(self.problem, self.state, self.options)

    def path(self) -> Iterator[Iterate]:
        """The present iterate and all that follow."""
        yield self.observe()
        while not self.done:
            self.step()
            yield self.observe()

    def end(self) -> Iterate:
        """The last iterate."""
        while not self.done:
            self.step()
        return self.observe()
