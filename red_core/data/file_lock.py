"""A lock that processes and threads wait for; the system frees it when its holder dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_POLL = 0.2  # seconds between two tries


@contextmanager
def locked(path: Path, give_up: Callable[[], bool] = lambda: False) -> Iterator[bool]:
    """Wait for the lock; the body gets True, or False where `give_up` said so first.

    path: a file of its own for the lock, made if need be and left where it is: to remove it would
    let two waiters lock two files of one name. Raises OSError where it cannot be made.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        mine = _try(handle)
        while not mine and not give_up():
            time.sleep(_POLL)
            mine = _try(handle)
        yield mine
    finally:
        os.close(handle)  # and with it the lock


def _try(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # how either system says that it is taken
        return False
    return True
