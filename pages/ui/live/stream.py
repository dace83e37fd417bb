"""What a page shows of its workers, made on the server and sent over a socket: no script runs.

A page is drawn when somebody chooses something. While its workers are busy, every place of it that
changes (a slot) is made anew from what they have found, and sent where it differs.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from pages.ui.live.compute_queue import DRAW_PRIORITY

if TYPE_CHECKING:
    from pages.ui.live.visitors import Visitor

Slot = dict[str, Any]  # what a slot shows, in plain values
_log = logging.getLogger("red.stream")


def next_version() -> int:
    """Microseconds: the number of a drawing, later in every one."""
    return time.time_ns() // 1000


@dataclass(frozen=True, eq=False)
class Drawing:
    """How a page is drawn, as its script has left it.

    snapshot: what there is to see; makers: the slots, from a snapshot; state_key: what the rest of
    the page depends on, first of all whether a worker is busy; drawn_key: as the page has drawn it.
    """

    snapshot: Callable[[], Any]
    makers: Mapping[str, Callable[[Any], Slot]]
    state_key: Callable[[Any], tuple[int, ...]]
    drawn_key: tuple[int, ...]


class Stream:
    """The slots of one part of a page in one session.

    owner: whose it is; key: the only proof of it.
    """

    def __init__(self, owner: Visitor) -> None:
        self.owner = owner
        self.key = secrets.token_urlsafe(24)
        self._lock = threading.Lock()
        self._drawing: Drawing | None = None
        self._broken: Drawing | None = None  # failed, and is not tried again
        self._slots: dict[str, tuple[int, str]] = {}  # drawn when, and as what
        self._stale = False
        STREAMS[self.key] = self

    def make_stale(self) -> None:
        """Let the script draw the page anew."""
        with self._lock:
            self._stale = True

    def suspend(self) -> None:
        """Send nothing more: the script draws."""
        with self._lock:
            self._drawing = None

    def show(self, drawing: Drawing, slots: Mapping[str, tuple[int, Slot]]) -> None:
        """Go on from what the script has drawn, each slot with the number of its drawing."""
        with self._lock:
            self._slots = {name: (at, _text(name, at, slot)) for name, (at, slot) in slots.items()}
            self._drawing, self._stale = drawing, False

    def version_of(self, name: str, slot: Slot) -> int:
        """The number of a drawing by the script: that of before, where it shows the same."""
        with self._lock:
            before, text = self._slots.get(name, (0, ""))
        return before if _text(name, before, slot) == text else next_version()

    @property
    def busy(self) -> bool:
        """Whether something may change by itself."""
        drawing = self._drawing
        return drawing is not None and bool(drawing.drawn_key[0])

    @property
    def stale(self) -> bool:
        """Whether the script has to draw the page anew."""
        return self._drawing is not None and self._stale

    def redraw(self) -> None:
        """Make every slot anew, while a worker is busy."""
        drawing = self._drawing
        if drawing is None or not drawing.drawn_key[0] or drawing is self._broken:
            return
        made: dict[str, Slot] = {}
        try:
            with DRAW_PRIORITY.drawing():
                seen = drawing.snapshot()
                made = {name: make(seen) for name, make in drawing.makers.items()}
                stale = drawing.state_key(seen) != drawing.drawn_key
        except Exception:  # the script meets it too, and says so in the place of this part
            _log.exception("a part of a page could not be drawn")
            self._broken, stale = drawing, True
        at = next_version()
        with self._lock:
            if self._drawing is not drawing:
                return
            self._stale |= stale
            for name, slot in made.items():
                before, text = self._slots[name]
                if _text(name, before, slot) != text:
                    self._slots[name] = at, _text(name, at, slot)

    def since(self, number: int) -> list[tuple[int, str]]:
        """What was drawn after `number`, the earliest first; nothing while the script draws."""
        with self._lock:
            slots = () if self._drawing is None else self._slots.values()
            return sorted(each for each in slots if each[0] > number)


def _text(name: str, at: int, slot: Slot) -> str:
    return json.dumps({"slot": name, "drawn": at, **slot})


STREAMS: WeakValueDictionary[str, Stream] = WeakValueDictionary()  # of this process, by their keys
