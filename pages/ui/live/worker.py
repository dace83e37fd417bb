"""A computation that a page watches and steers: a daemon thread that stops between two steps.

The thread draws nothing and calls no `st.*`; it records. Pages steer through `pause`, `resume`,
`step`, `stop`, `set_speed` and `close`, and look through a `view` of the subclass's own. Every
stretch of computing takes its turn in the compute queue, so a paused or slowed worker holds up
nobody.
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Generic, Literal, TypeVar
from weakref import WeakSet

import torch

from pages.ui.live import limits
from pages.ui.live.compute_queue import COMPUTE_QUEUE, DRAW_PRIORITY, FairLock, Interrupted, Turn
from red_core.threads import threads_for

THREAD_NAME = "red-run"
State = Literal["running", "paused", "finished", "stopped", "failed"]
Order = TypeVar("Order")  # what a person may ask a paused worker to do, one step of it


class WorkError(Exception):
    """What ends the work, in one sentence for the user."""


_log = logging.getLogger("red.worker")
_WORKERS: WeakSet[Worker[Any]] = WeakSet()  # of this process
# Two workers at once must not take the same last place; reentrant: around a check and a beginning.
ADMITTING = threading.RLock()


def computing(but: Worker[Any] | None = None) -> int:
    """How many workers of this process compute or wait for their turn, besides `but`."""
    with ADMITTING:
        return sum(each is not but and each.computes for each in _WORKERS)


class Worker(ABC, Generic[Order]):
    """The thread and its steering; a subclass says what beginning, one step and ending are.

    A subclass sets its own fields before it calls this `__init__`, which starts the thread, and
    writes what `view` shows under `_changed`.

    batch: images that are computed together, which decides on how many threads; automatic: the
    order of every step that is not asked for singly; paused: wait for the first
    `step` or `resume`; speed: steps a second at most, None for all the machine gives.
    """

    batch = 1

    def __init__(
        self,
        automatic: Order,
        *,
        paused: bool = False,
        speed: float | None = None,
        line: FairLock = COMPUTE_QUEUE,
    ) -> None:
        self._automatic = automatic
        self._line = line
        self._changed = threading.Condition()
        self._state: State = "paused" if paused else "running"
        self._closed = False
        self._manual: deque[Order] = deque()
        self._speed = speed
        self._place = 0  # workers ahead in the line, before it begins
        self._error = ""
        self._notice = ""  # why it was stopped, where no person did it
        self._seconds = 0.0  # computed so far; waiting does not count
        self._busy = True  # something may still change without an order
        self.steered = False  # whether a step was asked for singly
        with ADMITTING:
            if computing() >= limits.RUNS.value:
                self._error = limits.too_many_runs()
            _WORKERS.add(self)
        self._thread = threading.Thread(target=self._work, name=THREAD_NAME, daemon=True)
        self._thread.start()

    # --- what a subclass says: all of it runs in the thread ------------------------------

    @abstractmethod
    def _begin(self) -> None:
        """Make what is computed and record its start; within a turn.

        A long one calls `_first_turn.yield_turn` once there is something to see, and later on.
        """

    @property
    @abstractmethod
    def _done(self) -> bool:
        """Whether no step is left."""

    @abstractmethod
    def _take(self, order: Order) -> None:
        """One step, recorded; within a turn. FloatingPointError ends the work with its message."""

    def _take_together(self) -> bool:
        """Take steps in a batch with other workers while `free_running`; False: there is none."""
        return False

    def _finish(self) -> None:
        """After the last step, or a stop: take turns of one's own, then `_settle`."""
        self._settle()

    def _full(self) -> str:
        """What to say where memory runs out."""
        return "The memory ran out. Choose smaller numbers."

    def view(self) -> Any:
        """What there is to see of it now."""
        return self.status()

    def status(self) -> dict[str, object]:
        """The state in plain values.

        place: workers ahead; busy: something may still change; notice: why it was stopped, where
        no person did it.
        """
        with self._changed:
            return {
                "state": self._state,
                "place": self._place,
                "busy": self._busy,
                "error": self._error,
                "notice": self._notice,
            }

    @property
    def message(self) -> str:
        """Why it failed, or was stopped, where no person did it."""
        return self._error or self._notice

    @property
    def computes(self) -> bool:
        """Whether it computes, or waits for its turn."""
        return self._busy and not self._closed

    @property
    def seconds(self) -> float:
        """Computed so far; waiting does not count."""
        with self._changed:
            return self._seconds

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

    def step(self, order: Order, wait: float = 1.0) -> None:
        """One step of a paused worker; comes back when it is recorded, or after `wait` seconds."""
        with self._changed:
            if self._state != "paused":
                return
            self.steered = True
            self._manual.append(order)
            self._busy = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._busy, timeout=wait)

    def stop(self) -> None:
        """End here; what was found so far stays."""
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

    @property
    def free_running(self) -> bool:
        """Whether it takes steps without orders, as fast as the machine can."""
        with self._changed:
            running = self._state == "running" and not self._closed
            return running and self._speed is None and not self._manual and not self._too_long

    # --- the thread ----------------------------------------------------------------------

    def _work(self) -> None:
        torch.set_num_threads(threads_for(self.batch))  # it holds for the calling thread alone
        try:
            if self._error:
                raise WorkError(self._error)
            if self._started():
                while not self._done:
                    order = self._wait_for_order()
                    if order is None:
                        break
                    if not (self.free_running and self._take_together()):
                        self._advance(order)
                self._finish()
        except torch.OutOfMemoryError:
            self._fail(self._full())
        except (FloatingPointError, WorkError) as error:
            self._fail(str(error))
        except Exception:
            _log.exception("a run failed")
            self._fail("The run failed; the terminal that runs the app shows why.")
        finally:
            with self._changed:
                self._busy = False
                self._place = 0
                self._changed.notify_all()

    def _started(self) -> bool:
        self._first_turn = Turn(
            self._line, self._tell_place, self._over, over=lambda: self._closed, first_picture=True
        )
        try:
            with self._first_turn:
                self._begin()
        except Interrupted:
            return False
        self._count(self._first_turn.seconds)
        return True

    def _count(self, seconds: float) -> None:
        """Add to the seconds computed."""
        with self._changed:
            self._seconds += seconds

    @property
    def _too_long(self) -> bool:
        return self.seconds > 60 * limits.RUN_MINUTES.value

    def _wait_for_order(self) -> Order | None:
        """The next step to take, once there is one; None when there will be none."""
        with self._changed:
            while True:
                if not self._over() and self._too_long:
                    self._state, self._notice = "stopped", limits.run_too_long()
                if self._over():
                    return None
                if self._manual:
                    return self._manual.popleft()
                if self._state == "running":
                    return self._automatic
                self._busy = False
                self._changed.notify_all()
                self._changed.wait()

    def _over(self) -> bool:
        return self._closed or self._state not in ("running", "paused")

    def _advance(self, order: Order) -> None:
        """Steps for a slice of time, or one step where a person or slow motion asks for one."""
        with self._line.turn(give_up=self._over) as mine:
            if not mine:
                return
            turn_began = time.perf_counter()
            while True:
                DRAW_PRIORITY.let_draw()
                began = time.perf_counter()
                self._take(order)
                self._count(time.perf_counter() - began)
                if self._done or self._too_long or order != self._automatic:
                    return
                if self._state != "running" or self._closed:
                    return
                speed = self._speed
                if speed is not None:
                    break
                if self._line.is_over(turn_began):
                    return
        with self._changed:  # slow motion sleeps outside the line, and wakes at any order
            left = 1 / speed - (time.perf_counter() - began)
            if left > 0:
                self._changed.wait_for(
                    lambda: self._state != "running" or self._closed or self._speed != speed, left
                )

    def _tell_place(self, place: int) -> None:
        with self._changed:
            self._place = place

    def _settle(self) -> None:
        """What was not stopped is finished."""
        with self._changed:
            if self._state in ("running", "paused"):
                self._state = "finished"
            self._changed.notify_all()

    def _fail(self, message: str) -> None:
        with self._changed:
            self._state, self._error = "failed", message


class LongSteps(Worker[str]):
    """A worker with long steps: each `_take` asks for turns of its own.

    A method's `classify` is one call of up to a minute: between two of its steps (`watch`) it
    yields its turn, and ends where nobody waits for its answer any more.
    """

    def _advance(self, order: str) -> None:
        self._take(order)

    @contextmanager
    def _turn(self) -> Iterator[Turn]:
        def over() -> bool:
            return self._over() or self.seconds + turn.seconds > 60 * limits.RUN_MINUTES.value

        turn = Turn(self._line, self._tell_place, self._over, over=over)
        with turn:
            try:
                yield turn
            finally:
                self._count(turn.seconds)
