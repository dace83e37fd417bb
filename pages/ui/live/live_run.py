"""The runs that browsers watch, each under a key that nobody can guess.

A run belongs to the browser session that prepared it. It outlives a dropped connection, and ends
when nobody can come back to it: a closed tab is given a minute, a dropped one ten. The record of a
run that went to its end by itself is kept for those who open a link to the same one.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor

from pages.ui.live.batches import RUN_BATCHES
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.live.origin import ITS_OWN, Origin
from pages.ui.live.run_plane import AXES, NoPlaneError, plane_event
from pages.ui.live.runner import Runner
from red_core.recording.run_recorder import RunRecorder
from red_core.run.settings import RunSettings

CLOSED, DROPPED = 60.0, 600.0  # seconds that a run is kept after its tab closed, or was cut off
MOST_BYTES = 256 * 2**20  # of the records of all runs that no browser is connected to
MOST_PLANES = 16  # that are drawn of one run, however often they are asked for
RECORD_BYTES = 32 * 2**20  # of the records that later visitors get: some 200 runs of MNIST
RECORD_VARIABLE = "RED_RECORD_MB"  # another bound, in MiB; 0 keeps none
_SWEEP = 5.0
_log = logging.getLogger("red.live")
_TAKING_OVER = threading.Lock()  # two browsers at once must not wait for each other's run


class LiveRun:
    """One run of a session: prepared, begun, begun again; `items` are its recorder's.

    key: the only proof of who owns it; epoch: which beginning of the run the items belong to, 0
    before the first; identity: what is run: a run of the same identity may take this one over;
    origin: what it begins from beside its settings.
    """

    def __init__(
        self,
        parts: LoadedModels,
        settings: RunSettings,
        own: Tensor | None,
        identity: object,
        clock: Callable[[], float] = time.monotonic,
        origin: Origin = ITS_OWN,
    ) -> None:
        self.origin = origin
        self.parts, self.settings, self.own, self.identity = parts, settings, own, identity
        self.key = secrets.token_urlsafe(24)
        self.runner: Runner | None = None
        self._recorded = 0, RunRecorder(parts.bundle, settings, own)  # exchanged together
        self._clock = clock
        self._lock = threading.Lock()
        self._planes: tuple[int, set[str], int] = 0, set(), 0  # epoch, being drawn, asked for
        self._sockets = 0
        self._kept_until = clock() + DROPPED

    @property
    def epoch(self) -> int:
        """Which beginning of the run is recorded."""
        return self._recorded[0]

    @property
    def items(self) -> list[bytes | str]:
        """What a browser gets, in order; it grows until the run has ended."""
        return self._recorded[1].items

    def current(self) -> tuple[int, list[bytes | str]]:
        """The epoch and its items, of one moment."""
        epoch, recorder = self._recorded
        return epoch, recorder.items

    def file(self) -> bytes:
        """The recorded run as a file."""
        return self._recorded[1].file()

    def begin(self, *, paused: bool = False, speed: float | None = None) -> Runner:
        """Begin the run, ending the one before."""
        with self._lock:
            if self.runner is not None:
                self.runner.close()
            epoch, recorder = self._recorded
            if epoch:
                recorder = RunRecorder(self.parts.bundle, self.settings, self.own)
            self._recorded = epoch + 1, recorder
            self.runner = Runner(
                self.parts, self.settings, None, own=self.own, recorder=recorder,
                origin=self.origin, paused=paused, speed=speed, batches=RUN_BATCHES,
            )  # fmt: skip
            return self.runner

    def order(self, order: dict[str, object]) -> None:
        """Carry out what a browser asks: begin, pause, resume, step, stop, speed, plane.

        Raises ValueError for anything else.
        """
        name, speed = order.get("order"), order.get("speed")
        if speed is not None and not (isinstance(speed, (int, float)) and 0.01 <= speed <= 1000):
            raise ValueError("a speed is 0.01 to 1000 steps a second, or null")
        if name == "begin":
            self.begin(paused=order.get("paused") is True, speed=speed)
        elif name == "step":
            update = order.get("update")
            if update not in ("both", "z", "c_a"):
                raise ValueError("a step moves both, z or c_a")
            runner = self.runner or self.begin(paused=True, speed=speed)
            runner.step(update, wait=0)
        elif name == "plane":
            axes = order.get("axes")
            if not isinstance(axes, str) or axes not in AXES:
                raise ValueError(f"a plane has the axes {', '.join(AXES)}")
            self._draw_plane(axes)
        elif name not in ("pause", "resume", "stop", "speed"):
            raise ValueError(f"no order {name!r}")
        elif self.runner is not None:
            if name == "speed":
                self.runner.set_speed(speed)
            else:
                getattr(self.runner, name)()

    def _draw_plane(self, axes: str) -> None:
        """Add the plane with these axes to the items, in a thread of its own."""
        with self._lock:
            (epoch, recorder), runner = self._recorded, self.runner
            drawn, busy, asked = self._planes
            if drawn != epoch:
                busy, asked = set(), 0
            if runner is None or axes in busy or asked >= MOST_PLANES:
                return
            self._planes = epoch, {*busy, axes}, asked + 1

        def draw() -> None:
            torch.set_num_threads(1)  # it holds for this thread alone
            try:
                found = plane_event(runner, axes)
            except NoPlaneError as error:
                found = {"axes": axes, "refused": str(error)}
            except Exception:
                _log.exception("a plane failed")
                found = {"axes": axes, "refused": "This plane could not be drawn."}
            records = sum(isinstance(item, bytes) for item in recorder.items)
            recorder.items.append(json.dumps({"event": "plane", "at": records, **found}))
            with self._lock:
                if self._planes[0] == epoch:
                    self._planes = epoch, self._planes[1] - {axes}, self._planes[2]

        threading.Thread(target=draw, name="red-plane", daemon=True).start()

    def status(self) -> dict[str, object]:
        """The state of the run in plain values; "idle" before it began."""
        if self.runner is None:
            return {"state": "idle", "place": 0, "busy": False, "error": ""}
        return self.runner.status()

    def may_take_over(self, other: LiveRun) -> bool:
        """Whether `other` is a run of the same that has begun; a browser may still watch it."""
        return other is not self and other.identity == self.identity and other.runner is not None

    def take_over(self, other: LiveRun) -> bool:
        """Continue `other`, of the same browser before its reload; False where it cannot be."""
        if not self.may_take_over(other):
            return False
        with _TAKING_OVER, self._lock, other._lock:
            if other._sockets or self.runner is not None:
                return False
            self.runner, other.runner = other.runner, None
            self._recorded = other._recorded
        return True

    # --- who may come back ---------------------------------------------------------------

    def connected(self) -> None:
        """A browser watches."""
        with self._lock:
            self._sockets += 1

    def disconnected(self, closed: bool) -> None:
        """A browser left; closed: its tab closed or reloaded, rather than the line being cut."""
        with self._lock:
            self._sockets -= 1
            self._kept_until = self._clock() + (CLOSED if closed else DROPPED)

    @property
    def watched(self) -> bool:
        """Whether a browser is connected."""
        return self._sockets > 0

    @property
    def expired(self) -> bool:
        """Whether nobody watches, and nobody is expected to come back."""
        return not self._sockets and self._clock() > self._kept_until

    @property
    def bytes(self) -> int:
        """The size of its records."""
        return sum(len(item) for item in self.items)

    @property
    def repeatable(self) -> bool:
        """Whether it went to its end as its settings say, on an image that anybody may see."""
        runner = self.runner
        return (
            runner is not None
            and not runner.steered
            and self.settings.source != "own"
            and self.status() == {"state": "finished", "place": 0, "busy": False, "error": ""}
        )

    def close(self) -> None:
        """End the run."""
        if self.runner is not None:
            self.runner.close()


class RunRecords:
    """The records of runs that ended, by what was run: the latest used ones, bounded in bytes.

    most: bytes of all of them together.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: OrderedDict[object, tuple[str, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, run: LiveRun) -> None:
        """Keep the record of a repeatable run; what is known already stays as it is."""
        if run.identity in self._kept or not run.repeatable or not self.most:
            return
        body = run.file()
        with self._lock:
            self._kept[run.identity] = hashlib.sha256(body).hexdigest(), body
            while sum(len(each) for _, each in self._kept.values()) > self.most:
                self._kept.popitem(last=False)

    def find(self, identity: object) -> str | None:
        """The SHA-256 of the record of a run, None where there is none."""
        with self._lock:
            if identity not in self._kept:
                return None
            self._kept.move_to_end(identity)
            return self._kept[identity][0]

    def read(self, digest: str) -> bytes | None:
        """The record of a SHA-256, None where it is not kept any more."""
        with self._lock:
            return next((body for sha, body in self._kept.values() if sha == digest), None)


def record_bytes() -> int:
    """The bound on kept records; the default where the variable is empty or no number."""
    given = os.environ.get(RECORD_VARIABLE, "")
    return int(given) * 2**20 if given.isdecimal() else RECORD_BYTES


class LiveRuns:
    """All runs of the process by their keys; those that nobody comes back to are ended.

    records: gets the record of every repeatable run that is found to have ended.
    """

    def __init__(self, records: RunRecords) -> None:
        self.records = records
        self._runs: dict[str, LiveRun] = {}
        self._lock = threading.Lock()
        self._sweeper: threading.Thread | None = None

    def add(self, run: LiveRun) -> None:
        """Keep a run until it is removed or expires."""
        with self._lock:
            self._runs[run.key] = run
            if self._sweeper is None:
                self._sweeper = threading.Thread(target=self._sweep, name="red-runs", daemon=True)
                self._sweeper.start()

    def find(self, key: object) -> LiveRun | None:
        """The run of a key."""
        with self._lock:
            return self._runs.get(key) if isinstance(key, str) else None

    def remove(self, run: LiveRun) -> None:
        """End a run and forget it."""
        with self._lock:
            self._runs.pop(run.key, None)
        self.records.keep(run)
        run.close()

    def record_of(self, identity: object) -> str | None:
        """The SHA-256 of the record of an ended run of the same, kept or still with its browser."""
        with self._lock:
            runs = [run for run in self._runs.values() if run.identity == identity]
        for run in runs:
            self.records.keep(run)
        return self.records.find(identity)

    def sweep(self) -> None:
        """End what has expired, and of the unwatched the oldest beyond MOST_BYTES."""
        with self._lock:
            runs = list(self._runs.values())
        unwatched = [run for run in runs if not run.watched]
        size = sum(run.bytes for run in unwatched)
        for run in unwatched:
            if run.expired or size > MOST_BYTES:
                size -= run.bytes
                self.remove(run)

    def _sweep(self) -> None:
        while True:
            time.sleep(_SWEEP)
            self.sweep()


LIVE_RUNS = LiveRuns(RunRecords(record_bytes()))
