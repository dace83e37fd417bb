"""The live run: a daemon thread around `red_core.solver.Solver` that a page watches.

The thread draws nothing and calls no `st.*`; it records. A page asks `view()` for what there is
and steers through `pause`, `resume`, `step`, `stop` and `set_speed`. Every stretch of computing
takes its turn in the process's one line, so a paused or slowed run holds up nobody.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque

import torch

from pages.ui.history import History, grid_ks, moved
from pages.ui.run_view import Parts, RunView, State, Theory
from pages.ui.turns import COURTESY, LINE, SLICE, Line
from red_core.experiment import Deception, make_solver, readers_for, start_seeds
from red_core.settings import RunSettings
from red_core.solver import Iterate, Solver, Update
from red_core.theory import error_bound_mu, mu_to_last, proximal_pl
from red_core.verdict import Verdict, judge

THREAD_NAME = "red-run"

_log = logging.getLogger("red.runner")


class Runner:
    """One run of a batch of one.

    parts, settings, deception: what is solved; paused: wait for the first `step` or `resume`;
    speed: steps a second at most, None for all the machine gives.
    """

    def __init__(
        self,
        parts: Parts,
        settings: RunSettings,
        deception: Deception,
        *,
        paused: bool = False,
        speed: float | None = None,
        line: Line = LINE,
    ) -> None:
        self.parts, self.settings, self.deception = parts, settings, deception
        options = settings.solver_options()
        self._start_steps = options.start_steps
        self._total = options.start_steps + options.steps
        self._planned = tuple(grid_ks(self._total))
        self._line = line
        self._changed = threading.Condition()
        self._state: State = "paused" if paused else "running"
        self._closed = False
        self._manual: deque[Update] = deque()
        self._speed = speed
        self._place = 0
        self._seconds = 0.0
        self._history = History()
        self._live: dict[int, float] = {}
        self._verdict: Verdict | None = None
        self._theory: Theory | None = None
        self._error = ""
        self._busy = True
        self._labels: dict[int, int] = {}
        self._thread = threading.Thread(target=self._work, name=THREAD_NAME, daemon=True)
        self._thread.start()

    # --- steering ------------------------------------------------------------------------

    def pause(self) -> None:
        """Wait after the present step."""
        self._move("running", "paused")

    def resume(self) -> None:
        """Go on."""
        self._move("paused", "running")

    def _move(self, source: State, target: State) -> None:
        with self._changed:
            if self._state == source:
                self._state = target
                self._busy = True
                self._changed.notify_all()

    def step(self, update: Update, wait: float = 1.0) -> None:
        """One step of a paused run; comes back when it is recorded, or after `wait` seconds."""
        with self._changed:
            if self._state != "paused":
                return
            self._manual.append(update)
            self._busy = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._busy, timeout=wait)

    def stop(self) -> None:
        """End the run here; what it found so far is judged."""
        with self._changed:
            if self._state in ("running", "paused"):
                self._state = "stopped"
                self._busy = True
                self._changed.notify_all()

    def close(self) -> None:
        """End the thread: nobody will look any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def set_speed(self, speed: float | None) -> None:
        """At most `speed` steps a second; None for all the machine gives."""
        with self._changed:
            if speed != self._speed:
                self._speed = speed
                self._changed.notify_all()

    # --- watching ------------------------------------------------------------------------

    def view(self) -> RunView:
        """The run as it stands."""
        with self._changed:
            frames = tuple(self._history.frames)
            return RunView(
                state=self._state,
                place=self._place,
                total=self._total,
                start_steps=self._start_steps,
                planned=self._planned,
                frames=frames,
                live=tuple(self._live[frame.k] for frame in frames),
                exact_mu=self.deception.truth is not None,
                seconds=self._seconds,
                verdict=self._verdict,
                theory=self._theory,
                busy=self._busy,
                error=self._error,
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

    # --- the thread ----------------------------------------------------------------------

    def _work(self) -> None:
        try:
            solver = self._begin()
            while solver is not None and not solver.done:
                update = self._wait_for_order()
                if update is None:
                    break
                self._advance(solver, update)
            if solver is not None:
                self._finish(solver)
        except torch.OutOfMemoryError:
            device = self.parts.bundle.device.type
            self._fail(f"The {device} device ran out of memory. Choose the CPU in the sidebar.")
        except FloatingPointError as error:
            self._fail(str(error))
        except Exception:
            _log.exception("a run failed")
            self._fail("The run failed; the terminal that runs the app shows why.")
        finally:
            with self._changed:
                self._busy = False
                self._place = 0
                self._changed.notify_all()

    def _begin(self) -> Solver | None:
        with self._line.turn(self._tell_place, self._over) as mine:
            if not mine:
                return None
            began = time.perf_counter()
            solver = make_solver(
                self.parts.bundle,
                self.deception.attacked,
                self.settings.solver_options(),
                start_seeds(self.settings),
            )
            self._record(solver.snapshot(), began)
        return solver

    def _wait_for_order(self) -> Update | None:
        """The next step to take, once there is one; None when there will be none."""
        with self._changed:
            while True:
                if self._over():
                    return None
                if self._manual:
                    return self._manual.popleft()
                if self._state == "running":
                    return "both"
                self._busy = False
                self._changed.notify_all()
                self._changed.wait()

    def _over(self) -> bool:
        return self._closed or self._state not in ("running", "paused")

    def _advance(self, solver: Solver, update: Update) -> None:
        """Steps for a slice of time, or one step where a person or slow motion asks for one."""
        with self._line.turn(self._tell_place, self._over) as mine:
            if not mine:
                return
            until = time.perf_counter() + SLICE
            while True:
                COURTESY.let_draw()
                began = time.perf_counter()
                solver.step(update)
                self._record(solver.snapshot(), began)
                if solver.done or update != "both" or self._state != "running" or self._closed:
                    return
                speed = self._speed
                if speed is not None:
                    break
                if time.perf_counter() > until and self._line.others_wait:
                    return
        with self._changed:  # slow motion sleeps outside the line, and wakes at any order
            left = 1 / speed - (time.perf_counter() - began)
            if left > 0:
                self._changed.wait_for(
                    lambda: self._state != "running" or self._closed or self._speed != speed, left
                )

    def _record(self, iterate: Iterate, began: float) -> None:
        if not math.isfinite(float(iterate.loss[0])):
            raise FloatingPointError(
                f"At step {iterate.k} the iterates stopped being finite: the step on z is too "
                "large. Lower it under Advanced."
            )
        live = iterate.prox_residual
        if self.deception.truth is not None:
            # Measured in D_a's row space: outside of it c_a does not change x'.
            live = error_bound_mu(
                iterate.gradient_norm,
                iterate.z,
                iterate.c_a,
                *self.deception.truth,
                self.parts.basis,
            )
        with self._changed:
            self._history.add(iterate)
            self._live[iterate.k] = float(live[0])
            self._seconds += time.perf_counter() - began

    def _finish(self, solver: Solver) -> None:
        """The verdict, then what the theorems say; both of the history's last iterate."""
        with self._line.turn(self._tell_place, lambda: self._closed) as mine:
            if not mine or self._closed:
                return
            began = time.perf_counter()
            last = solver.snapshot()
            readers = readers_for(self.parts.bundle, self.settings.preset)
            verdict = judge(solver.problem, last, readers)
            with self._changed:
                if self._state != "stopped":
                    self._state = "finished"
                self._verdict = verdict
                self._seconds += time.perf_counter() - began
                self._changed.notify_all()
        with self._line.turn(give_up=lambda: self._closed) as mine:
            if mine and not self._closed:
                theory = self._theorise(solver)
                with self._changed:
                    self._theory = theory

    def _theorise(self, solver: Solver) -> Theory:
        device = self.parts.bundle.device
        frames = [moved(frame, device) for frame in self._history.frames]
        exact = self.deception.truth is not None
        if exact:
            mu = [self._live[frame.k] for frame in frames]
        else:
            mu = mu_to_last(frames, self.parts.basis)[:, 0].tolist()
        quotient = proximal_pl(solver.problem, frames)[:, 0].tolist()
        return Theory(tuple(mu), exact, tuple(quotient))

    def _tell_place(self, place: int) -> None:
        with self._changed:
            self._place = place

    def _fail(self, message: str) -> None:
        with self._changed:
            self._state, self._error = "failed", message
