"""The row of buttons over a worker, and the slider over its steps."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from streamlit.testing.v1 import AppTest

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


def script() -> None:
    import streamlit as st

    from pages.ui.widgets.transport import step_slider

    state = st.session_state
    paused = state.setdefault("paused", 2)
    at = state.setdefault("seen.at", None)
    k = state.get("k", 2) if at is None else at
    step_slider("Step k", k, (0, 9), paused_at=paused, at="seen.at", help="")


def test_it_follows_a_run_and_leads_where_it_is_paused() -> None:
    app = AppTest.from_function(script).run()
    assert app.slider[0].value == 2
    app.slider[0].set_value(1).run()
    assert app.session_state["seen.at"] == 1
    state = app.session_state
    state["paused"], state["seen.at"], state["k"] = None, None, 7
    app.run()
    assert app.slider[0].value == 7
    assert app.slider[0].disabled


def test_a_late_answer_of_an_earlier_pause_does_not_count() -> None:
    app = AppTest.from_function(script).run()
    app.slider[0].set_value(1)  # sent, but meanwhile the run went on and was paused elsewhere
    app.session_state["seen.at.paused_at"] = (5, 8)
    app.run()
    assert app.session_state["seen.at"] is None


@pytest.mark.parametrize("later", [8, 2])
def test_every_pause_has_a_slider_of_its_own(later: int) -> None:
    """Also that of another run that is paused at the same step."""
    app = AppTest.from_function(script).run()
    first = app.slider[0].id
    app.run()
    assert app.slider[0].id == first
    for paused in (None, later):
        app.session_state["paused"] = paused
        app.run()
    assert app.slider[0].id != first
