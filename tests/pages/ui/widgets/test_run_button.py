from __future__ import annotations

from dataclasses import dataclass

import pytest

from pages.ui.live.worker import State
from pages.ui.undo.undo_transport import _run
from pages.ui.widgets.run_button import run_button


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


def test_a_click_that_comes_twice_does_not_undo_itself(monkeypatch):
    done = []

    class Runner:
        def pause(self) -> None:
            done.append("pause")

        def resume(self) -> None:
            done.append("resume")

    class RunRegistry:
        def runner(self, context):
            return Runner()

    monkeypatch.setattr("pages.ui.undo.undo_transport.registry", RunRegistry)
    act = run_button(View("running"))[2]
    _run(None, act)
    _run(None, act)  # by now the run is paused
    assert done == ["pause", "pause"]
