"""A part of a page that is drawn again and again while a worker is busy."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

import streamlit as st

from pages.ui.live.compute_queue import DRAW_PRIORITY
from pages.ui.look.section import section

Look = TypeVar("Look")
REFRESH = 0.2  # seconds between two looks at a worker


def redrawn(
    first: Look,
    look: Callable[[], Look],
    draw: Callable[[Look], None],
    marks: Callable[[Look], tuple[int, ...]],
    stale: Callable[[], bool] = lambda: False,
    name: str | None = None,
) -> None:
    """Draw what there is to see, and again every REFRESH seconds while a worker is busy.

    first: as the rest of the page shows it; marks: what that rest depends on, and before all
    whether a worker is busy: where they change, the whole page is drawn anew; stale: whether it is
    to be drawn anew at once; name: of the section, None where `draw` has sections of its own.
    """
    drawn = marks(first)
    by_itself = False  # not yet: the first time, the fragment runs as a part of the page

    @st.fragment(run_every=REFRESH if drawn[0] else None)
    def live() -> None:
        nonlocal by_itself
        if by_itself and stale():
            st.rerun()
        seen = first
        with nullcontext() if name is None else section(name), DRAW_PRIORITY.drawing():
            seen = look()
            draw(seen)
        if by_itself and marks(seen) != drawn:
            st.rerun()  # begin or end the refreshing, and draw the rest of the page anew
        by_itself = True

    live()
