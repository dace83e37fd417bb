"""The live studies: Figures 1 and 3 m by m, and the paper's examples one after another."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pages.ui.error_bound.recorder import Recorder
from pages.ui.live.compute_queue import COMPUTE_QUEUE, FairLock
from pages.ui.live.worker import State, Worker
from red_core.measure.studies import Study, summarised
from red_core.synthetic import make_instances
from red_core.theory.descent import Descent, step_sizes

_SLICE = 0.08  # seconds of computing between two looks at the orders


@dataclass(frozen=True)
class Part:
    """One row of a study: its name in the chart, and what is measured for it."""

    name: str
    study: Study


def parts_of_axis(study: Study) -> list[Part]:
    """A study over output dimensions m, as `studies.expansiveness` walks it."""
    return [
        Part(str(m), replace(study, settings=replace(study.settings, m=m), sizes=()))
        for m in study.sizes
    ]


@dataclass(frozen=True)
class StudyView:
    """A study at one moment. rows: `studies.summary` of the parts that are done; k: steps of the
    part under way, of at most total; place: runs ahead in the line.
    """

    state: State
    place: int
    names: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    k: int
    total: int
    seconds: float
    busy: bool
    error: str = ""

    @property
    def ended(self) -> bool:
        """Whether no step will follow."""
        return self.state in ("finished", "stopped", "failed")


class StudyRun(Worker[str]):
    """The parts of a study in order; each gives the row that the command line gives."""

    def __init__(
        self, parts: Sequence[Part], *, paused: bool = False, line: FairLock = COMPUTE_QUEUE
    ) -> None:
        self.parts = tuple(parts)
        self._rows: list[dict[str, Any]] = []
        self._recorder: Recorder | None = None
        super().__init__("go", paused=paused, line=line)

    def view(self) -> StudyView:
        """The study so far."""
        with self._changed:
            under_way = self.parts[min(len(self._rows), len(self.parts) - 1)]
            return StudyView(
                state=self._state,
                place=self._place,
                names=tuple(part.name for part in self.parts),
                rows=tuple(self._rows),
                k=0 if self._recorder is None else self._recorder.descent.k,
                total=under_way.study.options.steps,
                seconds=self._seconds,
                busy=self._busy,
                error=self.message,
            )

    # --- the thread ----------------------------------------------------------------------

    def _begin(self) -> None:
        """Nothing: every part begins with its first step."""

    @property
    def _done(self) -> bool:
        return len(self._rows) == len(self.parts)

    def _take(self, order: str) -> None:
        began = time.perf_counter()
        study = self.parts[len(self._rows)].study
        if self._recorder is None:
            self._recorder = _started(study)
        while not self._recorder.done and time.perf_counter() - began < _SLICE:
            self._recorder.step()
        with self._changed:
            if self._recorder.done:
                found = self._recorder
                self._rows.append(summarised(found.mu_mean, found.mu_least, found.arrived_at))
                self._recorder = None


def _started(study: Study) -> Recorder:
    """The first iterate of a study's descents, as `studies.path_of` has it."""
    instances = make_instances(study.settings, study.networks)
    eta = None
    if study.options.eta is None:
        eta = step_sizes(instances, study.options.method == "inversion")[study.step]
    return Recorder(Descent(instances, study.options, eta), study.every)
