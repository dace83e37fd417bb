"""A turn in the compute queue that a long computation yields now and then.

A method's `classify` is one call of up to a minute. Between two of its steps (`watch`) it lets
pages draw and others compute, and ends where nobody waits for its answer any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Self

from pages.ui.live.compute_queue import DRAW_PRIORITY, SLICE, FairLock
from pages.ui.live.worker import Worker


class Interrupted(Exception):
    """The computation was stopped, or its page was left."""


class Turn:
    """Holds a place in `line` from `with` on, except while `yield_turn` has given it away.

    tell_place: called with the number of those ahead; over: whether to stop. `with` and
    `yield_turn` raise Interrupted once `over()`.
    """

    def __init__(
        self, line: FairLock, tell_place: Callable[[int], None], over: Callable[[], bool]
    ) -> None:
        self._line, self._tell_place, self._over = line, tell_place, over
        self._stack = ExitStack()
        self._seconds = 0.0
        self._since = 0.0

    def __enter__(self) -> Self:
        self._wait()
        return self

    def __exit__(self, *_error: object) -> None:
        self._leave()

    @property
    def seconds(self) -> float:
        """Computed so far; waiting does not count."""
        return self._seconds + time.perf_counter() - self._since

    def yield_turn(self) -> None:
        """Between two steps: pages may draw, and after a slice of time others compute."""
        if self._over():
            raise Interrupted
        waited = time.perf_counter()
        DRAW_PRIORITY.let_draw()
        self._since += time.perf_counter() - waited
        if time.perf_counter() - self._began > SLICE and self._line.others_wait:
            self._leave()
            self._wait()

    def _wait(self) -> None:
        mine = self._stack.enter_context(self._line.turn(self._tell_place, self._over))
        if not mine or self._over():
            self._stack.close()
            raise Interrupted
        self._since = self._began = time.perf_counter()

    def _leave(self) -> None:
        self._seconds, self._since = self.seconds, time.perf_counter()
        self._stack.close()


class LongSteps(Worker[str]):
    """A worker with long steps: each `_take` asks for turns of its own."""

    def _advance(self, order: str) -> None:
        self._take(order)

    def _turn(self) -> Turn:
        return Turn(self._line, self._tell_place, self._over)
