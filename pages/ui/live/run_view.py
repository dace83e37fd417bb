"""What a run shows of itself: frozen views that a page may keep and draw."""

from __future__ import annotations

from dataclasses import dataclass

from pages.ui.live.worker import State
from red_core.algorithm.observe import Iterate
from red_core.algorithm.verdict import Verdict

__all__ = ["RunView", "State", "Theory"]


@dataclass(frozen=True)
class Theory:
    """Filled in when a run has ended, one value an iterate of the history (NaN: undefined).

    mu: the error bound's quotient against the known (z*, c_a*) (exact) or against the run's own
    last iterate; proximal_pl: eq. 11's quotient.
    """

    mu: tuple[float, ...]
    exact: bool
    proximal_pl: tuple[float, ...]


@dataclass(frozen=True)
class RunView:
    """What a page sees of a run at one moment; nothing in it changes any more.

    place: runs ahead in the queue, 0 while computing; planned: the k of Figure 4's frames; frames:
    the recorded iterates (batches of one, in main memory); seconds: computed so far.
    """

    state: State
    place: int
    total: int
    planned: tuple[int, ...]
    frames: tuple[Iterate, ...]
    seconds: float
    verdict: Verdict | None
    theory: Theory | None
    busy: bool
    error: str = ""

    @property
    def k(self) -> int:
        """Steps done."""
        return self.frames[-1].k if self.frames else 0

    @property
    def ended(self) -> bool:
        """Whether no step will follow."""
        return self.state in ("finished", "stopped", "failed")
