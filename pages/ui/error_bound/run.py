"""The live descent: all instances at once, watched and steered, then compared with the theorem."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeVar

import torch
from torch import Tensor

from pages.ui.error_bound.constants import Lemma, lemma_of, wdc_of
from pages.ui.error_bound.error_bound_request import ErrorBoundRequest
from pages.ui.error_bound.findings import SAMPLES, Findings, longer, measured
from pages.ui.error_bound.recorder import Recorder
from pages.ui.live.compute_queue import COMPUTE_QUEUE, FairLock
from pages.ui.live.worker import State, Worker
from red_core.synthetic import Instances
from red_core.theory import WDC, theorem_step
from red_core.theory.descent import Descent, Path, step_sizes
from red_core.theory.proximal_verification import LONGER

Order = Literal["go", "one"]
_Found = TypeVar("_Found")
Phase = Literal["begin", "search", "descent", "measure", "done"]

SEARCH_STEPS = 2000  # of each descent that looks for the theorem's step size, at most
SEARCH_AT_ONCE = 5  # instances
_SLICE = 0.08  # seconds a run may compute between two looks at its orders
_EASE = 50  # a run at k takes k / _EASE steps at a time, so that early steps can be seen


@dataclass(frozen=True)
class ErrorBoundView:
    """A run at one moment; nothing in it changes any more.

    phase: what is being done; searched: instances for which the theorem's step size has been
    looked for; path: the recorded iterates, None before the first; mu_mean, mu_least [I]: over
    every step until an instance arrived; arrived_at [I]: the very step, -1 for one that has not;
    lowest [I]: L as low as a longer descent found it, under 4.3; findings: of the first instances,
    once the descent has ended; lemma, wdc: after those, None where they do not apply; place: runs
    ahead in the line; seconds: computed so far.
    """

    state: State
    phase: Phase
    place: int
    total: int
    searched: int
    path: Path | None
    mu_mean: Tensor | None
    mu_least: Tensor | None
    arrived_at: Tensor | None
    lowest: Tensor | None
    findings: Findings | None
    lemma: Lemma | None
    wdc: WDC | None
    seconds: float
    busy: bool
    error: str = ""

    @property
    def k(self) -> int:
        """Steps done."""
        return 0 if self.path is None else int(self.path.k[-1])

    @property
    def ended(self) -> bool:
        """Whether no step will follow."""
        return self.state in ("finished", "stopped", "failed")


class ErrorBoundRun(Worker[Order]):
    """One descent of all instances of a request.

    speed: takes a second at most; a take is one step at first and many later (`_EASE`), so that
    a run of thousands of steps can be watched from its beginning to its end.
    """

    def __init__(
        self,
        request: ErrorBoundRequest,
        instances: Instances,
        *,
        paused: bool = False,
        speed: float | None = None,
        line: FairLock = COMPUTE_QUEUE,
    ) -> None:
        self.request, self.instances = request, instances
        self._options = request.options()
        self._eta: Tensor | None = None
        self._phase: Phase = "begin"
        self._searched = 0
        self._steps_found: list[Tensor] = []
        self._recorder: Recorder | None = None
        self._lowest: Tensor | None = None
        self._findings: Findings | None = None
        self._lemma: Lemma | None = None
        self._wdc: WDC | None = None
        self._kept: tuple[tuple[int, int], Path] | None = None
        super().__init__("go", paused=paused, speed=speed, line=line)

    def view(self) -> ErrorBoundView:
        """The run as it stands."""
        with self._changed:
            return ErrorBoundView(
                state=self._state,
                phase=self._phase,
                place=self._place,
                total=self._options.steps,
                searched=self._searched,
                path=self._path(),
                mu_mean=None if self._recorder is None else self._recorder.mu_mean,
                mu_least=None if self._recorder is None else self._recorder.mu_least,
                arrived_at=None if self._recorder is None else self._recorder.arrived_at,
                lowest=self._lowest,
                findings=self._findings,
                lemma=self._lemma,
                wdc=self._wdc,
                seconds=self._seconds,
                busy=self._busy,
                error=self.message,
            )

    def _path(self) -> Path | None:
        """The recorded path; stacked anew only when there is more of it."""
        if self._recorder is None:
            return None
        now = self._recorder.stride, self._recorder.descent.k
        if self._kept is None or self._kept[0] != now:
            self._kept = now, self._recorder.path()
        return self._kept[1]

    # --- the thread ----------------------------------------------------------------------

    def _begin(self) -> None:
        if self.request.eta == "theorem":
            with self._changed:
                self._phase = "search"
        else:
            eta = None
            if isinstance(self.request.eta, str):
                inversion = self._options.method == "inversion"
                eta = step_sizes(self.instances, inversion)[self.request.eta]
            self._descend(eta)

    def _descend(self, eta: Tensor | None) -> None:
        recorder = Recorder(Descent(self.instances, self._options, eta))
        with self._changed:
            self._recorder, self._phase = recorder, "descent"

    @property
    def _done(self) -> bool:
        return self._recorder is not None and self._recorder.done

    def _take(self, order: Order) -> None:
        if self._recorder is None:
            self._search()
        elif order == "one":
            with self._changed:
                self._recorder.step()
        else:
            self._go(self._recorder)

    def _go(self, recorder: Recorder) -> None:
        """Some steps: so many that a watched run speeds up, or what a slice of time holds."""
        most = None if self._speed is None else 1 + recorder.descent.k // _EASE
        taken, began = 0, time.perf_counter()
        while not recorder.done and (most is None or taken < most):
            with self._changed:  # a page must not stack the points while they change
                recorder.step()
            taken += 1
            if time.perf_counter() - began > _SLICE:
                break

    def _search(self) -> None:
        """The theorem's step size for the next few instances; the local one where none is found."""
        items = torch.arange(len(self.instances))[self._searched :][:SEARCH_AT_ONCE]
        some = self.instances.take(items)
        options = replace(self._options, steps=min(self._options.steps, SEARCH_STEPS))
        found = theorem_step(some, options, SAMPLES)
        with self._changed:
            self._steps_found.append(found)
            self._searched += len(items)
        if self._searched == len(self.instances):
            every = torch.cat(self._steps_found)
            local = step_sizes(self.instances, self._options.method == "inversion")["local"]
            self._descend(torch.where(torch.isfinite(every), every, local))

    def _finish(self) -> None:
        """The theorem's side, a few instances at a time, so that others come to their turn."""
        self._settle()
        if self._recorder is None:
            return
        with self._changed:
            self._phase = "measure"
            path = self._recorder.path()
        self._measure(path)
        with self._changed:
            self._phase = "done"

    def _measure(self, path: Path) -> None:
        """What is found after the descent, each part computed in a turn of its own."""
        lowest = None
        if path.method == "proximal":
            for lowest in self._lowest_loss(path):
                with self._changed:
                    self._lowest = lowest
        found = measured(self.instances, path, lowest)
        while (findings := self._in_turn(lambda: next(found, None))) is not None:
            with self._changed:
                self._findings = findings
        lemma = self._in_turn(lambda: lemma_of(self.instances, path))
        with self._changed:
            self._lemma = lemma
        wdc = self._in_turn(lambda: wdc_of(self.instances))
        with self._changed:
            self._wdc = wdc

    def _lowest_loss(self, path: Path) -> Iterator[Tensor]:
        """The lowest L of every instance on a longer and longer descent: [I]."""
        assert self._recorder is not None
        more = longer(self._recorder.descent)
        lowest = path.loss.amin(0)
        while not more.done and not self._closed:
            found = self._in_turn(partial(_deeper, more, lowest))
            if found is None:
                return
            lowest = found
            yield lowest

    def _in_turn(self, compute: Callable[[], _Found]) -> _Found | None:
        """What is computed; None once the run is closed."""
        with self._line.turn(give_up=lambda: self._closed) as mine:
            if not mine or self._closed:
                return None
            began = time.perf_counter()
            value = compute()
            self._count(time.perf_counter() - began)
        return value


def _deeper(more: Descent, lowest: Tensor) -> Tensor:
    """A slice of steps of a longer descent; the lowest L so far."""
    until = time.perf_counter() + _SLICE
    while not more.done and time.perf_counter() < until:
        more.step()
        if more.k % LONGER == 0 or more.done:
            lowest = torch.fmin(lowest, more.snapshot().loss)
    return lowest
