"""The comparison: methods one after another on one attacked image; a worker's job."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pages.ui.compare.attempt import Attempt, FrameHistory, answer, attempt, state_of
from pages.ui.live.compute_queue import COMPUTE_QUEUE, FairLock, Turn
from pages.ui.live.worker import LongSteps, State
from red_core.methods import Method
from red_core.run.bundle import Bundle


@dataclass(frozen=True)
class ComparisonView:
    """A comparison at one moment. attempts: in the methods' order; place: in the line; busy."""

    state: State
    attempts: tuple[Attempt, ...]
    place: int
    busy: bool
    error: str

    @property
    def running(self) -> Attempt | None:
        """The method at work, if one is."""
        return next((one for one in self.attempts if one.status == "running"), None)


class Comparison(LongSteps):
    """Runs the methods `keys` on x' [1, C, H, W], of which `seeds` is the one seed.

    fitted: methods at hand, shared; kept: attempts at the same image that need no repeating.
    """

    def __init__(
        self,
        bundle: Bundle,
        attacked: Tensor,
        seeds: Sequence[int],
        keys: Sequence[str],
        fitted: dict[str, Method],
        kept: Mapping[str, Attempt] | None = None,
        line: FairLock = COMPUTE_QUEUE,
    ) -> None:
        self.bundle, self.attacked, self.seeds = bundle, attacked, seeds
        self._fitted = fitted
        known = {key: one for key, one in (kept or {}).items() if one.over}
        self._attempts = {key: known.get(key, Attempt(key)) for key in keys}
        self._waiting = deque(key for key in keys if key not in known)
        super().__init__("go", line=line)

    def view(self) -> ComparisonView:
        """The comparison as it stands."""
        with self._changed:
            attempts = tuple(self._attempts.values())
            state, busy = state_of(self._state, self._busy, attempts)
            return ComparisonView(state, attempts, self._place, busy, self.message)

    # --- the thread ----------------------------------------------------------------------

    def _begin(self) -> None:
        """Nothing: every method begins for itself."""

    @property
    def _done(self) -> bool:
        return not self._waiting

    def _take(self, order: str) -> None:
        key = self._waiting.popleft()
        self._tell(Attempt(key, "running"))
        attempt(Attempt(key), lambda: self._compute(key), lambda found: self._tell_end(found))

    def _compute(self, key: str) -> Attempt:
        film, last = FrameHistory(), 0
        with self._turn() as turn:

            def watch(k: int, images: Tensor) -> None:
                nonlocal last
                last = k
                film.add(k, images[0])
                self._tell(Attempt(key, "running", turn.seconds, k, film.frames))
                turn.yield_turn()

            answers, seconds = answer(
                key, self.bundle, self._fitted, self.attacked, self.seeds, turn, watch
            )
            if last and answers.reconstruction is not None:
                film.end(last, answers.reconstruction[0])
            reads = self._read(film, turn)
        return Attempt(key, "done", seconds, last, film.frames, reads, answers)

    def _read(self, film: FrameHistory, turn: Turn) -> tuple[int, ...]:
        """psi's class of every frame."""
        if not film.frames:
            return ()
        turn.yield_turn()
        images = torch.stack([frame.image for frame in film.frames]).float() / 255
        with torch.no_grad():
            labels = self.bundle.psi(images.to(self.bundle.device)).argmax(1)
        return tuple(int(label) for label in labels)

    def _tell(self, found: Attempt) -> None:
        with self._changed:
            self._attempts[found.key] = found
            self._changed.notify_all()

    def _tell_end(self, found: Attempt) -> None:
        """What was seen before a method stopped or failed stays."""
        before = self._attempts[found.key]
        if found.status != "done":
            found = replace(found, frames=before.frames, step=before.step, seconds=before.seconds)
        self._tell(found)
