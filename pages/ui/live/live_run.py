"""The runs that browsers watch, each under a key that nobody can guess.

A run belongs to the browser session that prepared it. It outlives a dropped connection, and ends
when nobody can come back to it (`pages.ui.live.watched`). The record of a run that went to its end
by itself is kept for those who open a link to the same one.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor

from pages.ui.live import limits
from pages.ui.live.batches import RUN_BATCHES
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.live.origin import ITS_OWN, Origin
from pages.ui.live.run_plane import AXES, NoPlaneError, plane_event
from pages.ui.live.runner import Runner
from pages.ui.live.watched import Watched, beyond, give_back_memory, sweep_for_ever, to_remove
from pages.ui.live.worker import ADMITTING, computing
from red_core.recording.run_recorder import RunRecorder
from red_core.run.settings import RunSettings

MOST_PLANES = 16  # that are drawn of one run, however often they are asked for
_log = logging.getLogger("red.live")
_TAKING_OVER = threading.Lock()  # two browsers at once must not wait for each other's run


class LiveRun(Watched):
    """One run of a session: prepared, begun, begun again; `items` are its recorder's.

    key: the only proof of who owns it; epoch: which beginning of the run the items belong to, 0
    before the first; identity: what is run: a run of the same identity may take this one over;
    origin: what it begins from beside its settings; owner: the session, None for one of its own.
    """

    def __init__(
        self,
        parts: LoadedModels,
        settings: RunSettings,
        own: Tensor | None,
        identity: object,
        clock: Callable[[], float] = time.monotonic,
        origin: Origin = ITS_OWN,
        owner: object = None,
    ) -> None:
        super().__init__(clock)
        self.origin = origin
        self.owner = self if owner is None else owner
        self.parts, self.settings, self.own, self.identity = parts, settings, own, identity
        self.key = secrets.token_urlsafe(24)
        self.runner: Runner | None = None
        self._recorded = 0, RunRecorder(parts.bundle, settings, own)  # exchanged together
        self._planes: tuple[int, set[str], int] = 0, set(), 0  # epoch, being drawn, asked for
        self._notice = ""

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
            self._admit(paused=order.get("paused") is True, speed=speed)
        elif name == "step":
            update = order.get("update")
            if update not in ("both", "z", "c_a"):
                raise ValueError("a step moves both, z or c_a")
            runner = self.runner or self._admit(paused=True, speed=speed)
            if runner is not None:
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

    def _admit(self, *, paused: bool, speed: float | None) -> Runner | None:
        """Begin the run, or note why it may not."""
        with ADMITTING:
            full = computing(self.runner) >= limits.RUNS.value
            self._notice = limits.too_many_runs() if full else ""
            return None if full else self.begin(paused=paused, speed=speed)

    def end_for(self, reason: str) -> None:
        """Stop the run and say why, in a sentence for its visitor; what it found stays."""
        runner = self.runner
        if runner is not None:
            self._notice = reason
            runner.stop()

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
        """The state of the run in plain values; "idle" before it began.

        notice: why it may not begin, or was ended; "" for neither.
        """
        runner = self.runner
        if runner is None:
            idle = {"state": "idle", "place": 0, "busy": False, "error": ""}
            return {**idle, "notice": self._notice}
        status = runner.status()
        return {**status, "notice": self._notice or status["notice"]}

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
            self._recorded, self._notice = other._recorded, other._notice
        return True

    @property
    def computes(self) -> bool:
        """Whether it computes, or waits for its turn."""
        runner = self.runner
        return runner is not None and runner.computes

    @property
    def bytes(self) -> int:
        """The size of its records and of its iterates."""
        runner = self.runner
        frames = () if runner is None else runner.view().frames
        tensors = (value for frame in frames[-1:] for value in vars(frame).values())
        each = sum(value.nbytes for value in tensors if torch.is_tensor(value))
        return sum(len(item) for item in self.items) + len(frames) * each

    @property
    def repeatable(self) -> bool:
        """Whether it went to its end as its settings say, on an image that anybody may see."""
        runner = self.runner
        return (
            runner is not None
            and not runner.steered
            and self.settings.source != "own"
            and not runner.computes
            and runner.status()["state"] == "finished"
        )

    def close(self) -> None:
        """End the run and let go of what it found, since its session may be kept for minutes."""
        with self._lock:
            runner, self.runner = self.runner, None
            epoch, recorder = self._recorded
            self._recorded = epoch, recorder.emptied()
        if runner is not None:
            runner.close()


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


class LiveRuns:
    """All runs of the process by their keys; those that nobody comes back to are ended.

    records: gets the record of every repeatable run that is found to have ended.
    """

    def __init__(self, records: RunRecords) -> None:
        self.records = records
        self._runs: dict[str, LiveRun] = {}
        self._lock = threading.Lock()
        self._sweeper: threading.Thread | None = None
        self._removed = False  # whether runs have ended since the last sweep

    def add(self, run: LiveRun) -> None:
        """Keep a run until it is removed or expires."""
        with self._lock:
            self._runs[run.key] = run
            if self._sweeper is None:
                self._sweeper = sweep_for_ever("red-runs", self.sweep)

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
        self._removed = True

    def record_of(self, identity: object) -> str | None:
        """The SHA-256 of the record of an ended run of the same, kept or still with its browser."""
        with self._lock:
            runs = [run for run in self._runs.values() if run.identity == identity]
        for run in runs:
            self.records.keep(run)
        return self.records.find(identity)

    def _all(self) -> list[LiveRun]:
        with self._lock:
            return list(self._runs.values())

    def sweep(self) -> None:
        """End what has expired, and what is beyond a bound: the oldest first."""
        for run in to_remove(self._all):
            self.remove(run)
        owned: dict[object, list[LiveRun]] = {}
        for run in self._all():
            owned.setdefault(run.owner, []).append(run)
        for runs in owned.values():
            most = limits.SESSION_MB.value * limits.MB
            kept = [run for run in runs if run.watched or run.computes]
            rest = most - sum(run.bytes for run in kept)
            for run in beyond([run for run in runs if run not in kept], max(rest, 0)):
                self.remove(run)
            for run in kept:
                if rest < 0 and run.computes:
                    run.end_for(limits.runs_too_large())
        if self._removed:
            self._removed = False
            give_back_memory()


LIVE_RUNS = LiveRuns(RunRecords(limits.RECORD_MB.value * limits.MB))
