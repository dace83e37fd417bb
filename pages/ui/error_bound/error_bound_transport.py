"""The row of buttons over a run: run, pause, step, stop, back, forward, speed and the scrubber."""

from __future__ import annotations

import streamlit as st

from pages.ui.error_bound import error_bound_help_texts as texts
from pages.ui.error_bound.error_bound_page_state import PAGE
from pages.ui.error_bound.error_bound_registry import error_bound_registry
from pages.ui.error_bound.error_bound_request import ErrorBoundRequest
from pages.ui.error_bound.run import ErrorBoundRun, ErrorBoundView
from pages.ui.error_bound.study import StudyRun, StudyView
from pages.ui.link import address
from pages.ui.live.history import nearest
from pages.ui.widgets.run_button import RunAct, run_button
from pages.ui.widgets.step_slider import step_slider

SPEEDS: dict[str, float | None] = {  # takes a second
    "slow": 5.0,
    "to watch": 25.0,
    "quick": 80.0,
    "full speed": None,
}
_USUAL = "to watch"


def begin(current: ErrorBoundRequest, *, paused: bool = False) -> None:
    """Start a run of this request at the chosen speed; the link now repeats it."""
    speed = SPEEDS[address.keep("error_bound.speed", _USUAL)]
    error_bound_registry().start(current, paused=paused, speed=speed)
    PAGE.change(run=True)
    st.session_state["error_bound.at"] = None


def position(view: ErrorBoundView | None) -> int | None:
    """Which of the recorded iterates is looked at; None where there is none."""
    if view is None or view.path is None:
        return None
    at = st.session_state.get("error_bound.at")
    if at is None or view.state == "running":
        return len(view.path.k) - 1
    return nearest(view.path.k.tolist(), at)


def transport(current: ErrorBoundRequest, view: ErrorBoundView | None) -> None:
    """Draw the buttons for a descent in this state; their callbacks steer it."""
    speed = list(SPEEDS).index(address.keep("error_bound.speed", _USUAL))
    running = view is not None and view.state == "running"
    ended = view is not None and view.ended
    place = position(view)
    with _row():
        _run(current, view)
        st.button(
            "Step", help=texts.STEP_ONE, shortcut="S", key="error-bound-step",
            disabled=running or ended, on_click=_step, args=(current,),
        )  # fmt: skip
        _stop_button(current, view)
        st.button(
            "Back", icon=":material/chevron_left:", help=texts.BACK, shortcut="J",
            key="error-bound-back", disabled=running or not place, on_click=_look,
            args=(current, -1),
        )  # fmt: skip
        last = view is None or view.path is None or place is None or place >= len(view.path.k) - 1
        st.button(
            "Forward", icon=":material/chevron_right:", help=texts.FORWARD, shortcut="K",
            key="error-bound-forward", disabled=running or last, on_click=_look, args=(current, 1),
        )  # fmt: skip
        st.selectbox(
            "Speed", list(SPEEDS), speed, help=texts.SPEED, key="error_bound.speed",
            label_visibility="collapsed", on_change=_set_speed, args=(current,), width=140,
        )  # fmt: skip
    _scrubber(view, place)


def study_transport(current: ErrorBoundRequest, view: StudyView | None) -> None:
    """The buttons of a study: it is run, paused and stopped, but has no single steps."""
    with _row():
        _run(current, view)
        _stop_button(current, view)


def _row() -> st.delta_generator.DeltaGenerator:
    return st.container(
        horizontal=True, vertical_alignment="bottom", gap="small", key="error-bound-transport"
    )


def _run(current: ErrorBoundRequest, view: ErrorBoundView | StudyView | None) -> None:
    label, icon, act = run_button(view)
    st.button(
        label, icon=icon, type="primary", help=texts.RUN, shortcut="P",
        key="error-bound-run-button", on_click=_act, args=(current, act), width=150,
    )  # fmt: skip


def _stop_button(current: ErrorBoundRequest, view: ErrorBoundView | StudyView | None) -> None:
    st.button(
        "Stop", icon=":material/stop:", help=texts.STOP, shortcut="T", key="error-bound-stop",
        disabled=view is None or view.ended, on_click=_stop, args=(current,),
    )  # fmt: skip


def _scrubber(view: ErrorBoundView | None, place: int | None) -> None:
    """The slider over the recorded steps."""
    path = None if view is None else view.path
    last = 0 if path is None else int(path.k[-1])
    still = view is not None and view.state != "running" and last > 0
    step_slider(
        "Step k",
        0 if path is None or place is None else int(path.k[place]),
        (0, max(1, last)),
        paused_at=last if still else None,
        at="error_bound.at",
        help=texts.SCRUB,
    )


# --- callbacks -------------------------------------------------------------------------------


def _worker(current: ErrorBoundRequest) -> ErrorBoundRun | StudyRun | None:
    return error_bound_registry().worker(current)


def _act(current: ErrorBoundRequest, act: RunAct) -> None:
    worker = _worker(current)
    if act == "begin" or worker is None:
        begin(current)
    elif act == "pause":
        worker.pause()
    else:
        st.session_state["error_bound.at"] = None
        worker.resume()


def _step(current: ErrorBoundRequest) -> None:
    if _worker(current) is None:
        begin(current, paused=True)
    worker = _worker(current)
    if isinstance(worker, ErrorBoundRun):
        worker.step("one")
    st.session_state["error_bound.at"] = None


def _stop(current: ErrorBoundRequest) -> None:
    worker = _worker(current)
    if worker is not None:
        worker.stop()


def _look(current: ErrorBoundRequest, by: int) -> None:
    worker = _worker(current)
    view = worker.view() if isinstance(worker, ErrorBoundRun) else None
    place = position(view)
    if view is not None and view.path is not None and place is not None:
        wanted = min(max(place + by, 0), len(view.path.k) - 1)
        st.session_state["error_bound.at"] = int(view.path.k[wanted])


def _set_speed(current: ErrorBoundRequest) -> None:
    worker = _worker(current)
    if worker is not None:
        worker.set_speed(SPEEDS[st.session_state["error_bound.speed"]])
