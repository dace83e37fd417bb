"""The row of buttons over a worker."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pages.ui.live.worker import State
from pages.ui.widgets.transport import run_button


@dataclass
class View:
    state: State
    ended: bool = False


@pytest.mark.parametrize(
    ("view", "label", "act"),
    [
        (None, "Run", "begin"),
        (View("running"), "Pause", "pause"),
        (View("paused"), "Resume", "resume"),
        (View("finished", ended=True), "Run again", "begin"),
        (View("stopped", ended=True), "Run again", "begin"),
        (View("failed", ended=True), "Run again", "begin"),
    ],
)
def test_the_button_does_what_it_says(view, label, act):
    said, _, does = run_button(view)
    assert (said, does) == (label, act)
