"""What the pages keep for a browser tab: their workers and streams, over drops and reloads.

Streamlit releases the caches of a session at every drop of its connection, and begins a new session
for a tab that reloads, or comes back after minutes. So this keeps a tab's by its session, and gives
the workers of an earlier session to the one whose tab knows a key of that one's streams.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import torch

from pages.ui.live import limits
from pages.ui.live.stream import Stream
from pages.ui.live.watched import Watched, give_back_memory, sweep_for_ever, to_remove
from pages.ui.live.worker import Worker


class Registry(Protocol):
    """The workers of one page."""

    def workers(self) -> Iterable[Worker[Any]]:
        """All that there are now."""

    def take_over(self, before: Any) -> object:
        """Take the workers of another registry of its class: the tab's before it was reloaded.

        Those on other work than this one's stay with the other.
        """

    def clear(self) -> None:
        """End all workers, and forget them."""


R = TypeVar("R", bound=Registry)


class Visitor(Watched):
    """One session of a browser tab."""

    def __init__(
        self,
        session: str,
        connected: Callable[[str], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(clock)
        self._session, self._connected_session = session, connected
        self._registries: dict[str, Registry] = {}
        self._streams: dict[str, Stream] = {}

    def registry(self, kind: type[R]) -> R:
        """Its registry of a class, made where there is none yet."""
        with self._lock:
            name = kind.__qualname__  # a module may be imported anew
            if name not in self._registries:
                self._registries[name] = kind()
            return cast(R, self._registries[name])

    def stream(self, name: str) -> Stream:
        """Its stream of a part of a page."""
        with self._lock:
            if name not in self._streams:
                self._streams[name] = Stream(self)
            return self._streams[name]

    def take_over(self, before: Visitor) -> bool:
        """Get the workers of the tab's session before this one; False where a tab watches it."""
        if before is self or before.watched:
            return False
        for name, registry in list(before._registries.items()):
            if name in self._registries:
                self._registries[name].take_over(registry)
        for stream in list(self._streams.values()):
            stream.make_stale()
        return True

    @property
    def watched(self) -> bool:
        """Whether a browser is connected: by a stream, or its page to Streamlit."""
        return super().watched or self.in_session

    @property
    def in_session(self) -> bool:
        """Whether its page is connected to Streamlit, in this session."""
        return self._connected_session(self._session)

    def extend_while_watched(self) -> None:
        """Where its page is connected, it is kept as long as if it were cut off now."""
        with self._lock:
            if self._closed_at is None and self.watched:
                self._keep(closed=False)

    @property
    def bytes(self) -> int:
        """The size of what its workers show."""
        registries = list(self._registries.values())
        return sum(size_of(worker.view()) for each in registries for worker in each.workers())

    def close(self) -> None:
        """End all workers, and let go of everything."""
        with self._lock:
            registries, self._registries, self._streams = self._registries, {}, {}
        for registry in registries.values():
            registry.clear()


class Visitors:
    """The visitors of the process by their sessions; those that nobody comes back to are ended.

    connected: whether a session's browser is there; clock: in seconds.
    """

    def __init__(
        self, connected: Callable[[str], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connected, self._clock = connected, clock
        self._visitors: dict[str, Visitor] = {}
        self._lock = threading.Lock()
        self._sweeper: threading.Thread | None = None

    def of(self, session: str) -> Visitor:
        """The visitor of a session."""
        with self._lock:
            if self._sweeper is None:
                self._sweeper = sweep_for_ever("red-visitors", self.sweep)
            if session not in self._visitors:
                self._visitors[session] = Visitor(session, self._connected, self._clock)
            return self._visitors[session]

    def sweep(self) -> None:
        """End what has expired, and what is beyond a bound: the oldest first."""
        for visitor in self._all():
            visitor.extend_while_watched()
        removed = list(self._removed())
        for visitor in removed:
            visitor.close()
        if removed:
            give_back_memory()

    def _removed(self) -> Iterable[Visitor]:
        for visitor in to_remove(self._all):
            with self._lock:
                self._visitors = {
                    session: each for session, each in self._visitors.items() if each is not visitor
                }
            yield visitor

    def _all(self) -> list[Visitor]:
        with self._lock:
            return list(self._visitors.values())


VISITORS = Visitors(limits.connected)


def this_visitor() -> Visitor:
    """That of the session whose script this is."""
    return VISITORS.of(limits.session_id())


def size_of(value: Any) -> int:
    """Bytes of the tensors and arrays in dataclasses, mappings and sequences, each storage once."""
    seen: set[int] = set()

    def size(value: Any) -> int:
        if torch.is_tensor(value):
            storage = value.untyped_storage()
            new = storage.data_ptr() not in seen
            seen.add(storage.data_ptr())
            return storage.nbytes() if new else 0
        if isinstance(value, np.ndarray):
            return value.nbytes
        if is_dataclass(value) and not isinstance(value, type):
            return sum(size(getattr(value, field.name)) for field in fields(value))
        if isinstance(value, Mapping):
            return sum(size(each) for each in value.values())
        if isinstance(value, (list, tuple)):
            return sum(size(each) for each in value)
        return 0

    return size(value)
