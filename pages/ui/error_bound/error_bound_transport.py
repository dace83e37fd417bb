"""The row of buttons over a run: run, pause, step, stop, back, forward, speed and the scrubber."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.ui.error_bound import error_bound_help_texts as texts
from pages.ui.error_bound.error_bound_page_state import PAGE
from pages.ui.error_bound.error_bound_registry import error_bound_registry
from pages.ui.error_bound.error_bound_request import ErrorBoundRequest
from pages.ui.error_bound.run import ErrorBoundRun, ErrorBoundView
from pages.ui.error_bound.study import StudyRun, StudyView
from pages.ui.live.history import nearest
from pages.ui.widgets.live_part import LivePart, Steps
from pages.ui.widgets.transport import (
    RunAct,
    Speeds,
    back_and_forward,
    row,
    run_button,
    stop_button,
)

SPEEDS = Speeds(  # takes a second
    "error_bound.speed",
    {"slow": 5.0, "to watch": 25.0, "quick": 80.0, "full speed": None},
    "to watch",
)
_ROW = "error-bound-transport"


def begin(current: ErrorBoundRequest, *, paused: bool = False) -> None:
    """Start a run of this request at the chosen speed; the link now repeats it."""
    error_bound_registry().start(current, paused=paused, speed=SPEEDS.chosen)
    PAGE.change(run=True)
    st.session_state["error_bound.at"] = None


def position_at() -> Callable[[ErrorBoundView | None], int | None]:
    """Which of a view's recorded iterates is looked at; None where there is none."""
    at = st.session_state.get("error_bound.at")

    def position(view: ErrorBoundView | None) -> int | None:
        if view is None or view.path is None:
            return None
        if at is None or view.state == "running":
            return len(view.path.k) - 1
        return nearest(view.path.k.tolist(), at)

    return position


def transport(live: LivePart[ErrorBoundView | None], current: ErrorBoundRequest) -> None:
    """Draw the buttons for a descent in this state; their callbacks steer it."""
    view, position = live.seen, position_at()
    running = view is not None and view.state == "running"
    ended = view is not None and view.ended
    place = position(view)
    ks = [] if view is None or view.path is None else view.path.k.tolist()
    with row(_ROW):
        _run(current, view)
        st.button(
            "Step", help=texts.STEP_ONE, shortcut="S", key="error-bound-step",
            disabled=running or ended, on_click=_step, args=(current,),
        )  # fmt: skip
        _stop_button(current, view)
        back_and_forward(
            ks, place or 0, not running, "error-bound-", (texts.BACK, texts.FORWARD), _look
        )
        SPEEDS.picker(texts.SPEED, lambda speed: _set_speed(current, speed))
    live.steps(
        "Step k", lambda view: _steps(view, position(view)), key="error-bound-steps",
        help=texts.SCRUB, go=_look,
    )  # fmt: skip


def study_transport(current: ErrorBoundRequest, view: StudyView | None) -> None:
    """The buttons of a study: it is run, paused and stopped, but has no single steps."""
    with row(_ROW):
        _run(current, view)
        _stop_button(current, view)


def _run(current: ErrorBoundRequest, view: ErrorBoundView | StudyView | None) -> None:
    label, icon, act = run_button(view)
    st.button(
        label, icon=icon, type="primary", help=texts.RUN, shortcut="P",
        key="error-bound-run-button", on_click=_act, args=(current, act), width=150,
    )  # fmt: skip


def _stop_button(current: ErrorBoundRequest, view: ErrorBoundView | StudyView | None) -> None:
    stop_button(
        "Stop", help=texts.STOP, shortcut="T", key="error-bound-stop",
        disabled=view is None or view.ended, stop=_stop, args=(current,),
    )  # fmt: skip


def _steps(view: ErrorBoundView | None, place: int | None) -> Steps:
    """The slider's part of a view."""
    if view is None or view.path is None or place is None:
        return Steps()
    return Steps(int(view.path.k[place]), int(view.path.k[-1]), view.state != "running")


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


def _look(k: int) -> None:
    st.session_state["error_bound.at"] = k


def _set_speed(current: ErrorBoundRequest, speed: float | None) -> None:
    worker = _worker(current)
    if worker is not None:
        worker.set_speed(speed)
