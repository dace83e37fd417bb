"""A worker that a session keeps, and what it works on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pages.ui.live.worker import Worker

W = TypeVar("W", bound=Worker[Any])


class KeptWorker(Generic[W]):
    """One worker at most; it ends where other work is asked for."""

    def __init__(self) -> None:
        self._kept: tuple[object, W] | None = None

    @property
    def present(self) -> W | None:
        """The worker, whatever it works on."""
        return None if self._kept is None else self._kept[1]

    def workers(self) -> tuple[W, ...]:
        """The worker, where there is one."""
        return () if self.present is None else (self.present,)

    def find(self, work: object) -> W | None:
        """The worker on this work, None where there is none; one on another goes on."""
        kept = self._kept
        return kept[1] if kept is not None and kept[0] == work else None

    def on(self, work: object) -> W | None:
        """The worker on this work; one on another is ended and forgotten."""
        if self._kept is not None and self._kept[0] != work:
            self.end()
        return self.present

    def begin(self, work: object, make: Callable[[], W]) -> W:
        """Keep a new worker, once the one before has been ended: both would count as computing."""
        self.end()
        made = make()
        self._kept = work, made
        return made

    def take_over(self, before: KeptWorker[W]) -> bool:
        """Take the worker of another one, if there is one and the two are not on different work."""
        kept = before._kept
        if kept is None or (self._kept is not None and self._kept[0] != kept[0]):
            return False
        self.end()
        self._kept, before._kept = kept, None
        return True

    def end(self) -> None:
        """End the worker and forget it."""
        if self._kept is not None:
            self._kept[1].close()
        self._kept = None
