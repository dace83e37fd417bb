"""Work that waits for its turn: everybody's computing goes through one queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

T = TypeVar("T")


def in_turn(aim: str, title: str, work: Callable[[Callable[[int], None]], T]) -> T:
    """What `work` makes, with the place in line shown until its turn comes.

    aim: what is waited for, such as "craft the attack"; title: what the spinner says; work: gets
    a function that is to be told how many are ahead.
    """
    status = st.container(key="status")  # floats over the page: what comes and goes moves nothing
    waiting = status.empty()

    def tell(place: int) -> None:
        if place:
            waiting.caption(f"Waiting in line to {aim}: {place} ahead.")
        else:
            waiting.empty()

    with status, st.spinner(title, show_time=True):
        return work(tell)
