"""One queue for everything that computes: sessions take turns, first in, first out.

As many computations run at once as there are cores, one thread each. A run does not keep a core
to its end: it computes for a slice of time, then goes to the back of the queue, so that every
visitor's first picture comes soon and a paused run delays nobody. What computes gives its core to
a first picture at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Self

from red_core.threads import cores

SLICE = 0.4  # seconds a run may compute while others wait
MOST_OVERTAKEN = 20  # times that a waiter is overtaken by first pictures
_POLL = 0.2  # seconds between two checks of the place in the queue


@dataclass(eq=False)
class _Ticket:
    first_picture: bool
    overtaken: int = 0


class FairLock:
    """A first-in, first-out lock whose waiters know how many are ahead of them.

    slots: how many may have it at once.
    """

    def __init__(self, slots: int = 1) -> None:
        self._slots = slots
        self._changed = threading.Condition()
        self._waiting: list[_Ticket] = []  # the first `slots` of them compute

    @contextmanager
    def turn(
        self,
        on_place: Callable[[int], None] = lambda place: None,
        give_up: Callable[[], bool] = lambda: False,
        first_picture: bool = False,
    ) -> Iterator[bool]:
        """Wait for the turn; the body gets True, or False where `give_up` returned True first.

        on_place: called with the number of waiters ahead whenever that changes, 0 at the end;
        first_picture: of a visitor, which goes before the runs that have begun (each waiter is
        overtaken MOST_OVERTAKEN times at most).
        """
        ticket = _Ticket(first_picture)
        with self._changed:
            place = len(self._waiting)
            while first_picture and place > self._slots and self._may_be_overtaken(place - 1):
                place -= 1
            for waiting in self._waiting[place:]:
                waiting.overtaken += 1
            self._waiting.insert(place, ticket)
        try:
            yield self._wait(ticket, on_place, give_up)
        finally:
            with self._changed:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _may_be_overtaken(self, place: int) -> bool:
        waiting = self._waiting[place]
        return not waiting.first_picture and waiting.overtaken < MOST_OVERTAKEN

    def _wait(
        self, ticket: _Ticket, on_place: Callable[[int], None], give_up: Callable[[], bool]
    ) -> bool:
        reported = None
        while True:
            with self._changed:
                place = self._place_of(ticket)
                if place and place == reported:
                    self._changed.wait(_POLL)
                    place = self._place_of(ticket)
            if place != reported and not (place == 0 and reported is None):
                on_place(place)  # outside the lock: it may draw, or end the script
            reported = place
            if place == 0:
                return True
            if give_up():
                return False

    def _place_of(self, ticket: _Ticket) -> int:
        return max(0, self._waiting.index(ticket) - self._slots + 1)

    @property
    def others_wait(self) -> bool:
        """Whether others wait behind those that compute."""
        with self._changed:
            return len(self._waiting) > self._slots

    def is_over(self, since: float, seconds: float = SLICE) -> bool:
        """Whether a turn that began at `since` (`time.perf_counter`) is to be given to others.

        It is when they wait and it has lasted so many seconds, and at once when one of them waits
        for its first picture.
        """
        with self._changed:
            waiting = self._waiting[self._slots :]
        if any(ticket.first_picture for ticket in waiting):
            return True
        return bool(waiting) and time.perf_counter() - since >= seconds

    @property
    def alone(self) -> bool:
        """Whether nothing computes or waits but the caller."""
        with self._changed:
            return len(self._waiting) < 2


class Interrupted(Exception):
    """The computation was stopped, or its page was left."""


class Turn:
    """A turn in `line` from `with` on, except while `yield_turn` has given it away.

    tell_place: called with the number of those ahead, the first time; give_up: whether not to
    begin; over: whether to end, once it has begun (give_up, unless it is given). `with` and
    `yield_turn` raise Interrupted then. first_picture: as in `FairLock.turn`, the first time;
    seconds: that it lasts while others wait.
    """

    def __init__(
        self,
        line: FairLock,
        tell_place: Callable[[int], None],
        give_up: Callable[[], bool],
        *,
        over: Callable[[], bool] | None = None,
        first_picture: bool = False,
        seconds: float = SLICE,
    ) -> None:
        self._line, self._tell_place, self._slice = line, tell_place, seconds
        self._give_up, self._over = give_up, over or give_up
        self._first_picture = first_picture
        self._stack = ExitStack()
        self._seconds = 0.0
        self._since = 0.0

    def __enter__(self) -> Self:
        self._wait(
            self._line.turn(self._tell_place, self._give_up, self._first_picture), self._give_up
        )
        return self

    def __exit__(self, *_error: object) -> None:
        self._leave()

    @property
    def seconds(self) -> float:
        """Computed so far; waiting does not count."""
        return self._seconds + time.perf_counter() - self._since

    def yield_turn(self) -> None:
        """Between two steps: pages may draw, and others compute when the turn is over."""
        if self._over():
            raise Interrupted
        waited = time.perf_counter()
        DRAW_PRIORITY.let_draw()
        self._since += time.perf_counter() - waited
        if self._line.is_over(self._began, self._slice):
            self._leave()
            self._wait(self._line.turn(give_up=self._over), self._over)

    def _wait(self, turn: AbstractContextManager[bool], give_up: Callable[[], bool]) -> None:
        mine = self._stack.enter_context(turn)
        if not mine or give_up():
            self._stack.close()
            raise Interrupted
        self._since = self._began = time.perf_counter()

    def _leave(self) -> None:
        self._seconds, self._since = self.seconds, time.perf_counter()
        self._stack.close()


class DrawPriority:
    """Lets pages draw between two steps of a run.

    A step makes hundreds of torch calls that each give the interpreter away and wait for it
    again; beside a page that draws, both would crawl.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._drawing = 0

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Around what a page draws."""
        with self._changed:
            self._drawing += 1
        try:
            yield
        finally:
            with self._changed:
                self._drawing -= 1
                self._changed.notify_all()

    def let_draw(self, most: float = 0.1) -> None:
        """Before a step: wait for the pages that draw, `most` seconds at most."""
        with self._changed:
            self._changed.wait_for(lambda: self._drawing == 0, most)


COMPUTE_QUEUE = FairLock(cores())  # of this process: all sessions share it
DRAW_PRIORITY = DrawPriority()
