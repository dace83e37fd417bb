"""Work that waits in the compute queue, its place shown meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

T = TypeVar("T")


def in_turn(aim: str, title: str, work: Callable[[Callable[[int], None]], T]) -> T:
    """What `work` makes, with its place in the queue shown until its turn comes.

    aim: what is waited for, such as "craft the attack"; title: what the spinner says; work: gets
    a function to call with the number of those ahead.
    """
    status = st.container(key="status")  # floats over the page: what comes and goes moves nothing
    waiting = status.empty()

    def report(place: int) -> None:
        if place:
            waiting.caption(f"Waiting in line to {aim}: {place} ahead.")
        else:
            waiting.empty()

    with status, st.spinner(title, show_time=True):
        return work(report)
