"""What a command prints cannot end it: characters that do not fit, closed pipes, full disks."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


class Guarded:
    """A text stream whose `write` and `flush` do not fail; everything else is the stream's own.

    Characters that the stream's encoding lacks are printed as "?". After an error of the system
    nothing more is printed; fault: that error, or None.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.fault: OSError | None = None

    def write(self, text: str) -> int:
        if self.fault is None:
            with self._caught():
                try:
                    self._stream.write(text)
                except UnicodeEncodeError:
                    encoding = getattr(self._stream, "encoding", None) or "ascii"
                    self._stream.write(text.encode(encoding, "replace").decode(encoding))
        return len(text)

    def flush(self) -> None:
        if self.fault is None:
            with self._caught():
                self._stream.flush()

    @contextmanager
    def _caught(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.fault = error
        except ValueError as error:  # of a closed file
            self.fault = OSError(errno.EBADF, str(error))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def guarded() -> Iterator[Guarded]:
    """Guard stdout and stderr within the body; gives the guarded stdout."""
    before = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as null:  # where a process has none of them
        out, err = (Guarded(null if stream is None else stream) for stream in before)
        sys.stdout, sys.stderr = out, err
        try:
            yield out
        finally:
            sys.stdout, sys.stderr = before
            for guard in (out, err):
                guard.flush()
                if guard.fault is not None:
                    _discard(guard)


def _discard(guard: Guarded) -> None:
    """Let what is still in a broken stream's buffer go nowhere: Python flushes it at the end."""
    with suppress(OSError, ValueError, AttributeError):
        descriptor = guard.fileno()
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, descriptor)
        finally:
            os.close(null)
