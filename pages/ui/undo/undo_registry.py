"""What a session holds: the shared models, its own attacked example and its one run.

Models are shared by all sessions, frozen. The registry belongs to one session. The run that the
main page prepared outlives it for a while, so that its browser can come back to it.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
import torch
from torch import Tensor

from pages.ui.live.batches import RUN_BATCHES
from pages.ui.live.compute_queue import COMPUTE_QUEUE
from pages.ui.live.kept_worker import KeptWorker
from pages.ui.live.live_run import LIVE_RUNS, LiveRun
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.live.origin import ITS_OWN, Origin
from pages.ui.live.runner import Runner
from pages.ui.live.visitors import this_visitor
from red_core.algorithm.presets import OWN
from red_core.compat import ensure_advertorch
from red_core.data.datasets import DataDamaged, DataMissing, load_official
from red_core.data.own_datasets import base_of
from red_core.run.bundle import choose_device, load_bundle, with_official_test
from red_core.run.experiment import AttackedBatch, craft_example
from red_core.run.settings import RunSettings

_ATTACK_FIELDS = (
    "dataset", "source", "index", "attack", "eps", "step_size", "attack_steps", "target", "seed",
    "generator",  # it draws the image of a realizable instance
)  # fmt: skip


@st.cache_resource(max_entries=8, show_spinner="Loading the trained models")
def load_models(
    dataset: str, device: str, official: bool = False, generator: str = OWN
) -> LoadedModels:
    """The trained models of a data set on a device; AssetError where a file is missing or bad.

    official: whether the official test set takes the place of the bundled examples; generator:
    key of GENERATORS.
    """
    # One image is bound by reading D_a, not by arithmetic: two threads took three times the CPU
    # of one and were slower, and the browser wants the other core.
    torch.set_num_threads(1)
    # Every torch call gives the interpreter away and wants it back: while a page draws, the run
    # would wait Python's usual 5 ms for it, a hundred times a step.
    sys.setswitchinterval(0.0005)
    ensure_advertorch()
    importlib.import_module("advertorch.attacks")  # takes seconds: not with the first attack
    bundle = load_bundle(dataset, device, generator)
    if official:
        bundle = with_official_test(bundle)
    return LoadedModels(bundle)


@st.cache_resource(max_entries=8, show_spinner=False)
def takes_official(dataset: str) -> bool:
    """Whether the command line's --index would mean the official test set on this machine."""
    base = base_of(dataset)
    if base is None:  # pictures of a project's own: the examples are all there is
        return False
    try:
        load_official(base, "test")
    except DataMissing:
        return False
    except DataDamaged:  # the command would end there: it is to leave them alone
        return True
    return True


def devices() -> list[str]:
    """The devices of this machine, "auto" first."""
    found = ["auto", "cpu"]
    for name in ("cuda", "mps"):
        try:
            choose_device(name)
        except ValueError:
            continue
        found.append(name)
    return found


@dataclass(frozen=True)
class RunContext:
    """What a run of another page needs: the settings, the loaded models, the crafted example."""

    settings: RunSettings
    parts: LoadedModels
    example: AttackedBatch
    key: tuple[object, ...]


MAIN = "main"  # the place of the main page's run
KEPT = 3  # runs of a session that have ended and may be opened again, beside those it shows


class RunRegistry:
    """A session's own attacked example and its runs."""

    def __init__(self) -> None:
        self._crafted: tuple[tuple[object, ...], AttackedBatch] | None = None
        self._runner = KeptWorker[Runner]()
        self._shown: dict[str, LiveRun] = {}  # by the place in which it is shown
        self._owner = object()  # of its runs, whose memory is bounded together
        self._ended: list[LiveRun] = []  # shown before, and judged: opened again at a click

    def prepare(
        self,
        parts: LoadedModels,
        settings: RunSettings,
        own: Tensor | None,
        *,
        place: str = MAIN,
        origin: Origin = ITS_OWN,
    ) -> LiveRun:
        """The run of these settings for the browser to begin.

        place: where it is shown, on the main page or as one of two; a run that is shown elsewhere
        too is the same one; origin: what it begins from beside its settings. The run that was
        shown there before is ended; of those that had ended by themselves the last KEPT stay, as
        long as `LIVE_RUNS` keeps them, and are taken up again instead of computed anew.
        """
        identity = (settings, digest(own), parts.bundle.examples.source, origin)
        before = self._shown.get(place)
        there = before is not None and LIVE_RUNS.find(before.key) is not None
        if before is not None and there and before.identity == identity:
            return before
        known = [run for run in self._ended if LIVE_RUNS.find(run.key) is not None]
        candidates = [*self._shown.values(), *known]
        again = next(
            (run for run in candidates if run.identity == identity and LIVE_RUNS.find(run.key)),
            None,
        )
        live = again or LiveRun(parts, settings, own, identity, origin=origin, owner=self._owner)
        if again is None:
            LIVE_RUNS.add(live)
        self._shown[place] = live
        if before is not None and before not in self._shown.values():
            known = self._keep_ended(known, before)
        self._ended = [run for run in known if run is not live]
        return live

    @staticmethod
    def _keep_ended(known: list[LiveRun], run: LiveRun) -> list[LiveRun]:
        """`known` with a run that is not shown any more, if it is one to keep; others are ended."""
        status = run.status()
        if status["state"] != "finished" or status["busy"] or LIVE_RUNS.find(run.key) is None:
            LIVE_RUNS.remove(run)
            return known
        known = [*known, run]
        for old in known[:-KEPT]:
            LIVE_RUNS.remove(old)
        return known[-KEPT:]

    def craft(
        self,
        parts: LoadedModels,
        settings: RunSettings,
        own: Tensor | None,
        on_place: Callable[[int], None],
    ) -> AttackedBatch:
        """The attacked example of these settings: made once, in turn with everybody's computing."""
        fields = (getattr(settings, name) for name in _ATTACK_FIELDS)
        key = (*fields, settings.device, digest(own), parts.bundle.examples.source)
        if self._crafted is None or self._crafted[0] != key:
            with COMPUTE_QUEUE.turn(on_place):
                made = craft_example(parts.bundle, settings, own)
            self._crafted = key, made
        return self._crafted[1]

    def runner(self, context: RunContext) -> Runner | None:
        """The run of this context; one that belongs to other settings is ended and forgotten."""
        return self._runner.on(_run_key(context))

    @property
    def present(self) -> Runner | None:
        """The main page's run, whatever it is of: for a page that only looks at it."""
        return self._shown[MAIN].runner if MAIN in self._shown else None

    def start(
        self, context: RunContext, *, paused: bool = False, speed: float | None = None
    ) -> Runner:
        """Begin a run of this context, ending the one before."""
        return self._runner.begin(
            _run_key(context),
            lambda: Runner(
                context.parts, context.settings, context.example,
                paused=paused, speed=speed, batches=RUN_BATCHES,
            ),
        )  # fmt: skip

    def workers(self) -> tuple[Runner, ...]:
        """The run that `start` began."""
        return self._runner.workers()

    def take_over(self, before: RunRegistry) -> bool:
        """Take the run that `start` began there; a `LiveRun` is claimed by its own key."""
        return self._runner.take_over(before._runner)

    def clear(self) -> None:
        """End the run and forget it."""
        self._runner.end()


def _run_key(context: RunContext) -> tuple[object, ...]:
    """What a run is of; after a download the same number means another image."""
    return (*context.key, context.parts.bundle.examples.source)


def registry() -> RunRegistry:
    """This tab's registry; a `LiveRun` is kept apart."""
    return this_visitor().registry(RunRegistry)


def digest(image: Tensor | None) -> str:
    """A short name for the pixels of an image; empty for none."""
    if image is None:
        return ""
    return hashlib.sha256(image.to(torch.float32).numpy().tobytes()).hexdigest()[:16]
