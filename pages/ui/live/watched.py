"""What the server keeps for browsers: until when, and how much of it.

A dropped connection ends nothing. What a closed or reloaded tab leaves is kept for a minute, what a
dropped one leaves for ten, the oldest goes first where it is too much.
"""

from __future__ import annotations

import ctypes
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

CLOSED, DROPPED = 60.0, 600.0  # seconds that it is kept after its tab closed, or was cut off
RELOADED = 15.0  # of them, those in which most tabs that were reloaded are back
CLOSED_BYTES = 32 * 2**20  # of what tabs have left that have been closed for longer than that
MOST_BYTES = 256 * 2**20  # of everything that no browser is connected to
_SWEEP = 5.0  # seconds between two looks at what may go
_log = logging.getLogger("red.watched")


class Watched(ABC):
    """Something that a browser is connected to, or may come back to.

    clock: in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sockets = 0
        self._kept_until = clock() + DROPPED
        self._closed_at: float | None = None

    def connected(self) -> None:
        """A browser watches."""
        with self._lock:
            self._sockets += 1
            self._closed_at = None

    def disconnected(self, closed: bool) -> None:
        """A browser left; closed: its tab closed or reloaded, rather than the line being cut."""
        with self._lock:
            self._sockets -= 1
            self._keep(closed)

    def _keep(self, closed: bool) -> None:
        """Count the time that it is kept from now on."""
        self._kept_until = self._clock() + (CLOSED if closed else DROPPED)
        self._closed_at = self._clock() if closed else None

    @property
    def watched(self) -> bool:
        """Whether a browser is connected."""
        return self._sockets > 0

    @property
    def expired(self) -> bool:
        """Whether nobody watches, and nobody is expected to come back."""
        return not self.watched and self._clock() > self._kept_until

    @property
    def left(self) -> bool:
        """Whether its tab was closed, and not reloaded."""
        closed = self._closed_at
        return not self.watched and closed is not None and self._clock() > closed + RELOADED

    @property
    @abstractmethod
    def bytes(self) -> int:
        """The size of what is kept."""


Kept = TypeVar("Kept", bound=Watched)


def to_remove(kept: Callable[[], Sequence[Kept]]) -> Iterator[Kept]:
    """What has expired, then what is beyond a bound, the first of them first.

    kept: everything, anew at every call: each is to be removed before the next one is asked for.
    """
    yield from [each for each in kept() if each.expired]
    yield from beyond([each for each in kept() if each.left], CLOSED_BYTES)
    yield from beyond([each for each in kept() if not each.watched], MOST_BYTES)


def beyond(kept: Sequence[Kept], most: int) -> Iterator[Kept]:
    """The first of these, until the others hold no more bytes than that."""
    sizes = [each.bytes for each in kept]
    size = sum(sizes)
    for each, its in zip(kept, sizes, strict=True):
        if size <= most:
            return
        yield each
        size -= its


def sweep_for_ever(name: str, sweep: Callable[[], object]) -> threading.Thread:
    """Begin a thread that calls `sweep` every few seconds; one that fails ends no later one."""

    def work() -> None:
        while True:
            time.sleep(_SWEEP)
            try:
                sweep()
            except Exception:
                _log.exception("what nobody watches could not be looked through")

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


def give_back_memory() -> None:
    """Give freed memory to the system, where the C library is glibc.

    It keeps what ended threads have freed in arenas of theirs, and every run is a thread.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library, or Windows
        return
    trim(0)
