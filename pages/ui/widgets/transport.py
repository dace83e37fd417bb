"""The row of buttons over what a worker computes.

A button does what it said when it was drawn: a click that comes late, or twice, must never undo
itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import streamlit as st

from pages.ui.link import address
from pages.ui.live.worker import State

RunAct = Literal["begin", "pause", "resume"]


class Watched(Protocol):
    """The part of a worker's view that the first button depends on."""

    @property
    def state(self) -> State:
        """What the worker does."""

    @property
    def ended(self) -> bool:
        """Whether no step will come any more."""


def row(key: str = "transport") -> st.delta_generator.DeltaGenerator:
    """The place of the buttons."""
    return st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=key)


def run_button(view: Watched | None) -> tuple[str, str, RunAct]:
    """Label, icon and act of the button over a run in this state; None where there is no run."""
    if view is None:
        return "Run", ":material/play_arrow:", "begin"
    if view.ended:
        return "Run again", ":material/replay:", "begin"
    if view.state == "running":
        return "Pause", ":material/pause:", "pause"
    return "Resume", ":material/play_arrow:", "resume"


def begin_button(
    label: str, again: bool, *, shortcut: str, help: str, key: str, disabled: bool,
    begin: Callable[..., None], args: tuple[Any, ...],
) -> None:  # fmt: skip
    """The button that begins work without pauses; again: all of it has been done."""
    st.button(
        f"{label} again" if again else label, type="primary", width=150, shortcut=shortcut,
        icon=":material/replay:" if again else ":material/play_arrow:", help=help, key=key,
        disabled=disabled, on_click=begin, args=(*args, again),
    )  # fmt: skip


def stop_button(
    label: str, *, shortcut: str, help: str, key: str, disabled: bool,
    stop: Callable[..., None], args: tuple[Any, ...],
) -> None:  # fmt: skip
    """The button that ends work before it is done."""
    st.button(
        label, icon=":material/stop:", help=help, shortcut=shortcut, key=key, disabled=disabled,
        on_click=stop, args=args,
    )  # fmt: skip


def back_and_forward(
    ks: Sequence[int], place: int, still: bool, key: str, help: tuple[str, str],
    go: Callable[[int], None],
) -> None:  # fmt: skip
    """The buttons to the step before and to the next one.

    place: of the step looked at in `ks`; still: whether nothing is drawn over it meanwhile; go:
    gets the step.
    """
    for name, by, side, keyboard in (("Back", -1, "left", "J"), ("Forward", 1, "right", "K")):
        there = still and 0 <= place + by < len(ks)
        st.button(
            name, icon=f":material/chevron_{side}:", help=help[by > 0], shortcut=keyboard,
            key=f"{key}{name.lower()}", disabled=not there, on_click=go,
            args=(ks[place + by] if there else 0,),
        )  # fmt: skip


class Speeds:
    """The speeds of a page's runs, one of them chosen.

    at: the name in the session that keeps the choice; known: steps a second by label, None for all
    that the machine gives; usual: the first choice.
    """

    def __init__(self, at: str, known: Mapping[str, float | None], usual: str) -> None:
        self._at, self._known, self._usual = at, known, usual

    @property
    def chosen(self) -> float | None:
        """The chosen one; before its widget is drawn too."""
        return self._known[address.keep(self._at, self._usual)]

    def picker(self, help: str, take: Callable[[float | None], None]) -> None:
        """Draw the choice; take: gets another one."""
        labels = list(self._known)
        st.selectbox(
            "Speed", labels, labels.index(address.keep(self._at, self._usual)), help=help,
            key=self._at, label_visibility="collapsed", width=140,
            on_change=lambda: take(self._known[st.session_state[self._at]]),
        )  # fmt: skip
