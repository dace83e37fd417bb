"""What the first button of a transport row says and does: run, pause, resume or run again."""

from __future__ import annotations

from typing import Literal, Protocol

from pages.ui.live.worker import State

# Settled when the button is drawn, not when the click arrives: a click that comes late, or twice,
# must do what the button said, and never undo itself.
RunAct = Literal["begin", "pause", "resume"]


class Watched(Protocol):
    """The part of a worker's view that the button depends on."""

    @property
    def state(self) -> State:
        """What the worker does."""

    @property
    def ended(self) -> bool:
        """Whether no step will come any more."""


def run_button(view: Watched | None) -> tuple[str, str, RunAct]:
    """Label, icon and act of the button over a run in this state; None where there is no run."""
    if view is None:
        return "Run", ":material/play_arrow:", "begin"
    if view.ended:
        return "Run again", ":material/replay:", "begin"
    if view.state == "running":
        return "Pause", ":material/pause:", "pause"
    return "Resume", ":material/play_arrow:", "resume"
