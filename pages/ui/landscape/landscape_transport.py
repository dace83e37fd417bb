"""The buttons under the landscape: play, step, again, speed, starts, and the scrubber."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.ui.landscape import landscape_help_texts as texts
from pages.ui.landscape.landscape_page_state import PAGE, begin_at
from pages.ui.landscape.landscape_registry import landscape_registry
from pages.ui.landscape.landscape_request import read_starts
from pages.ui.landscape.paths import PathsView
from pages.ui.widgets.live_part import LivePart, Steps
from pages.ui.widgets.transport import Speeds, row

_STEPS = {f"{number} steps/s": float(number) for number in (3, 10, 30, 100)}
SPEEDS = Speeds("landscape.speed", {**_STEPS, "full speed": None}, "30 steps/s")
FEW = 5  # random starts at once


def transport(live: LivePart[tuple[Any, PathsView | None]], reach: float) -> None:
    """Draw the row for paths in this state.

    reach: of the plane, where random starts are drawn.
    """
    view, at_of = live.seen[1], cursor()
    any_paths = view is not None and bool(view.ends)
    paused = view is not None and view.paused
    moving = view is not None and view.moving > 0
    with row():
        st.button(
            "Go on" if paused else "Hold",
            icon=":material/play_arrow:" if paused else ":material/pause:",
            type="primary", help=texts.RUN, shortcut="P", key="landscape.play",
            on_click=_resume if paused else _pause, disabled=not (moving or paused), width=130,
        )  # fmt: skip
        st.button(
            "Step", help=texts.STEP, shortcut="S", key="landscape.step", on_click=_step,
            disabled=not (paused and moving),
        )  # fmt: skip
        st.button(
            "Again", icon=":material/replay:", help=texts.AGAIN, shortcut="B",
            key="landscape.again", on_click=_again, disabled=not any_paths,
        )  # fmt: skip
        SPEEDS.picker(texts.SPEED, _set_speed)
        st.text_input(
            "Add a start", placeholder="start: 0.5, -1", help=texts.START, key="landscape.start",
            label_visibility="collapsed", on_change=_written, width=160,
        )  # fmt: skip
        st.button(
            "Random starts", help=texts.RANDOM, shortcut="N", key="landscape.random",
            on_click=_random, args=(reach,),
        )  # fmt: skip
        st.button(
            "Clear", help=texts.CLEAR, shortcut="X", key="landscape.clear", on_click=_clear,
            disabled=not any_paths,
        )  # fmt: skip
    live.steps(
        "Step k", lambda seen: _steps(seen[1], at_of(seen[1])), key="landscape-steps",
        help=texts.SCRUB, go=_look,
    )  # fmt: skip


def cursor() -> Callable[[PathsView | None], int | None]:
    """The k of paths that is looked at; None while they run or nobody has looked back."""
    at = st.session_state.get("landscape.at")

    def at_of(view: PathsView | None) -> int | None:
        return None if view is None or view.running or at is None else min(int(at), view.k)

    return at_of


def _steps(view: PathsView | None, at: int | None) -> Steps:
    """The slider's part of a view."""
    if view is None:
        return Steps()
    return Steps(view.k if at is None else at, view.k, not view.running)


# --- callbacks -------------------------------------------------------------------------------


def _pause() -> None:
    paths = landscape_registry().present
    if paths is not None:
        st.session_state["landscape.at"] = None
        paths.pause()


def _resume() -> None:
    paths = landscape_registry().present
    if paths is not None:
        st.session_state["landscape.at"] = None
        paths.resume()


def _look(k: int) -> None:
    st.session_state["landscape.at"] = k


def _step() -> None:
    paths = landscape_registry().present
    if paths is not None:
        paths.step("step")
    st.session_state["landscape.at"] = None


def _again() -> None:
    landscape_registry().drop_paths()
    st.session_state["landscape.at"] = None


def _clear() -> None:
    PAGE.change(starts=())
    st.session_state["landscape.at"], st.session_state["landscape.refused"] = None, ""


def _written() -> None:
    state = st.session_state
    try:
        begin_at(read_starts(state["landscape.start"]))
    except ValueError as error:
        state["landscape.refused"] = f"{str(error)[:1].upper()}{str(error)[1:]}."
    else:
        state["landscape.start"] = ""


def _random(reach: float) -> None:
    draw = random.Random(len(PAGE.current.starts))
    begin_at(tuple((draw.uniform(-reach, reach), draw.uniform(-reach, reach)) for _ in range(FEW)))


def _set_speed(speed: float | None) -> None:
    paths = landscape_registry().present
    if paths is not None:
        paths.set_speed(speed)
