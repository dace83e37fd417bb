"""The slider over the steps is heard where the run stands, and nowhere else."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def script() -> None:
    import streamlit as st

    from pages.ui.widgets.step_slider import step_slider

    state = st.session_state
    stand = state.setdefault("stands", 2)
    at = state.setdefault("seen.at", None)
    k = state.get("k", 2) if at is None else at
    step_slider("Step k", k, (0, 9), paused_at=stand, at="seen.at", help="")


def test_it_follows_a_run_and_leads_where_it_stands() -> None:
    app = AppTest.from_function(script).run()
    assert app.slider[0].value == 2
    app.slider[0].set_value(1).run()
    assert app.session_state["seen.at"] == 1
    state = app.session_state
    state["stands"], state["seen.at"], state["k"] = None, None, 7
    app.run()
    assert app.slider[0].value == 7
    assert app.slider[0].disabled


def test_what_is_told_of_an_earlier_stand_is_not_heard() -> None:
    app = AppTest.from_function(script).run()
    app.slider[0].set_value(1)  # told, but meanwhile the run went on to stand elsewhere
    app.session_state["seen.at.paused_at"] = (5, 8)
    app.run()
    assert app.session_state["seen.at"] is None


@pytest.mark.parametrize("later", [8, 2])
def test_every_stand_has_a_slider_of_its_own(later: int) -> None:
    """Also that of another run that stands at the same step."""
    app = AppTest.from_function(script).run()
    first = app.slider[0].id
    app.run()
    assert app.slider[0].id == first
    for stand in (None, later):
        app.session_state["stands"] = stand
        app.run()
    assert app.slider[0].id != first
