"""The sweep: the same attack from nothing to twice the paper's budget, for the chosen methods."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pages.ui.compare.attempt import Attempt, answer, attempt, state_of
from pages.ui.live.compute_queue import COMPUTE_QUEUE, FairLock, Interrupted
from pages.ui.live.worker import LongSteps, State
from red_core.attacks.pgd import PAPER_ATTACKS, AttackSettings
from red_core.data.datasets import SHAPES
from red_core.methods import Method
from red_core.run.bundle import Bundle
from red_core.run.experiment import craft_example, start_seeds
from red_core.run.settings import RunSettings

FACTORS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)  # of the paper's eps


def strength(settings: RunSettings, factor: float) -> RunSettings:
    """The settings with the attack at `factor` times the paper's eps and step size, > 0."""
    attack = base(settings).scaled(factor)
    return replace(settings, eps=round(attack.eps, 9), step_size=round(attack.step_size, 9))


def base(settings: RunSettings) -> AttackSettings:
    """The paper's attack of the settings' norm; ValueError where they have none."""
    if settings.attack == "none":
        raise ValueError("a sweep needs an attack")
    return PAPER_ATTACKS[settings.dataset][settings.attack]


@dataclass(frozen=True)
class SweepView:
    """A sweep at one moment.

    images: x' of the strengths crafted so far, [n, C, H, W]; rows: an attempt for each method, its
    answers a batch of one item for each of FACTORS; place: in the line.
    """

    state: State
    images: Tensor
    rows: tuple[Attempt, ...]
    place: int
    busy: bool
    error: str

    @property
    def crafted(self) -> bool:
        """Whether every strength is."""
        return len(self.images) == len(FACTORS)

    @property
    def running(self) -> Attempt | None:
        """The method at work, if one is."""
        return next((one for one in self.rows if one.status == "running"), None)


class Sweep(LongSteps):
    """Crafts x' at every strength, then lets the methods `keys` answer all of them as one batch.

    settings, own: of the image and its attack, whose eps does not count; kept: an earlier sweep
    of them, whose images and rows need no repeating.
    """

    def __init__(
        self,
        bundle: Bundle,
        settings: RunSettings,
        own: Tensor | None,
        keys: Sequence[str],
        fitted: dict[str, Method],
        kept: SweepView | None = None,
        line: FairLock = COMPUTE_QUEUE,
    ) -> None:
        base(settings)
        self.bundle, self.settings, self.own = bundle, settings, own
        self._fitted = fitted
        known: Mapping[str, Attempt] = {}
        self._images: tuple[Tensor, ...] = ()
        if kept is not None:
            known = {row.key: row for row in kept.rows if row.over}
            self._images = tuple(image[None] for image in kept.images)
        self._rows = {key: known.get(key, Attempt(key)) for key in keys}
        self._waiting = deque(key for key in keys if key not in known)
        super().__init__("go", line=line)

    def view(self) -> SweepView:
        """The sweep as it stands."""
        with self._changed:
            images, rows = self._images, tuple(self._rows.values())
            state, busy = state_of(self._state, self._busy, rows)
            return SweepView(
                state,
                torch.cat(images) if images else torch.zeros(0, *SHAPES[self.bundle.dataset]),
                rows,
                self._place,
                busy,
                self.message,
            )

    # --- the thread ----------------------------------------------------------------------

    def _begin(self) -> None:
        """Nothing: every strength and every method begins for itself."""

    @property
    def _done(self) -> bool:
        return not self._waiting

    def _take(self, order: str) -> None:
        if len(self._images) < len(FACTORS):
            self._craft(FACTORS[len(self._images)])
            return
        key = self._waiting.popleft()
        self._tell(Attempt(key, "running"))
        attempt(Attempt(key), lambda: self._compute(key), self._tell)

    def _craft(self, factor: float) -> None:
        chosen = self.settings
        chosen = strength(chosen, factor) if factor else replace(chosen, attack="none")
        with suppress(Interrupted), self._turn() as turn:
            made = craft_example(self.bundle, chosen, self.own, lambda *_: turn.yield_turn())
            with self._changed:
                self._images += (made.attacked.cpu(),)

    def _compute(self, key: str) -> Attempt:
        with self._turn() as turn:

            def watch(k: int, images: Tensor) -> None:
                self._tell(Attempt(key, "running", turn.seconds, k))
                turn.yield_turn()

            attacked = torch.cat(self._images)
            seeds = start_seeds(self.settings) * len(attacked)
            answers, seconds = answer(key, self.bundle, self._fitted, attacked, seeds, turn, watch)
        return Attempt(key, "done", seconds, answers=answers)

    def _tell(self, found: Attempt) -> None:
        with self._changed:
            self._rows[found.key] = found
            self._changed.notify_all()
