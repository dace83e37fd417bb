"""The live run of the main page: a worker around Algorithm 1 that keeps its iterates.

A page asks `view()` for what there is.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import replace

import torch
from torch import Tensor

from pages.ui.live.batches import Batches
from pages.ui.live.compute_queue import COMPUTE_QUEUE, FairLock, Interrupted, Turn
from pages.ui.live.history import History, grid_ks, moved
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.live.origin import ITS_OWN, NoStartError, Origin, begin_from
from pages.ui.live.run_batches import (
    VerdictBatch,
    record_step,
    step_batch,
    step_key,
    verdict_key,
)
from pages.ui.live.run_view import RunView, Theory
from pages.ui.live.worker import THREAD_NAME, Worker, WorkError
from red_core.algorithm.algorithm1 import Update, finished, step
from red_core.algorithm.observe import Iterate
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.state import State as SolverState
from red_core.algorithm.verdict import Verdict
from red_core.recording.run_recorder import RunRecorder, live_mu
from red_core.recording.slice_plane import has_latent
from red_core.run.experiment import (
    AttackedBatch,
    craft_example,
    readers_for,
    start_seeds,
)
from red_core.run.settings import RunSettings
from red_core.theory import certify, mu_to_last, proximal_pl

__all__ = ["THREAD_NAME", "Runner"]


class Runner(Worker[Update]):
    """One run of a batch of one.

    parts, settings: what is solved; example: x', or None where the run crafts it itself, of `own`
    where the settings name the user's image; recorder: gets every moment, attack included;
    origin: what it begins from beside its settings; batches: whose runs it may compute with, of
    the same line (None: it computes alone); the rest is the worker's. `step` takes "both", "z" or
    "c_a".
    """

    def __init__(
        self,
        parts: LoadedModels,
        settings: RunSettings,
        example: AttackedBatch | None,
        *,
        own: Tensor | None = None,
        recorder: RunRecorder | None = None,
        origin: Origin = ITS_OWN,
        paused: bool = False,
        speed: float | None = None,
        line: FairLock = COMPUTE_QUEUE,
        batches: Batches | None = None,
    ) -> None:
        self.parts, self.settings = parts, settings
        self._example, self._own, self.recorder, self._origin = example, own, recorder, origin
        self.options = options = settings.solver_options()
        self._batches = batches or Batches(line)
        self._has_latent = has_latent(settings)
        # Without a latent space z is an image, and has no distance from z*.
        self._truth: tuple[Tensor, Tensor] | None = None
        self._total = options.total
        self._planned = tuple(grid_ks(self._total))
        self._solved: tuple[RedProblem, SolverState] | None = None
        self._history = History()
        self._mu: dict[int, float] = {}
        self._verdict: Verdict | None = None
        self._theory: Theory | None = None
        self._labels: dict[int, int] = {}
        super().__init__("both", paused=paused, speed=speed, line=line)

    @property
    def example(self) -> AttackedBatch:
        """x and x'; there once the run has begun to record iterates."""
        assert self._example is not None
        return self._example

    # --- watching ------------------------------------------------------------------------

    def view(self) -> RunView:
        """The run at this moment."""
        with self._changed:
            frames = tuple(self._history.frames)
            return RunView(
                state=self._state,
                place=self._place,
                total=self._total,
                planned=self._planned,
                frames=frames,
                seconds=self._seconds,
                verdict=self._verdict,
                theory=self._theory,
                busy=self._busy,
                error=self.message,
            )

    def labels(self, frames: list[Iterate]) -> list[int]:
        """What psi says of G(z^k), for a few frames; each is asked once."""
        new = [frame for frame in frames if frame.k not in self._labels]
        if new:
            images = torch.cat([frame.image for frame in new]).to(self.parts.bundle.device)
            with torch.no_grad():
                answers = self.parts.bundle.psi(images).argmax(1).tolist()
            self._labels.update(zip((frame.k for frame in new), answers, strict=True))
        return [self._labels[frame.k] for frame in frames]

    # --- for its batches (`run_batches`), called in the thread that computes ---------------

    @property
    def solved(self) -> tuple[RedProblem, SolverState]:
        """The problem and the state, one item; out of date while the run is in a batch."""
        assert self._solved is not None  # made by `_begin`, before any batch is joined
        return self._solved

    @solved.setter
    def solved(self, solved: tuple[RedProblem, SolverState]) -> None:
        self._solved = solved

    @property
    def closed(self) -> bool:
        """Whether the run is closed: nobody watches any more."""
        return self._closed

    @property
    def single_step(self) -> bool:
        """Whether its present step was ordered as a single one."""
        return self._state == "paused"

    def add_iterate(self, iterate: Iterate, began: float) -> float:
        """Add an iterate to `view`; returns its mu. FloatingPointError where it is not finite."""
        if not math.isfinite(float(iterate.loss[0])):
            raise FloatingPointError(
                f"At step {iterate.k} the iterates stopped being finite: the step on z is too "
                "large. Lower it under Advanced."
            )
        basis = None if self._truth is None else self.parts.basis
        mu = live_mu(iterate, self._truth, basis)
        with self._changed:
            self._history.add(iterate)
            self._mu[iterate.k] = mu
            self._seconds += time.perf_counter() - began
        return mu

    def set_verdict(self, verdict: Verdict, last: Iterate, began: float) -> None:
        """Set the verdict on the last iterate."""
        ended = "stopped" if self._state == "stopped" else "finished"
        if self.recorder is not None:
            self.recorder.verdict(verdict, last, ended)
        with self._changed:
            self._verdict = verdict
            self._seconds += time.perf_counter() - began
            self._settle()

    # --- the thread ----------------------------------------------------------------------

    def _begin(self) -> None:
        if self._example is None:
            seed = self._origin.attack_seed
            attack = self.settings if seed is None else replace(self.settings, seed=seed)
            try:
                self._example = craft_example(self.parts.bundle, attack, self._own, self._watch)
            except ValueError as error:  # such as l1 on a device whose attack does not run
                raise WorkError(f"The attack could not be made: {error}.") from error
        if self.recorder is not None:
            self.recorder.attacked(self._example)
        self._truth = self._example.truth if self._has_latent else None
        seeds = start_seeds(self.settings)
        attacked, bundle = self.example.attacked, self.parts.bundle
        try:
            self.solved = begin_from(bundle, attacked, self.options, seeds, self._origin)
        except NoStartError as error:
            raise WorkError(f"The run cannot begin: {error}.") from error
        self._record(time.perf_counter() - self._first_turn.seconds)

    def _count(self, seconds: float) -> None:
        """Nothing: every iterate counts for itself, since a batch computes some of them."""

    def _watch(self, done: int, images: Tensor, logits: Tensor) -> None:
        """Before each step of the attack."""
        if self.recorder is not None:
            self.recorder.watch(done, images, logits)
        self._first_turn.yield_turn()

    @property
    def _done(self) -> bool:
        return finished(self.solved[1], self.options)

    def _take(self, order: Update) -> None:
        began = time.perf_counter()
        problem, state = self.solved
        self.solved = problem, step(problem, state, self.options, order)
        self._record(began)

    def _take_together(self) -> bool:
        self._batches.join(self, step_key(self), lambda: step_batch(self))
        return True

    def _record(self, began: float) -> None:
        (fault,) = record_step([self], *self.solved, began)
        if fault is not None:
            raise fault

    def _finish(self) -> None:
        """The verdict, then what the gap and the theorems say; all of the last iterate."""
        self._batches.join(self, verdict_key(self), VerdictBatch)
        self._certify()
        if not self._has_latent:  # the theorems speak of z
            return
        with self._line.turn(give_up=lambda: self._closed) as mine:
            if mine and not self._closed:
                theory = self._theorise(self.solved[0])
                if self.recorder is not None:
                    ks = [frame.k for frame in self._history.frames]
                    self.recorder.theory(ks, theory.mu, theory.proximal_pl)
                with self._changed:
                    self._theory = theory

    def _certify(self) -> None:
        """What the gap says; between its sweeps all others go first, whose verdicts are to come."""
        if self.recorder is None:
            return
        bundle = self.parts.bundle
        rule = readers_for(bundle, self.settings.preset).rule_lambda
        last = moved(self._history.frames[-1], bundle.device)
        with (
            suppress(Interrupted),
            Turn(self._line, lambda place: None, lambda: self._closed, seconds=0) as turn,
        ):
            blocks = self.parts.blocks
            found = certify(self.solved[0], last, rule, blocks, turn.yield_turn)
            self.recorder.certificate(found)

    def _theorise(self, problem: RedProblem) -> Theory:
        device = self.parts.bundle.device
        frames = [moved(frame, device) for frame in self._history.frames]
        exact = self._truth is not None
        if exact:
            mu = [self._mu[frame.k] for frame in frames]
        else:
            mu = mu_to_last(frames, self.parts.basis)[:, 0].tolist()
        quotient = proximal_pl(problem, frames)[:, 0].tolist()
        return Theory(tuple(mu), exact, tuple(quotient))

    def _full(self) -> str:
        device = self.parts.bundle.device.type
        return f"The {device} device ran out of memory. Choose the CPU in the sidebar."
