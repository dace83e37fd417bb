"""The row of buttons over a run: run, pause, step, stop, back, forward, speed and the scrubber."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from pages.ui.link import address
from pages.ui.live.history import nearest
from pages.ui.live.run_view import RunView
from pages.ui.undo import help_texts as texts
from pages.ui.undo.undo_registry import RunContext, registry
from pages.ui.widgets.run_button import RunAct, run_button
from pages.ui.widgets.step_slider import step_slider

SPEEDS: dict[str, float | None] = {
    "1 step/s": 1.0,
    "3 steps/s": 3.0,
    "10 steps/s": 10.0,
    "30 steps/s": 30.0,
    "full speed": None,
}
_FULL = "full speed"


def begin(context: RunContext, *, paused: bool = False) -> None:
    """Start a run of this context at the chosen speed; the link now repeats it."""
    speed = SPEEDS[address.keep("speed", _FULL)]
    registry().start(context, paused=paused, speed=speed)
    st.session_state["run"] = True
    st.session_state["at"] = None


def position(view: RunView | None) -> int | None:
    """Which of the view's frames is looked at; None where there is none."""
    if view is None or not view.frames:
        return None
    at = st.session_state.get("at")
    if at is None or view.state == "running":
        return len(view.frames) - 1
    return nearest([frame.k for frame in view.frames], at)


def transport(context: RunContext, view: RunView | None) -> None:
    """Draw the buttons for a run in this state; their callbacks steer it."""
    speed = list(SPEEDS).index(address.keep("speed", _FULL))
    running = view is not None and view.state == "running"
    ended = view is not None and view.ended
    place = position(view)
    label, icon, act = run_button(view)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="transport"):
        st.button(
            label, icon=icon, type="primary", help=texts.RUN, shortcut="P", key="run-button",
            on_click=_run, args=(context, act), width=150,
        )  # fmt: skip
        steps: tuple[tuple[str, Literal["both", "z", "c_a"], str, str], ...] = (
            ("Step", "both", "S", texts.BOTH),
            ("z only", "z", "Z", texts.ONLY_Z),
            ("c_a only", "c_a", "A", texts.ONLY_C),
        )
        for name, update, shortcut, text in steps:
            idle = update == "c_a" and (view is None or view.phase == "start")
            st.button(
                name, help=text, shortcut=shortcut, key=f"step-{update}",
                disabled=running or ended or idle,
                on_click=_step, args=(context, update),
            )  # fmt: skip
        st.button(
            "Stop", icon=":material/stop:", help=texts.STOP, shortcut="T", key="stop",
            disabled=view is None or ended, on_click=_stop, args=(context,),
        )  # fmt: skip
        st.button(
            "Back", icon=":material/chevron_left:", help=texts.BACK, shortcut="J", key="back",
            disabled=running or not place, on_click=_look, args=(context, -1),
        )  # fmt: skip
        last = view is None or place is None or place >= len(view.frames) - 1
        st.button(
            "Forward", icon=":material/chevron_right:", help=texts.FORWARD, shortcut="K",
            key="forward", disabled=running or last, on_click=_look, args=(context, 1),
        )  # fmt: skip
        st.selectbox(
            "Speed", list(SPEEDS), speed, help=texts.SPEED, key="speed",
            label_visibility="collapsed", on_change=_set_speed, args=(context,), width=140,
        )  # fmt: skip
    _scrubber(context, view, place)


def _scrubber(context: RunContext, view: RunView | None, place: int | None) -> None:
    """The slider over all steps."""
    options = context.settings.solver_options()
    still = view is not None and view.state != "running" and len(view.frames) > 1
    step_slider(
        "Iterate k",
        0 if view is None or place is None else view.frames[place].k,
        (0, options.start_steps + options.steps),
        stand=view.frames[-1].k if view is not None and still else None,
        at="at",
        help=texts.SCRUB,
    )


# --- callbacks -------------------------------------------------------------------------------


def _run(context: RunContext, act: RunAct) -> None:
    runner = registry().runner(context)
    if act == "begin" or runner is None:
        begin(context)
    elif act == "pause":
        runner.pause()
    else:
        st.session_state["at"] = None
        runner.resume()


def _step(context: RunContext, update: Literal["both", "z", "c_a"]) -> None:
    if registry().runner(context) is None:
        begin(context, paused=True)
    runner = registry().runner(context)
    if runner is not None:
        runner.step(update)
    st.session_state["at"] = None


def _stop(context: RunContext) -> None:
    runner = registry().runner(context)
    if runner is not None:
        runner.stop()


def _look(context: RunContext, by: int) -> None:
    runner = registry().runner(context)
    view = None if runner is None else runner.view()
    place = position(view)
    if view is not None and place is not None:
        wanted = min(max(place + by, 0), len(view.frames) - 1)
        st.session_state["at"] = view.frames[wanted].k


def _set_speed(context: RunContext) -> None:
    runner = registry().runner(context)
    if runner is not None:
        runner.set_speed(SPEEDS[st.session_state["speed"]])
